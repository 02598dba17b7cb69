"""SMIC as its owners ship it: no workbook, the labels are names of folders, and a clip's folder holds it from onset to offset.

Three cameras filmed the same people (HS, VIS, NIR); there are crops and whole pictures of each. `docs/datasets/smic.md` says what is
assumed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from learnet.core.errors import BadInput
from learnet.core.labels import parse_emotion
from learnet.core.records import Clip, DatasetIndex, Finding
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.reading.dataset import Dataset
from learnet.datasets.readers.reading.folder_tree import (
    Key,
    Survey,
    Way,
    checked_root,
    listing,
    registered,
    same,
    subject_number,
    survey,
)
from learnet.datasets.readers.reading.matching import Row, Source
from learnet.datasets.readers.reading.reader import Folders, Placed, Plan, collect_from
from learnet.datasets.readers.reading.workbooks import Labels
from learnet.datasets.readers.smic_common import (
    CAMERAS,
    LABELS,
    SLOW,
    choose_camera,
    clip_key,
    coded,
    filmed_by,
    near,
    number_of,
    only,
    subject,
    unnamed,
)

PUBLISHED = {"negative": 70, "positive": 51, "surprise": 43}
"""Clips per emotion of the HS camera: 164 of 16 people, by the organisers' list of MEGC2019."""

TREES = ("cropped", "raw")
"""The owners' registered crops, on which most results rest; whole pictures."""

_NON_MICRO = re.compile("non[ _-]?micro")


@dataclass(frozen=True)
class Named:
    """What the names of the folders above a clip's images say of it."""

    above: int  # names above the tree of subjects
    person: int  # number, of the clip's name where it has one
    lies_with: int  # number of the subject's folder it lies in, or that of `person` where there is none
    kind: str  # "micro" or "none"
    label: str  # name of the folder that says the emotion; "" where none does
    name: str  # as on disk

    @property
    def key(self) -> Key:
        """What makes its folder findable; a clip with an expression may be called like one without."""
        return (subject(self.person), self.kind, clip_key(self.name))


def named(way: Sequence[str]) -> Named | None:
    """`…/s1/micro/negative/s1_ne_01` and `…/s1/non_micro/…`, doubled or with one more level below; None for the way to anything else.

    Below `micro` any folder counts whose subject is known; without that level only a clip called like s1_ne_01 does, in the folder of an
    emotion: long clips (SMIC-E) have no such folder.
    """
    names = [same(name) for name in way]
    place = next((place for place in reversed(range(len(names) - 1)) if _is_kind(names[place])), None)
    if place is not None:
        kind = "none" if _NON_MICRO.fullmatch(names[place]) else "micro"
        below = _undoubled(way[place + 1 :])
    else:
        place = next((place for place in reversed(range(len(names) - 1)) if names[place] in LABELS), None)
        if place is None or number_of(_undoubled(way[place + 1 :])[0]) is None:
            return None
        kind, below = "micro", _undoubled(way[place:])
    label, clip = _label_and_clip(kind, below)
    top = place
    while top and (_is_kind(names[top - 1]) or names[top - 1] in LABELS):
        top -= 1
    lies_with = subject_number(names[top - 1]) if top else None
    person = number_of(clip)
    if person is None:
        person = lies_with
    if person is None or not clip:
        return None
    while top and lies_with is not None and subject_number(names[top - 1]) == lies_with:
        top -= 1
    return Named(top, person, person if lies_with is None else lies_with, kind, label, clip)


def _is_kind(name: str) -> bool:
    return name == "micro" or _NON_MICRO.fullmatch(name) is not None


def _undoubled(way: Sequence[str]) -> list[str]:
    return [name for place, name in enumerate(way) if not place or same(name) != same(way[place - 1])]


def _label_and_clip(kind: str, below: list[str]) -> tuple[str, str]:
    """The folder of the emotion and the clip, "" where there is none. How clips of non_micro lie is not known: any way down is one."""
    if kind == "none":
        return "", "-".join(below)
    if number_of(below[0]) is not None:
        return "", below[0]
    clips = [name for name in below[1:] if number_of(name) is not None] or below[1:] or [""]
    return same(below[0]), clips[0]


def _row(way: Way) -> Row:
    found, where = named(way), "/".join(way)
    if found is None:
        raise ValueError("this is not the folder of a clip")
    if found.kind == "micro" and not found.label:
        raise ValueError(f"no folder says which of {', '.join(LABELS)} it is")
    word = parse_emotion(found.label, where) if found.kind == "micro" else "none"
    if word not in (*LABELS, "none"):
        raise ValueError(f"SMIC has no emotion {word}")
    return Row(subject(found.person), found.name, word, None, None, None, where, kind=found.kind, whole=True)


def _place(way: Sequence[str]) -> Placed | None:
    found = named(way)
    return Placed(found.above, found.key) if found else None


def _kind(folders: list[tuple[Row, Path]], root: Path) -> str:
    """By the prefix of the owners' crops, else by the nearest folder that says it."""
    if registered(folder for _, folder in folders[:20]):
        return "cropped"
    names = near(root, folders[0][1].relative_to(root).parts)
    says = next((word for name in reversed(names) for word in ("crop", "raw") if word in same(name)), "raw")
    return "cropped" if says == "crop" else "raw"


def _plan(camera: str, root: Path) -> Plan:
    def about(labels: Labels) -> dict[str, str]:
        rest = sum(row.kind == "none" for row in labels.rows)
        return {"camera": f"{camera}, {CAMERAS[camera]:g} frames per second", "clips of non_micro": str(rest)}

    return Plan(
        books=Folders(
            dataset="smic",
            title="SMIC",
            emotions=LABELS,
            row=_row,
            key=lambda row: (row.subject, row.kind, clip_key(row.name)),
        ),
        example="s1/micro/negative/s1_ne_01",
        place=only(camera, _place, root),
        trees=TREES,
        kind=lambda way, folders: _kind(folders, root),
        source=lambda tree: Source("smic", CAMERAS[camera], cropped=tree == "cropped"),
        about=about,
        published=PUBLISHED if camera == "HS" else SLOW,
    )


def read(root: Path, selection: DatasetSubset = DatasetSubset()) -> DatasetIndex:
    """Every clip of one camera of a SMIC folder; `collect` says how. The tree is one of TREES, the part one of CAMERAS.

    With all expressions the clips of non_micro come along, as kind and emotion "none".

    Raises:
        BadInput: what `collect` refuses; no clips of this camera; all expressions are asked for and there is no non_micro.
    """
    found = survey(checked_root(root))
    camera = choose_camera(found, _place, selection.part)
    reading = collect_from(found, selection, _plan(camera, found.root))
    if selection.expressions == "all" and all(clip.kind == "micro" for clip in reading.clips):
        raise BadInput(
            found.root, "there are no clips without an expression (non_micro)", "Leave out --expressions all."
        )
    doubts = [doubt for clip in reading.clips for doubt in _doubts(clip, found.root)]
    loose = _loose(found, camera, selection.expressions)
    strange = _strange(found, camera, reading.clips)
    return replace(
        reading,
        findings=[*reading.findings, *doubts, *loose, *strange, *unnamed(reading.clips, found.root, camera)],
    )


def _doubts(clip: Clip, root: Path) -> list[Finding]:
    """What the name of a clip says against the folders it lies in; there is no third to decide."""
    findings = []
    found = named(clip.path.relative_to(root).parts)
    if found and found.lies_with != found.person:
        what = f"it lies with {subject(found.lies_with)}, and its name is {subject(found.person)}'s, whose it is taken for"
        findings.append(Finding("folder and name differ", clip.key, what, serious=True))
    said = coded(clip.name)
    if clip.kind == "micro" and said != clip.emotion:
        what = f"it lies in {clip.emotion}, and its name says {said or 'no emotion'}; the folder is taken"
        findings.append(Finding("folder and name differ", clip.key, what, serious=True))
    return findings


def _loose(found: Survey, camera: str, expressions: str) -> list[Finding]:
    """Images that lie in the folder of a kind or an emotion itself, where clips should: which clip they are of nobody knows."""
    findings = []
    for way in found.leaves:
        names = [same(name) for name in way]
        kinds = [name for name in names if _is_kind(name)]
        if (
            not kinds
            or not (_is_kind(names[-1]) or names[-1] in LABELS)
            or filmed_by(found.root, way) not in (camera, None)
        ):
            continue
        wanted = expressions == "all" or kinds[-1] == "micro"
        if wanted and (there := listing(found.root.joinpath(*way))).images:
            what = "images lie here, not in the folder of a clip; they are not used"
            findings.append(Finding("images without clip", "/".join(way), what, serious=not there.folders))
    return findings


def _strange(found: Survey, camera: str, clips: Sequence[Clip]) -> list[Finding]:
    """Folders of a subject that stand where micro or non_micro should and are called otherwise: what lies in them may be either."""
    ways = [clip.path.relative_to(found.root).parts for clip in clips]
    tops = {(way[: there.above], way[there.above]) for way in ways if (there := named(way))}
    taken = {
        top
        for top, below in tops
        if len(top) > 1 and subject_number(below) is None and subject_number(top[-2]) is not None
    }
    left = set()
    for top in {top for top, _ in tops} - taken | {top[:-2] for top in taken}:
        for way in found.leaves:
            if (
                way[: len(top)] != top
                or len(way) < len(top) + 2
                or subject_number(way[len(top)]) is None
                or named(way)
            ):
                continue
            name, whose = way[len(top) + 1], filmed_by(found.root, way)
            known = (
                _is_kind(same(name))
                or same(name) in LABELS
                or number_of(name) is not None
                or subject_number(name) is not None
            )
            if not known and whose in (camera, None) and listing(found.root.joinpath(*way)).images:
                left.add(way[: len(top) + 2])
    words = "it stands where micro or non_micro should; "
    told = [(way, "its clips are taken for micro-expressions") for way in taken] + [
        (way, "nothing in it is used") for way in left - taken
    ]
    return [
        Finding("folder not known", "/".join(way), words + what, serious=True) for way, what in sorted(told)
    ]


SMIC = Dataset(
    name="smic",
    title="SMIC",
    read=read,
    fps=0.0,
    published=PUBLISHED,
    people=16,
    counted="camera HS, the organisers' list of MEGC2019; certain. VIS and NIR: 71 clips each, certain, of 8 people, likely",
    apply="https://www.oulu.fi/cmvs/node/41319",
    takes={"tree": TREES, "part": tuple(CAMERAS), "expressions": ("micro", "all")},
    signs=(
        r"(.*/)?micro/(negative|positive|surprise)/[^/]+(/[^/]+)?",
        r"(.*/)?s\d+/non[ _-]?micro/[^/]+(/[^/]+)?",
    ),
)
