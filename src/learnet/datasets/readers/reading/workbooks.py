"""Which label workbooks of a database there are, which of them is used, and what the others say differently.

A workbook is told by its content: its columns, its emotions, and whether it names the clips that have folders. Its name only says which
one is preferred.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from learnet.core.errors import BadInput, counted
from learnet.core.labels import ALIASES, EMOTIONS, UnknownLabel, parse_emotion
from learnet.core.records import Finding
from learnet.datasets.readers.reading.folder_tree import Key, Survey, same, subject_number
from learnet.datasets.readers.reading.matching import Row, distinct
from learnet.datasets.readers.reading.spreadsheet import (
    Form,
    Table,
    is_missing,
    normalise,
    read_table,
    whole_number,
)

COLUMNS = {
    "subject": ("subject", "sub", "subjects"),
    "name": ("filename", "file", "filenames"),
    "onset": ("onsetframe", "onset"),
    "apex": ("apexframe", "apex"),
    "offset": ("offsetframe", "offset"),
    "action_units": ("actionunits", "actionunit", "aus", "au"),
    "emotion": ("estimatedemotion", "emotion", "estimatedemotions", "emotions"),
}
"""As Form.columns: the headers of CASME II, which later databases took over."""
NEEDED = ("subject", "name", "onset", "apex", "offset", "emotion")
"""As Form.needed: what makes a clip."""

_PARENTS = 3  # folders above the root that are searched where there is no workbook below it


def by_subject_and_name(row: Row) -> Key:
    """The key of folders SUBJECT/CLIP."""
    return (row.subject, same(row.name))


def by_name(row: Row) -> Key:
    """The key of folders whose name alone says which clip they are."""
    return (same(row.name),)


def subject_of(cells: Mapping[str, str], named: int | None = None) -> int:
    """The subject's number in a row whose clip is called after subject NAMED, or after none.

    Raises:
        ValueError: no number is given, or it is not NAMED.
    """
    number = subject_number(cells["subject"])
    if number is None:
        raise ValueError(f"{cells['subject']!r} is not a subject's number")
    if named not in (None, number):
        raise ValueError(
            f"subject {cells['subject']} cannot have the clip {cells['name']}, which is another's; are the columns shifted?"
        )
    return number


def emotion_of(cells: Mapping[str, str], where: str) -> str:
    """The emotion in a row, one of labels.EMOTIONS.

    Raises:
        ValueError: none is given.
        UnknownLabel: nobody knows it.
    """
    if is_missing(cells["emotion"]):
        raise ValueError("no emotion is given")
    return parse_emotion(cells["emotion"], where)


def row_of(cells: Mapping[str, str], where: str, subject: str) -> Row:
    """The cells that COLUMNS finds, as values; SUBJECT is the row's as the database writes it.

    Raises:
        ValueError: no emotion, or something else than a number for a frame.
        UnknownLabel: an emotion nobody knows.
    """
    return Row(
        subject=subject,
        name=cells["name"],
        emotion=emotion_of(cells, where),
        onset=whole_number(cells["onset"]),
        apex=whole_number(cells["apex"]),
        offset=whole_number(cells["offset"]),
        where=where,
        action_units=cells["action_units"],
    )


@dataclass(frozen=True, kw_only=True)
class Labelling:
    """Whose labels they are, and how a row finds the folder of its clip; wherever the labels stand."""

    dataset: str  # as Clip.dataset
    title: str  # "CASME II"
    key: Callable[[Row], Key] = by_subject_and_name  # what finds the folder of a row's clip
    also: Callable[[Row], tuple[Key, ...]] = (
        lambda row: ()
    )  # further keys that find it, such as a whole recording's

    def found(self, row: Row, folders: Collection[Key]) -> Key | None:
        """The first of the row's keys that is among FOLDERS; None where none is."""
        return next((key for key in (self.key(row), *self.also(row)) if key in folders), None)


@dataclass(frozen=True, kw_only=True)
class Books(Labelling):
    """What is known of a database's workbooks before any is opened."""

    example: str  # how the workbook is called, for messages
    form: Form
    emotions: Collection[str]  # that the database uses; a workbook with others is another database's
    rows: Callable[
        [dict[str, str], str], list[Row]
    ]  # cells of a row and where it stands -> its clips; ValueError where unusable
    preferred: tuple[str, ...] = ()  # beginnings of their names as `normalise` gives them, the best first
    beside: tuple[str, ...] = ()  # pieces of the names of files that lie beside and hold something else
    part: Callable[[Path], str] = lambda path: (
        ""
    )  # workbooks of different parts complete each other, those of one are versions
    read: Callable[[Path], Table] | None = None  # where `read_table` does not do
    repair: Callable[[Table, list[Row]], tuple[list[Row], list[Finding]]] = lambda table, rows: (
        rows,
        [],
    )  # published repairs
    superseded: Callable[[Table], str] = lambda table: (
        ""
    )  # what is wrong with a version that its owners replaced; "" for others

    def rank(self, path: Path) -> int:
        """Place in the order of preference; the last for names nobody knows."""
        stem = normalise(path.stem)
        return next(
            (rank for rank, known in enumerate(self.preferred) if stem.startswith(known)), len(self.preferred)
        )

    def lies_beside(self, path: Path) -> bool:
        """Whether the name says that the file holds something else."""
        return any(piece in normalise(path.stem) for piece in self.beside)

    def table(self, path: Path) -> Table:
        """The table of a workbook, opened."""
        return self.read(path) if self.read else read_table(path, self.form)


@dataclass(frozen=True)
class Labels:
    """The rows that are used, and where they come from."""

    used: list[Table]  # one of each part
    others: list[Table]  # other versions
    rows: list[Row] = field(default_factory=list)  # one per clip, in the workbooks' order

    @property
    def counted(self) -> str:
        """How many there are, for messages."""
        return (
            counted(sum(len(table.rows) for table in self.used), "row")
            if self.used
            else counted(len(self.rows), "folder")
        )


def read_labels(found: Survey, books: Books, folders: Collection[Key]) -> tuple[Labels, list[Finding]]:
    """The workbooks that name clips which have a folder, and their rows.

    Raises:
        BadInput: there is none, or none that can be used.
        UnknownLabel: an emotion nobody knows, in a workbook that is used.
    """
    tables, findings = _usable(found, books, folders)
    parts: dict[str, Table] = {}
    for table in tables:
        parts.setdefault(books.part(table.path), table)
    used = [parts[name] for name in sorted(parts)]
    labels = Labels(used, [table for table in tables if table not in used])
    rows: list[Row] = []
    for table in used:
        found_rows, problems = _rows(table, books)
        rows += found_rows
        findings += problems
        versions = [other for other in labels.others if books.part(other.path) == books.part(table.path)]
        findings += [
            Finding(
                "version superseded",
                each.path.name,
                f"{wrong}; it is {'not ' * (each is not table)}used",
                serious=each is table,
            )
            for each in (table, *versions)
            if (wrong := books.superseded(each))
        ]
        findings += [finding for other in versions for finding in _compare(table, other, found_rows, books)]
    rows, repeats = distinct(rows, books.dataset)
    labels.rows.extend(rows)
    return labels, findings + repeats


def _usable(found: Survey, books: Books, folders: Collection[Key]) -> tuple[list[Table], list[Finding]]:
    """The usable workbooks, the preferred one first. Above the root only where there is none below it."""
    refused: list[BadInput] = []
    findings: list[Finding] = []
    for group in (found.books, *map(_files_of, found.root.parents[:_PARENTS])):
        tables = []
        for path in _candidates(group, books, findings):
            try:
                tables.append(_checked(path, books, folders))
            except BadInput as wrong:
                refused.append(wrong)
        if tables:
            tables.sort(key=lambda table: bool(books.superseded(table)))
            return tables, findings + [
                _not_used(wrong, tables, books) for wrong in refused if not books.lies_beside(wrong.path)
            ]
    named = [wrong for wrong in refused if books.rank(wrong.path) < len(books.preferred)]
    if named or refused:
        raise (named or refused)[0]
    hint = "Put it beside the folders of clips." + (
        " Its lock file is there: was it moved?" if findings else ""
    )
    raise BadInput(found.root, f"there is no label workbook ({books.example} or another version)", hint)


def _not_used(wrong: BadInput, tables: list[Table], books: Books) -> Finding:
    """What to say of a workbook that is refused; it is serious where a version that is less preferred gives the labels in its place."""
    part = books.part(wrong.path)
    used = next((table.path for table in tables if books.part(table.path) == part), None)
    instead = used if used and books.rank(wrong.path) < books.rank(used) else None
    what = str(wrong) + (f" {instead.name} is used in its place." if instead else "")
    return Finding("workbook not used", wrong.path.name, what, serious=instead is not None)


def _files_of(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:  # a folder above the root that is closed to this user is none of the database's
        return []


def _candidates(paths: Iterable[Path], books: Books, findings: list[Finding]) -> list[Path]:
    """The workbooks among PATHS, the preferred version first, then the one nearest to the root; lock files become findings."""
    ranked = []
    for path in paths:
        if path.name.startswith("~$"):
            what = "a spreadsheet program has this workbook open; changes that are not saved are not read"
            findings.append(Finding("workbook is open", path.name, what))
        elif path.suffix.lower() in (".xlsx", ".xls") and not path.name.startswith("."):
            ranked.append((books.rank(path), len(path.parts), path))
    return [path for *_, path in sorted(ranked)]


def _checked(path: Path, books: Books, folders: Collection[Key]) -> Table:
    """The table of a workbook; refused where it is another database's (several have the same columns)."""
    table = books.table(path)
    if not table.rows:
        raise BadInput(path, "has no rows below its header", "Use the workbook with the labels.")
    said = [{ALIASES.get(word, word) for word in cells["emotion"].lower().split("+")} for cells in table.rows]
    words = {word for words in said for word in words}
    if foreign := sorted(words & set(EMOTIONS) - set(books.emotions)):
        lines = [line for line, words in zip(table.lines, said, strict=True) if words & {*foreign}]
        rows = (
            f"row {lines[0]}" if len(lines) == 1 else f"{len(lines)} rows, the first of them row {lines[0]}"
        )
        wrong = f"has the emotions {', '.join(foreign)}, which {books.title} does not use, in {rows}"
        raise BadInput(
            path, wrong, f"Is it another database's? {books.title} has {', '.join(books.emotions)}."
        )
    if not any(books.found(row, folders) for row in _readable(table, books)):
        if unknown := _unknown_label(table, books):
            raise BadInput(path, f"has no row that can be used; {unknown.what}", unknown.hint)
        wrong = f"names no clip that has a folder (it has {counted(len(table.rows), 'row')})"
        raise BadInput(path, wrong, "Do the clips lie where it expects them?")
    return table


def _readable(table: Table, books: Books) -> Iterator[Row]:
    """The rows that can be read; the others are not this table's to tell."""
    for index, cells in enumerate(table.rows):
        try:
            yield from books.rows(cells, table.where(index))
        except (ValueError, UnknownLabel):
            continue


def _unknown_label(table: Table, books: Books) -> UnknownLabel | None:
    """The first label nobody knows: of a workbook without a usable row, that is what is wrong, and not where its clips lie."""
    for index, cells in enumerate(table.rows):
        try:
            books.rows(cells, table.where(index))
        except UnknownLabel as unknown:
            return _placed(unknown, table, index, books)
        except ValueError:
            continue
    return None


def _placed(unknown: UnknownLabel, table: Table, index: int, books: Books) -> UnknownLabel:
    """The same with the file's whole path and the database's own words."""
    return UnknownLabel(unknown.label, f"{table.path} row {table.lines[index]}", books.emotions)


def _rows(table: Table, books: Books) -> tuple[list[Row], list[Finding]]:
    """The rows as values with the published repairs; a row that cannot be used is a finding."""
    rows: list[Row] = []
    findings = []
    for line, cells in table.notes.items():
        filled = sum(bool(cells[name]) for name in books.form.needed)
        lacks = [key for key in books.form.keys if not cells[key]] or ["clip"]
        what = f"{table.path.name} row {line} names no {' and no '.join(lacks)}"
        findings.append(
            Finding(
                "row passed over",
                table.path.name,
                f"{what}: {' '.join(filter(None, cells.values()))[:80]!r}",
                filled > 2,
            )
        )
    for index, cells in enumerate(table.rows):
        try:
            rows += books.rows(cells, table.where(index))
        except UnknownLabel as unknown:
            raise _placed(unknown, table, index, books) from unknown
        except ValueError as wrong:
            where = "/".join((books.dataset, *(cells[key] for key in books.form.keys)))
            findings.append(Finding("row not usable", where, f"{table.where(index)}: {wrong}", serious=True))
    rows, repairs = books.repair(table, rows)
    return rows, findings + repairs


def _compare(used: Table, other: Table, rows: list[Row], books: Books) -> Iterator[Finding]:
    """What another version says differently about the same clips. Tables that share few clips are not of one database."""
    ours = {(row.subject, same(row.name)): row for row in reversed(rows)}
    theirs = {(row.subject, same(row.name)): row for row in reversed(list(_readable(other, books)))}
    if 2 * len(ours.keys() & theirs.keys()) < min(len(ours), len(theirs)):
        return
    serious = not books.superseded(other)
    for key in sorted(ours.keys() | theirs.keys()):
        mine, its = ours.get(key), theirs.get(key)
        if mine is None or its is None:
            there, (has, lacks) = (mine, (used, other)) if mine else (its, (other, used))
            what = f"{has.path.name} has this clip, {lacks.path.name} has not"
            yield Finding(
                "versions differ in rows",
                f"{books.dataset}/{key[0]}/{there.name if there else key[1]}",
                what,
                serious,
            )
            continue
        where = f"{books.dataset}/{mine.subject}/{mine.name}"
        if mine.emotion != its.emotion:
            what = f"{used.path.name} says {mine.emotion}, {other.path.name} says {its.emotion}; the first is taken"
            yield Finding("versions differ in emotion", where, what, serious)
        frames = [
            "/".join("none" if mark is None else str(mark) for mark in (row.onset, row.apex, row.offset))
            for row in (mine, its)
        ]
        if frames[0] != frames[1]:
            what = f"onset/apex/offset are {frames[0]} in {used.path.name}, {frames[1]} in {other.path.name}; the first is taken"
            yield Finding("versions differ in frames", where, what)
