"""The composite of MEGC2019: CASME II, SMIC (HS) and SAMM by the organisers' list, which says for every clip which of three classes it has.

The list decides, clip by clip. The rule of thumb (happiness is positive, ...) does not reproduce it: it leaves out clips that the rule
takes, and the versions of CASME II's workbook disagree about surprises. The list is not part of learnet; `--list` names it.
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
from learnet.datasets.readers.reading.folder_tree import checked_root, same, subject_number, survey, synthetic
from learnet.datasets.readers.reading.spreadsheet import sheets

CLASSES = ("negative", "positive", "surprise")
"""Codes 0, 1, 2 of the list. Source: challenge description of MEGC2019."""

PUBLISHED = {"negative": 250, "positive": 109, "surprise": 83}
PARTS = {"casme2": (145, 24), "smic": (164, 16), "samm": (133, 28)}
"""Database -> clips and people of the organisers' list: 442 clips of 68 people."""

_COLUMNS = 4  # database, subject, clip, class; other people's copies have more behind them

Key = tuple[str, int, str]  # database, subject's number, clip as `_clip_key` spells it


@dataclass(frozen=True)
class Listed:
    """A line of the list."""

    dataset: str
    subject: str  # as the list writes it: sub01, s01, 6
    clip: str
    emotion: str  # one of CLASSES
    line: int

    @property
    def key(self) -> Key:
        """What finds the clip, however the subject is padded. SAMM's subjects stand in the clip's name (006_1_2 of subject 6)."""
        number = subject_number(self.clip[:3] if self.dataset == "samm" else self.subject)
        return self.dataset, -1 if number is None else number, _clip_key(self.clip)


def _clip_key(name: str) -> str:
    """s01_ne_01 and s1_ne_01 are one clip; other names are as they are."""
    return re.sub(r"^s0*(\d+_)", r"s\1", same(name))


def read_list(path: Path) -> list[Listed]:
    """The organisers' list: no header, a line `database,subject,clip,class` each; empty lines and lines of commas are passed over.

    Raises:
        BadInput: no such file, no table, a line that is not understood, or a clip twice.
    """
    if path.is_dir():
        raise BadInput(path, "this is a folder, not the list", "Give combined_3class_gt.csv itself.")
    listed: dict[Key, Listed] = {}
    rows = next(iter(sheets(path).values()))
    for line, row in enumerate(rows, start=1):
        if not any(row) or (line == 1 and len(row) >= _COLUMNS and row[3].lower() == "label"):
            continue
        one = _listed(path, line, row)
        first = listed.setdefault(one.key, one)
        if first is not one:
            raise BadInput(
                f"{path} line {line}",
                f"{one.clip} stands in line {first.line} already",
                "Use the organisers' file.",
            )
    if not listed:
        raise BadInput(path, "names no clips", "Give combined_3class_gt.csv of the MEGC2019 organisers.")
    return list(listed.values())


def _listed(path: Path, line: int, row: tuple[str, ...]) -> Listed:
    if len(row) < _COLUMNS or row[0].lower() not in PARTS or row[3] not in {"0", "1", "2"}:
        wrong = f"{','.join(row)[:60]!r} is not `database,subject,clip,class` with {', '.join(PARTS)} and 0, 1 or 2"
        raise BadInput(f"{path} line {line}", wrong, "Use combined_3class_gt.csv of the MEGC2019 organisers.")
    one = Listed(row[0].lower(), row[1], row[2], CLASSES[int(row[3])], line)
    if one.key[1] < 0:
        raise BadInput(
            f"{path} line {line}", f"{one.subject!r} is not a subject's number", "Use the organisers' file."
        )
    return one


def read(root: Path, selection: DatasetSubset, databases: Mapping[str, Dataset]) -> DatasetIndex:
    """The clips of the list below a folder that holds the three databases.

    Args:
        root: a folder with the three databases below it; links to them will do.
        selection: `list` is the organisers' file; `tree` cropped (the owners' face crops of CASME II and SMIC) or raw.
        databases: their loaders by name, for every database the list names.

    Returns:
        The clips in the list's order, with the list's names and classes. Findings of the loaders about other clips are not serious here.

    Raises:
        BadInput: no list, a database of the list that is not there, or what its loader refuses.
    """
    if selection.list is None:
        raise BadInput(
            root, "the composite needs the organisers' list", "Give their combined_3class_gt.csv with --list."
        )
    root = checked_root(root)
    listed = read_list(selection.list)
    wanted = {one.key: one for one in listed}
    found: dict[Key, Clip] = {}
    findings: list[Finding] = []
    about = {"list": f"{selection.list.name}, {len(listed)} clips"}
    readings = {
        name: _part(root, selection, name, databases) for name in dict.fromkeys(one.dataset for one in listed)
    }
    for name, reading in readings.items():
        others = [(databases[other], readings[other]) for other in readings if other != name]
        found |= {_key(clip): clip for clip in reading.clips}
        findings += [
            _for_the_list(finding, name, wanted)
            for finding in reading.findings
            if not _of_another(finding, others)
        ]
        about |= {f"{databases[name].title}: {subject}": what for subject, what in reading.about.items()}
    clips = [
        replace(found[one.key], name=one.clip, emotion=one.emotion) for one in listed if one.key in found
    ]
    findings += [_missing(one, selection.list) for one in listed if one.key not in found]
    findings += [told for one in listed if one.key in found for told in _differs(found[one.key], one)]
    if not clips:
        raise BadInput(root, f"holds none of the {len(listed)} clips of {selection.list.name}")
    if not synthetic(clip.path for clip in clips):
        findings += _not_whole(listed, selection.list)
    return DatasetIndex(clips, findings, about | _counts(clips, listed))


def _part(root: Path, selection: DatasetSubset, name: str, databases: Mapping[str, Dataset]) -> DatasetIndex:
    takes = databases[name].takes
    tree = "raw" if selection.tree == "raw" and "raw" in takes.get("tree", ()) else None
    camera = (
        "HS" if "HS" in takes.get("part", ()) else None
    )  # the list is of SMIC's fast camera; never of another that is there
    try:
        return databases[name].read(root, DatasetSubset(tree=tree, part=camera))
    except BadInput as refusal:
        if away := _away(root, databases):
            raise away from refusal
        raise


def _away(root: Path, databases: Mapping[str, Dataset]) -> BadInput | None:
    """What to say where a database of the three is not below ROOT; None where there are signs of all."""
    names = survey(root).names
    away = [databases[name].title for name in PARTS if not databases[name].signs_among(names)]
    if not away:
        return None
    needed = ", ".join(databases[name].title for name in PARTS)
    wrong = f"MEGC2019 needs {needed} below one folder; {' and '.join(away)} {'is' if len(away) == 1 else 'are'} not there"
    return BadInput(root, wrong, "Put the database, or a link to it, beside the others.")


def _of_another(finding: Finding, others: Sequence[tuple[Dataset, DatasetIndex]]) -> bool:
    """Whether the finding is of a workbook that is refused for being one of OTHERS', by its name or because it is used there."""
    if finding.kind != "workbook not used":
        return False
    used = [book for _, reading in others for book in reading.about["workbook"].split("; ")]
    named = any(database.signs_among([finding.where]) for database, _ in others)
    return named or any(book.startswith(f"{finding.where},") for book in used)


def _not_whole(listed: list[Listed], path: Path) -> list[Finding]:
    """What the list has more or less than the organisers': one that was cut at the end of a line looks whole."""
    clips = Counter(one.dataset for one in listed)
    people = Counter(name for name, _ in {one.key[:2] for one in listed})
    differ = [f"{name} {counted(clips[name], 'clip')} of {counted(people[name], 'person', 'people')}, not {part[0]} of {part[1]}"
              for name, part in PARTS.items() if (clips[name], people[name]) != part]  # fmt: skip
    classes = Counter(one.emotion for one in listed)
    differ += [
        f"{classes[word]} {word}, not {number}"
        for word, number in PUBLISHED.items()
        if classes[word] != number
    ]
    return (
        [Finding("list differs from the organisers'", path.name, "; ".join(differ), serious=True)]
        if differ
        else []
    )


def _key(clip: Clip) -> Key:
    return clip.dataset, subject_number(clip.subject) or 0, _clip_key(clip.name)


def _for_the_list(finding: Finding, dataset: str, wanted: Mapping[Key, Listed]) -> Finding:
    """A loader's finding, which changes nothing where it is about a clip that the list does not have."""
    words = finding.where.split("/", 2)
    if (
        len(words) == 3
        and words[0] == dataset
        and (dataset, subject_number(words[1]) or 0, _clip_key(words[2])) not in wanted
    ):
        return replace(finding, serious=False)
    return finding


def _missing(one: Listed, path: Path) -> Finding:
    what = f"{path.name} line {one.line} names this clip, and {one.dataset} as it lies here does not give it"
    return Finding("listed clip missing", f"{one.dataset}/{one.subject}/{one.clip}", what, serious=True)


def _differs(clip: Clip, one: Listed) -> list[Finding]:
    """What to say where the database's own label is of another class than the list's."""
    own = SCHEMES["megc-3"].of.get(clip.emotion)
    if own == one.emotion:
        return []
    what = f"labelled {clip.emotion} here and {one.emotion} in the list, which is taken"
    return [Finding("label differs from the list", clip.key, what)]


def _counts(clips: list[Clip], listed: list[Listed]) -> dict[str, str]:
    """Clips and people of each database beside the official numbers."""
    there = Counter(clip.dataset for clip in clips)
    people = Counter(person.split("/")[0] for person in {clip.person for clip in clips})
    parts = [
        f"{name} {there[name]} of {PARTS[name][0]} clips, {people[name]} of {PARTS[name][1]} people"
        for name in PARTS
    ]
    return {
        "clips": f"{len(clips)} of {len(listed)} in the list, {counted(people.total(), 'person', 'people')}",
        "parts": "; ".join(parts),
    }


def megc2019(databases: Mapping[str, Dataset]) -> Dataset:
    """The composite as a database, over the loaders of its three parts."""
    return Dataset(
        name="megc2019",
        title="MEGC2019",
        read=lambda root, selection: read(root, selection, databases),
        fps=0.0,
        published=PUBLISHED,
        people=68,
        counted="the organisers' list; certain",
        apply="https://github.com/Facial-Micro-ExpressionGC/MEGC2019",
        takes={"list": (), "tree": ("cropped", "raw")},
    )
