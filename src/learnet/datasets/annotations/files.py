"""Read and write annotation files of any format."""

from collections.abc import Callable, Sequence
from pathlib import Path

from learnet.core.csv_files import decode_text, read_csv_rows
from learnet.core.errors import BadInput, OutputTaken
from learnet.core.files import atomic_file, check_input, shortened_list, write_atomically
from learnet.core.records import Event
from learnet.core.serialisation import parse_json
from learnet.datasets.annotations.boris import (
    boris_text,
    is_boris_export,
    read_boris_export,
    read_boris_project,
)
from learnet.datasets.annotations.elan import elan_text, read_elan
from learnet.datasets.annotations.predictions import read_predictions
from learnet.datasets.annotations.record import AnnotationFile, Entries, Recording, build_events
from learnet.datasets.annotations.tables import is_pyfeat_live, read_pyfeat_live, read_table, table_text
from learnet.datasets.annotations.textgrid import read_textgrid, save_textgrid
from learnet.datasets.annotations.webvtt import read_webvtt, webvtt_text

SUFFIXES = (".eaf", ".boris", ".vtt", ".textgrid", ".csv")
"""Suffixes of files that are written, in lower case."""

READ_SUFFIXES = (*SUFFIXES, ".json", ".tsv")
"""Suffixes of files that are read."""

TEXTS: dict[str, Callable[[Sequence[Event], Recording], str]] = {
    ".eaf": elan_text,
    ".boris": boris_text,
    ".vtt": webvtt_text,
    ".csv": lambda events, recording: table_text(events),
}
"""Suffix -> the function that returns the content of a file."""

UNKNOWN = Recording()

_ANY_RATE = 1000.0  # frames per second, to read files of which only the sources matter

_FORMATS = "ELAN (.eaf), BORIS (.boris, .json, .csv), Praat (.TextGrid), WebVTT (.vtt) or a table (.csv)"


def read_annotations(path: str | Path, recording: Recording = UNKNOWN) -> AnnotationFile:
    """Read the events of an annotation file.

    Args:
        path: ELAN (.eaf), a BORIS project (.boris, .json) or its aggregated events (.csv), WebVTT (.vtt),
            Praat (.TextGrid), a table of learnet, of pyfeat-live or of one's own (.csv, .tsv), or what
            `learnet predict` writes.
        recording: the video, to turn seconds into frames and to find events outside of it.

    Raises:
        BadInput: the file is missing, damaged or of another format; a value cannot be read; an onset is after
            its offset; an event is outside the video; or the frame rate is not known.
    """
    path = Path(path)
    check_input(path, f"Give {_FORMATS}.")
    return build_events(path, _read(path), recording)


def _read(path: Path) -> Entries:
    suffix = path.suffix.lower()
    if suffix == ".eaf":
        return read_elan(path)
    if suffix == ".vtt":
        return read_webvtt(path)
    if suffix == ".textgrid":
        return read_textgrid(path)
    if suffix in (".boris", ".json"):
        return _read_json(path)
    if suffix in (".csv", ".tsv"):
        return _read_table(path)
    raise BadInput(path, f"{suffix or 'no suffix'} is no format of annotations", f"Give {_FORMATS}.")


def _read_json(path: Path) -> Entries:
    try:
        content = parse_json(decode_text(path, path.read_bytes()))
    except ValueError as error:
        raise BadInput(path, f"this is not JSON ({error})", "Save it again in BORIS.") from None
    if isinstance(content, dict) and "observations" in content:
        return read_boris_project(path, content)
    if isinstance(content, dict) and "events" in content:
        return read_predictions(path, content)
    raise BadInput(path, "this is neither a BORIS project nor a prediction", f"Give {_FORMATS}.")


def _read_table(path: Path) -> Entries:
    text = decode_text(path, path.read_bytes())
    rows = [row for row in read_csv_rows(path, text, line_breaks=True) if any(row[1])]
    if not rows:
        raise BadInput(path, "it is empty", "Name the columns in the first line.")
    header = rows[0][1]
    if is_boris_export(header):
        return read_boris_export(path)
    if is_pyfeat_live(header):
        return read_pyfeat_live(path, rows)
    return read_table(path, rows)


def refuse_annotations_of_people(path: Path) -> None:
    """Refuse a file with anything else than events that learnet found: it would be lost.

    Raises:
        OutputTaken: with whose events they are.
    """
    if not path.is_file() or not path.stat().st_size:
        return
    try:
        events = read_annotations(path, Recording(fps=_ANY_RATE, variable_rate=True)).events
    except BadInput:
        raise OutputTaken(
            path, "this file exists and has no events of learnet", "Name another file."
        ) from None
    people = sorted({event.source for event in events} - {Event.source})
    if people:
        problem = f"it has events of {shortened_list(people)}, which would be lost"
        raise OutputTaken(path, problem, "Name another file.")


def write_annotations(path: Path, events: Sequence[Event], recording: Recording = UNKNOWN) -> None:
    """Write events in the format that the suffix of the file names.

    Args:
        path: .eaf, .boris, .vtt, .TextGrid or .csv.
        events: in any order.
        recording: the video, which ELAN and BORIS link to by its name.

    Raises:
        BadInput: the suffix is of no such format.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(path, "the suffix names no format of annotations", f"Use {', '.join(SUFFIXES)}.")
    if suffix == ".textgrid":
        with atomic_file(path) as draft:
            save_textgrid(draft, events, recording)
        return
    write_atomically(path, TEXTS[suffix](events, recording))
