"""Pages read by a parser that is not a browser's."""

import csv
import io
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

CSV = "data:text/csv;charset=utf-8,"
VOID = {"meta", "img", "br", "link", "input", "hr", "wbr", "use", "path"}


class Page(HTMLParser):
    """What is in a page: elements in order, the text of table cells, and whether every tag is closed in
    turn."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.raw = file.read_text(encoding="utf-8")
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.text: list[str] = []
        self.feed(self.raw)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), (tag, "says an attribute twice", self.getpos())
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)
        if {"td", "th"} & set(self.open) and "svg" not in self.open:
            self.tables[-1][-1][-1] += data if self.tables[-1][-1][-1] == "" else f" {data}"

    def table(self, *columns: str) -> list[list[str]]:
        """Rows of the first table that has these headings."""
        return next(table[1:] for table in self.tables if table[0][: len(columns)] == list(columns))

    @property
    def links(self) -> dict[str, list[list[str]]]:
        """The rows of each CSV that the page holds as a link, by the name of its file."""
        found = {}
        for tag, attributes in self.elements:
            address = str(attributes.get("href"))
            if tag == "a" and address.startswith(CSV):
                text = unquote(address.removeprefix(CSV), errors="strict")
                found[str(attributes["download"])] = list(csv.reader(io.StringIO(text, newline="")))
        return found

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())
