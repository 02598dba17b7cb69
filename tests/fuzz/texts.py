"""Changes to tables, JSON, TOML and XML that leave most of the syntax right."""

import json
import random
import re
from typing import Any

from tests.fuzz.mutations import OF_BYTES, Mutator

NUMBERS = (
    "0",
    "-1",
    "1e999",
    "nan",
    "inf",
    "1.5",
    "1,5",
    "99999999999999999999",
    "0x10",
    "1_000",
    "١٢",
    "1e6",
)
WORDS = (
    "",
    " ",
    '"',
    '""',
    "'",
    "=1+1",
    "../../x",
    "/",
    "a,b",
    "a;b",
    "a\nb",
    "a\r",
    "\x1b[31m",
    "\x00",
    "\ufeff",
    "\u202e",
    "\ud7ff",
    "<b>",
    "NaN",
    "None",
    "true",
    "{}",
    "[red]",
    "{{ 1 }}",
    "%s",
    "x" * 2000,
)
JSON_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    1e308,
    10**30,
    float("nan"),
    "",
    "x",
    "0",
    "\x00",
    [],
    {},
    [[]],
    [None],
    {"": None},
)
TOO_DEEP = 100_000


def hostile_word(rng: random.Random) -> str:
    """Return a number or word that programs stumble over."""
    return rng.choice(NUMBERS if rng.random() < 0.4 else WORDS)


def mutate_table(data: bytes, rng: random.Random) -> bytes:
    """Change one cell, column or line of a table, or the encoding; no line is removed."""
    text = data.decode("utf-8", "surrogateescape")
    change = rng.choice((_change_cell, _change_cell, _change_cell, _change_column, _change_line))
    changed = change(text, rng)
    encoding = rng.choices(("utf-8", "utf-16", "latin-1", "utf-8-sig"), (20, 1, 1, 1))[0]
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    return changed.encode(encoding, errors)


def _change_cell(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    index = rng.randrange(len(lines))
    cells = lines[index].split(",")
    place = rng.randrange(len(cells))
    word = hostile_word(rng)
    if rng.random() < 0.3:
        word = rng.choice((word + cells[place], cells[place] + word))
    cells[place] = word
    lines[index] = ",".join(cells)
    return "\n".join(lines)


def _change_column(text: str, rng: random.Random) -> str:
    """Remove a column, repeat one, or exchange two."""
    rows = [line.split(",") for line in text.split("\n")]
    width = len(rows[0])
    first, second = rng.randrange(width), rng.randrange(width)
    kind = rng.randrange(3)
    for row in rows:
        if len(row) != width:
            continue
        if kind == 0:
            del row[first]
        elif kind == 1:
            row.insert(second, row[first])
        else:
            row[first], row[second] = row[second], row[first]
    return "\n".join(map(",".join, rows))


def _change_line(text: str, rng: random.Random) -> str:
    """Repeat a line, insert a foreign one, or change the separator or the line ends."""
    lines = text.split("\n")
    index = rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind == 0:
        lines.insert(index, lines[index])
    elif kind == 1:
        lines.insert(index, hostile_word(rng))
    elif kind == 2:
        return text.replace(",", rng.choice((";", "\t", "|")))
    elif kind == 3:
        return text.replace("\n", rng.choice(("\r\n", "\r", "\n\n")))
    else:
        lines[0] = lines[0].upper()
    return "\n".join(lines)


def _nodes(value: Any) -> list[tuple[Any, Any]]:
    """Return every container of a document with each of its keys."""
    nodes = []
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    for key in keys:
        nodes.append((value, key))
        nodes.extend(_nodes(value[key]))
    return nodes


def mutate_json(data: bytes, rng: random.Random) -> bytes:
    """Replace, remove, rename or add one value of a JSON document, or nest it too deeply."""
    if rng.random() < 0.03:
        return b"[" * TOO_DEEP + b"]" * TOO_DEEP
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):  # of an earlier mutation
        return rng.choice(OF_BYTES)(data, rng)
    nodes = _nodes(document)
    if not nodes or rng.random() < 0.03:
        return json.dumps(rng.choice(JSON_VALUES)).encode()
    container, key = rng.choice(nodes)
    kind = rng.randrange(5)
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, dict):
        container[hostile_word(rng)] = container.pop(key)
    elif kind == 2 and isinstance(container[key], str):
        container[key] = hostile_word(rng)
    elif kind == 3:
        container[key] = [container[key]]
    else:
        container[key] = rng.choice(JSON_VALUES)
    return json.dumps(document).encode()


VALUE = re.compile(r"(?<==)\s*[^\n=]+$", re.MULTILINE)


def mutate_toml(data: bytes, rng: random.Random) -> bytes:
    """Replace a value of a TOML document, repeat a line or remove one."""
    text = data.decode("utf-8", "surrogateescape")
    values = list(VALUE.finditer(text))
    lines = text.split("\n")
    kind = rng.randrange(4)
    if kind == 0:
        del lines[rng.randrange(len(lines))]
    elif kind == 1:
        lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    elif values:
        match = rng.choice(values)
        word = hostile_word(rng)
        value = rng.choice((word, json.dumps(word), f"[{word}]", "{ a = 1 }", "[]", "1979-05-27"))
        return f"{text[: match.start()]} {value}{text[match.end() :]}".encode("utf-8", "surrogateescape")
    return "\n".join(lines).encode("utf-8", "surrogateescape")


XML_PARTS = re.compile(r'(?<=")[^"<>]*(?=")|(?<=>)[^<>]+(?=<)')
TAG = re.compile(r"<[^>]*>")


def mutate_xml(data: bytes, rng: random.Random) -> bytes:
    """Replace an attribute or a text, or remove a tag."""
    text = data.decode("utf-8", "surrogateescape")
    parts = list((TAG if rng.random() < 0.15 else XML_PARTS).finditer(text))
    if not parts:
        return rng.choice(OF_BYTES)(data, rng)
    match = rng.choice(parts)
    word = "" if match[0].startswith("<") else hostile_word(rng)
    return f"{text[: match.start()]}{word}{text[match.end() :]}".encode("utf-8", "surrogateescape")


def mutate_lines(data: bytes, rng: random.Random) -> bytes:
    """Replace one word of a text file."""
    text = data.decode("utf-8", "surrogateescape")
    words = list(re.finditer(r"\S+", text))
    if not words:
        return data
    match = rng.choice(words)
    return f"{text[: match.start()]}{hostile_word(rng)}{text[match.end() :]}".encode(
        "utf-8", "surrogateescape"
    )


TEXT_STRUCTURES: dict[str, Mutator] = {
    ".csv": mutate_table,
    ".json": mutate_json,
    ".boris": mutate_json,
    ".toml": mutate_toml,
    ".eaf": mutate_xml,
    ".txt": mutate_lines,
    ".log": mutate_lines,
    ".textgrid": mutate_lines,
    ".vtt": mutate_lines,
}
