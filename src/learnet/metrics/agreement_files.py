"""Agreement of the annotation files of two coders."""

from dataclasses import dataclass
from pathlib import Path

from learnet.datasets.annotations.pairs import FilePair, read_pairs
from learnet.datasets.annotations.record import Recording
from learnet.metrics.agreement import GRID_S, PAIR_IOU, Agreement, CodedRecording, agreement


@dataclass(frozen=True)
class ComparedCoders:
    """The agreement of two coders, and what to know to read it."""

    agreement: Agreement
    notes: tuple[str, ...]


def compare_coders(
    first: str | Path,
    second: str | Path,
    recording: Recording,
    grid_s: float = GRID_S,
    pair_iou: float = PAIR_IOU,
) -> ComparedCoders:
    """Compare the annotations of two coders.

    Args:
        first: annotation file, or a folder with one for each recording.
        second: the same; files of two folders belong together by their names.
        recording: the video (`describe_recording`), as far as it is known.
        grid_s: as in `agreement`.
        pair_iou: as in `agreement`.

    Raises:
        BadInput: a file cannot be read, or a recording has one file only.
        LearnetError: neither coder has any event, or the grid or the overlap is out of range.
    """
    pairs = read_pairs(Path(first), Path(second), recording)
    coded = [_coded(pair, recording) for pair in pairs]
    notes = []
    if len(pairs) == 1:
        notes.append("One recording: no intervals of F1 and kappa; those of the times are over the events.")
    if recording.frames is None:
        notes.append("Kappa ends with the last event of each recording: the length is not known (--video).")
    for pair in pairs:
        for annotated in (pair.first, pair.second):
            notes += [f"{annotated.path.name}: {note}" for note in annotated.notes]
    return ComparedCoders(agreement(coded, grid_s, pair_iou), tuple(notes))


def _coded(pair: FilePair, recording: Recording) -> CodedRecording:
    """Return a recording, which ends with its last event where its length is not known."""
    events = (*pair.first.events, *pair.second.events)
    duration_s = max((event.offset_s for event in events), default=0.0)
    if recording.frames and recording.fps:
        duration_s = (recording.frames - 1) / recording.fps
    return CodedRecording(pair.name, pair.first.events, pair.second.events, duration_s)
