"""Read the composite of MEGC2019: CASME II, SMIC (HS) and SAMM by the organisers' list of clips and classes.

The list decides, clip by clip. The usual rule (happiness is positive, ...) does not reproduce it: the list
lacks clips that the rule includes, and the versions of CASME II's workbook disagree about surprises. The list
is not part of learnet; `--list` names it.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from learnet.core.errors import BadInput, counted
from learnet.core.labels import SCHEMES
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_names import normalise_name, subject_number
from learnet.datasets.readers.reading.folder_tree import is_synthetic, scan_folders, validate_root
from learnet.datasets.readers.reading.spreadsheet import sheets

CLASSES = ("negative", "positive", "surprise")
"""Codes 0, 1, 2 of the list. Source: challenge description of MEGC2019."""

PUBLISHED = {"negative": 250, "positive": 109, "surprise": 83}
PARTS = {"casme2": (145, 24), "smic": (164, 16), "samm": (133, 28)}
"""Database -> clips and people of the organisers' list: 442 clips of 68 people."""

_COLUMNS = 4
"""Database, subject, clip, class. Some copies have more columns after them."""

ListKey = tuple[str, int, str]
"""Database, subject's number, name of the clip in the spelling of `_normalise_clip`."""


@dataclass(frozen=True)
class ListedClip:
    """A line of the list."""

    dataset: str
    subject: str  # as in the list: sub01, s01, 6
    clip: str
    emotion: str  # one of CLASSES
    line: int

    @property
    def key(self) -> ListKey:
        """What identifies the clip however the subject is padded.

        The subject of a SAMM clip is taken from its name (006_1_2 of subject 6).
        """
        number = subject_number(self.clip[:3] if self.dataset == "samm" else self.subject)
        return self.dataset, -1 if number is None else number, _normalise_clip(self.clip)


def _normalise_clip(name: str) -> str:
    """Return one spelling for s01_ne_01 and s1_ne_01; other names stay as they are."""
    return re.sub(r"^s0*(\d+_)", r"s\1", normalise_name(name))


def _key_of_clip(clip: Clip) -> ListKey:
    return clip.dataset, subject_number(clip.subject) or 0, _normalise_clip(clip.name)


def read_list(path: Path) -> list[ListedClip]:
    """Read the organisers' list: lines `database,subject,clip,class` without a header.

    Empty lines and lines of commas are ignored.

    Raises:
        BadInput: there is no such file, it is not a table, a line has another form, or a clip is repeated.
    """
    if path.is_dir():
        raise BadInput(path, "this is a folder, not the list", "Give combined_3class_gt.csv itself.")
    listed: dict[ListKey, ListedClip] = {}
    rows = next(iter(sheets(path).values())).rows
    for line, row in enumerate(rows, start=1):
        is_header = line == 1 and len(row) >= _COLUMNS and row[3].lower() == "label"
        if is_header or not any(row):
            continue
        clip = _parse_line(path, line, row)
        first = listed.setdefault(clip.key, clip)
        if first is not clip:
            problem = f"{clip.clip} is already in line {first.line}"
            raise BadInput(f"{path} line {line}", problem, "Use the organisers' file.")
    if not listed:
        raise BadInput(path, "names no clips", "Give combined_3class_gt.csv of the MEGC2019 organisers.")
    return list(listed.values())


def _parse_line(path: Path, line: int, row: tuple[str, ...]) -> ListedClip:
    location = f"{path} line {line}"
    if len(row) < _COLUMNS or row[0].lower() not in PARTS or row[3] not in {"0", "1", "2"}:
        problem = (
            f"{','.join(row)[:60]!r} is not `database,subject,clip,class` "
            f"with {', '.join(PARTS)} and 0, 1 or 2"
        )
        raise BadInput(location, problem, "Use combined_3class_gt.csv of the MEGC2019 organisers.")
    clip = ListedClip(row[0].lower(), row[1], row[2], CLASSES[int(row[3])], line)
    if clip.key[1] < 0:
        problem = f"{clip.subject!r} is not a subject's number"
        raise BadInput(location, problem, "Use the organisers' file.")
    return clip


def read(root: Path, selection: DatasetSubset, databases: Mapping[str, Dataset]) -> DatasetIndex:
    """Read the clips of the list below a folder that holds the three databases.

    Args:
        root: a folder with the three databases, or links to them, below it.
        selection: `list` is the organisers' file; `tree` is cropped (the owners' face crops of CASME II and
            SMIC) or raw.
        databases: databases by name, for every one in the list.

    Returns:
        The clips in the list's order, with the list's names and classes. Findings of the readers about other
        clips are not serious here.

    Raises:
        BadInput: there is no list, a database of the list does not exist, or its reader refuses it.
    """
    if selection.list is None:
        hint = "Give their combined_3class_gt.csv as list (--list)."
        raise BadInput(root, "the composite needs the organisers' list", hint)
    root = validate_root(root)
    listed = read_list(Path(selection.list))
    names = dict.fromkeys(clip.dataset for clip in listed)
    indexes = {name: _read_database(root, selection, name, databases) for name in names}
    findings = _database_findings(indexes, databases, listed)
    clips, list_findings = _listed_clips(indexes, listed, selection.list)
    findings += list_findings
    if not clips:
        raise BadInput(root, f"holds none of the {len(listed)} clips of {selection.list.name}")
    if not is_synthetic(clip.path for clip in clips):
        findings += _check_completeness(listed, selection.list)

    about = {"list": f"{selection.list.name}, {len(listed)} clips"}
    for name, index in indexes.items():
        for subject, text in index.about.items():
            about[f"{databases[name].title}: {subject}"] = text
    return DatasetIndex(clips, findings, about | _counts(clips, listed))


def _read_database(
    root: Path, selection: DatasetSubset, name: str, databases: Mapping[str, Dataset]
) -> DatasetIndex:
    """Read one database of the list. Of SMIC only the fast camera is read, which the list is about."""
    options = databases[name].options
    use_raw = selection.tree == "raw" and "raw" in options.get("tree", ())
    has_cameras = "HS" in options.get("part", ())
    subset = DatasetSubset(tree="raw" if use_raw else None, part="HS" if has_cameras else None)
    try:
        return databases[name].read(root, subset)
    except BadInput as refusal:
        missing = _missing_databases(root, databases)
        if missing:
            raise missing from refusal
        raise


def _missing_databases(root: Path, databases: Mapping[str, Dataset]) -> BadInput | None:
    """Return the error about databases without a trace below the root, or None where all three have one."""
    names = scan_folders(root).names
    missing = [databases[part].title for part in PARTS if not databases[part].matching_signatures(names)]
    if not missing:
        return None
    needed = ", ".join(databases[part].title for part in PARTS)
    verb = "is" if len(missing) == 1 else "are"
    problem = f"MEGC2019 needs {needed} below one folder; {' and '.join(missing)} {verb} not there"
    return BadInput(root, problem, "Put the database, or a link to it, beside the others.")


def _database_findings(
    indexes: Mapping[str, DatasetIndex], databases: Mapping[str, Dataset], listed: Sequence[ListedClip]
) -> list[Finding]:
    """Return the findings of the readers, without those about another database's workbook."""
    listed_keys = {clip.key for clip in listed}
    findings = []
    for name, index in indexes.items():
        others = [other for other in indexes if other != name]
        for finding in index.findings:
            if not _is_about_other(finding, others, indexes, databases):
                findings.append(_restrict_to_list(finding, name, listed_keys))
    return findings


def _is_about_other(
    finding: Finding,
    others: Sequence[str],
    indexes: Mapping[str, DatasetIndex],
    databases: Mapping[str, Dataset],
) -> bool:
    """Return whether a workbook was refused because it belongs to another of the databases.

    It does by its name, or because it is used there.
    """
    if finding.kind != "workbook not used":
        return False
    for other in others:
        if databases[other].matching_signatures([finding.where]):
            return True
        for workbook in indexes[other].about["workbook"].split("; "):
            if workbook.startswith(f"{finding.where},"):
                return True
    return False


def _restrict_to_list(finding: Finding, dataset: str, listed_keys: set[ListKey]) -> Finding:
    """Return a finding that is not serious where it is about a clip outside the list."""
    words = finding.where.split("/", 2)
    if len(words) < 3 or words[0] != dataset:
        return finding
    key = (dataset, subject_number(words[1]) or 0, _normalise_clip(words[2]))
    return finding if key in listed_keys else replace(finding, serious=False)


def _listed_clips(
    indexes: Mapping[str, DatasetIndex], listed: Sequence[ListedClip], path: Path
) -> tuple[list[Clip], list[Finding]]:
    """Return the clips of the list that exist. The list itself is named by `path`."""
    existing: dict[ListKey, Clip] = {}
    for index in indexes.values():
        for clip in index.clips:
            existing[_key_of_clip(clip)] = clip
    clips = []
    missing = []
    different = []
    for entry in listed:
        database_clip = existing.get(entry.key)
        if database_clip is None:
            missing.append(_missing_clip(entry, path))
            continue
        clips.append(replace(database_clip, name=entry.clip, emotion=entry.emotion))
        different += _compare_label(database_clip, entry)
    return clips, missing + different


def _missing_clip(entry: ListedClip, path: Path) -> Finding:
    message = (
        f"{path.name} line {entry.line} names this clip, and {entry.dataset} as stored here does not have it"
    )
    clip = f"{entry.dataset}/{entry.subject}/{entry.clip}"
    return Finding("listed clip missing", clip, message, serious=True)


def _compare_label(clip: Clip, entry: ListedClip) -> list[Finding]:
    """Report a clip whose label in the database is of another class than in the list."""
    if SCHEMES["megc-3"].of.get(clip.emotion) == entry.emotion:
        return []
    message = f"labelled {clip.emotion} here and {entry.emotion} in the list, which is used"
    return [Finding("label differs from the list", clip.key, message)]


def _check_completeness(listed: list[ListedClip], path: Path) -> list[Finding]:
    """Compare the list with the organisers' counts: one that is cut at the end of a line looks complete."""
    clips: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    subjects = set()
    for entry in listed:
        clips[entry.dataset] += 1
        classes[entry.emotion] += 1
        subjects.add(entry.key[:2])
    people = Counter(dataset for dataset, _ in subjects)
    differences = []
    for name, (official_clips, official_people) in PARTS.items():
        if (clips[name], people[name]) != (official_clips, official_people):
            counts = f"{counted(clips[name], 'clip')} of {counted(people[name], 'person', 'people')}"
            differences.append(f"{name} {counts}, not {official_clips} of {official_people}")
    for emotion, number in PUBLISHED.items():
        if classes[emotion] != number:
            differences.append(f"{classes[emotion]} {emotion}, not {number}")
    if not differences:
        return []
    message = "; ".join(differences)
    return [Finding("list differs from the organisers'", path.name, message, serious=True)]


def _counts(clips: list[Clip], listed: list[ListedClip]) -> dict[str, str]:
    """Return clips and people of each database beside the official numbers."""
    clips_of: Counter[str] = Counter()
    persons = set()
    for clip in clips:
        clips_of[clip.dataset] += 1
        persons.add(clip.person)
    people_of = Counter(person.split("/")[0] for person in persons)
    parts = []
    for name, (official_clips, official_people) in PARTS.items():
        clip_count = f"{clips_of[name]} of {official_clips} clips"
        parts.append(f"{name} {clip_count}, {people_of[name]} of {official_people} people")
    people = counted(len(persons), "person", "people")
    return {
        "clips": f"{len(clips)} of {len(listed)} in the list, {people}",
        "parts": "; ".join(parts),
    }


def megc2019(databases: Mapping[str, Dataset]) -> Dataset:
    """Return the composite as a database, over the readers of its three parts."""

    def read_composite(root: Path, selection: DatasetSubset) -> DatasetIndex:
        return read(root, selection, databases)

    return Dataset(
        name="megc2019",
        title="MEGC2019",
        read=read_composite,
        fps=0.0,
        published=PUBLISHED,
        people=68,
        published_source="the organisers' list; certain",
        access="https://github.com/Facial-Micro-ExpressionGC/MEGC2019",
        options={"list": (), "tree": ("cropped", "raw")},
    )
