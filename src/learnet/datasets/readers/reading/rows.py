"""Rows of label workbooks as records: parsing their cells and dropping repeated ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from learnet.core.labels import parse_emotion
from learnet.core.records import Finding
from learnet.datasets.readers.reading.cells import is_missing, whole_number
from learnet.datasets.readers.reading.folder_names import FolderKey, normalise_name, subject_number

COLUMNS = {
    "subject": ("subject", "sub", "subjects"),
    "name": ("filename", "file", "filenames"),
    "onset": ("onsetframe", "onset"),
    "apex": ("apexframe", "apex"),
    "offset": ("offsetframe", "offset"),
    "action_units": ("actionunits", "actionunit", "aus", "au"),
    "emotion": ("estimatedemotion", "emotion", "estimatedemotions", "emotions"),
}
"""`TableSchema.columns` with the headers of CASME II, which later databases adopted."""

REQUIRED = ("subject", "name", "onset", "apex", "offset", "emotion")
"""`TableSchema.required`: the fields that make a clip."""


@dataclass(frozen=True)
class LabelRow:
    """The label of one clip. A field is None where the workbook does not give it."""

    subject: str  # as Clip.subject
    name: str
    emotion: str
    onset: int | None  # frame
    apex: int | None  # frame
    offset: int | None  # frame, inclusive

    location: str
    """Where the row is, for messages: "CASME2-coding-20140508.xlsx row 12"."""

    action_units: str = ""

    apex_source: str = "file"
    """"repaired" where `apex` is a published repair."""

    kind: str = "micro"  # as Clip.kind
    also: str = ""  # as Clip.also

    folder_name: str = ""
    """What identifies the clip's folder where its name does not, as with several clips in one folder."""

    duration: int | None = None
    """Number of frames from onset to offset that the workbook gives, used to check both."""

    whole_folder: bool = False
    """No frames are labelled: the clip lasts from the first image of its folder to the last."""


def key_by_subject_and_name(row: LabelRow) -> FolderKey:
    """Return the key of folders SUBJECT/CLIP."""
    return (row.subject, normalise_name(row.name))


def key_by_name(row: LabelRow) -> FolderKey:
    """Return the key of folders whose name alone identifies the clip."""
    return (normalise_name(row.name),)


class NoSubject(ValueError):
    """A cell of the column for the subject is nobody's number, as in a legend or a total below the rows."""


def subject_in_row(cells: Mapping[str, str], expected: int | None = None) -> int:
    """Return the number of the subject in a row.

    Args:
        cells: field -> text.
        expected: number of the subject after whom the clip is named, None where it is named after nobody.

    Raises:
        NoSubject: there is no number.
        ValueError: it is not the expected one.
    """
    number = subject_number(cells["subject"])
    if number is None:
        raise NoSubject(f"{cells['subject']!r} is not a subject's number")
    if expected not in (None, number):
        raise ValueError(
            f"subject {cells['subject']} cannot have the clip {cells['name']}, which is another's; "
            "are the columns shifted?"
        )
    return number


def emotion_in_row(cells: Mapping[str, str], location: str) -> str:
    """Return the emotion in a row, one of `labels.EMOTIONS`.

    Raises:
        ValueError: there is none.
        UnknownLabel: it is unknown.
    """
    if is_missing(cells["emotion"]):
        raise ValueError("no emotion is given")
    return parse_emotion(cells["emotion"], location)


def row_from_cells(cells: Mapping[str, str], location: str, subject: str) -> LabelRow:
    """Convert cells in the columns of `COLUMNS` to a row.

    Args:
        cells: field -> text.
        location: where the row is, for messages.
        subject: as the database writes it.

    Raises:
        ValueError: there is no emotion, or a frame is not a number.
        UnknownLabel: the emotion is unknown.
    """
    return LabelRow(
        subject=subject,
        name=cells["name"],
        emotion=emotion_in_row(cells, location),
        onset=whole_number(cells["onset"]),
        apex=whole_number(cells["apex"]),
        offset=whole_number(cells["offset"]),
        location=location,
        action_units=cells["action_units"],
    )


def drop_repeated_rows(rows: list[LabelRow], dataset: str) -> tuple[list[LabelRow], list[Finding]]:
    """Keep the first row of each clip. A repetition is a serious finding where it says something else.

    Names that differ in case or Unicode form only are of one clip, because they match the same folder.
    """
    kept: dict[FolderKey, LabelRow] = {}
    findings = []
    for row in rows:
        key = (normalise_name(row.subject), normalise_name(row.name))
        first = kept.setdefault(key, row)
        if first is row:
            continue
        as_first = replace(row, location=first.location, subject=first.subject, name=first.name)
        is_equal = as_first == first
        difference = "" if is_equal else " and says something else"
        message = f"{row.location} repeats {first.location}{difference}; the first is used"
        clip = f"{dataset}/{row.subject}/{row.name}"
        findings.append(Finding("row twice", clip, message, serious=not is_equal))
    return list(kept.values()), findings
