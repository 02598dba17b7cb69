"""Select the motion images that a report shows, and withhold those that it must not show.

A motion image can still show the edges of a face. Images of people whose licence forbids publication are
therefore always withheld, motion image and face. Faces of other people are shown only on request.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from learnet.core.errors import LearnetError
from learnet.core.printable import stored_path
from learnet.core.records import Outcome
from learnet.datasets.licences import may_be_published
from learnet.datasets.prepared.store import PreparedDataset
from learnet.report.study_record import StudyRecord
from learnet.report.style import png_uri
from learnet.video.reader import read_frames


@dataclass(frozen=True)
class Shot:
    """One clip in a gallery."""

    clip: str
    truth: str
    prediction: str
    score: float  # of the prediction, 0..1; averaged over seeds
    image: str | None  # `data:` URI of the motion image; None in an anonymous page
    face: str | None  # `data:` URI of the onset face


@dataclass(frozen=True)
class Shelf:
    """The clips of one class that are shown, and the number of its clips."""

    emotion: str
    right: tuple[Shot, ...]
    wrong: tuple[Shot, ...]
    clips: int
    answered_right: int


@dataclass(frozen=True)
class Gallery:
    """Motion images of correct and wrong predictions, by class."""

    shelves: tuple[Shelf, ...]
    withheld: tuple[str, ...]  # people whose images may not be published
    notes: tuple[str, ...]  # reasons why something is not shown


def gallery(record: StudyRecord, each: int, show_faces: bool = False, anonymous: bool = False) -> Gallery:
    """Select the correct and the wrong predictions with the highest scores of each class.

    Ties are broken by clip name.

    Args:
        record: a study.
        each: maximum number of correct, and of wrong, predictions for each class.
        show_faces: also show the onset face, read from the clip, if it can be read.
        anonymous: omit the motion images, which can show the edges of a face.
    """
    answers = record.answers
    about = record.prepare_record
    people = {outcome.person for outcome in answers}
    withheld = tuple(sorted(person for person in people if not may_be_published(person, about)))
    if record.prepared is None:
        return Gallery((), withheld, ())
    if not record.looks:
        note = f"{record.name} makes the same prediction for every image; its images are not shown."
        return Gallery((), withheld, (note,))
    prepared = record.prepared
    rows = {str(clip): row for row, clip in enumerate(prepared.clips["clip"])}
    shown = _publishable(answers, prepared, rows)
    unreadable: list[str] = []

    def shots(outcomes: Sequence[Outcome]) -> tuple[Shot, ...]:
        best = sorted(outcomes, key=lambda o: (-max(o.scores), o.clip))[:each]
        result = []
        for outcome in best:
            shot = _shot(outcome, prepared, rows[outcome.clip], show_faces, anonymous)
            if show_faces and shot.face is None:
                unreadable.append(outcome.clip)
            result.append(shot)
        return tuple(result)

    shelves = []
    for emotion in record.classes:
        predictions = [o.prediction for o in answers if o.truth == emotion]
        if not predictions:
            continue
        right = shots([o for o in shown if o.truth == emotion == o.prediction])
        wrong = shots([o for o in shown if o.truth == emotion != o.prediction])
        shelves.append(Shelf(emotion, right, wrong, len(predictions), predictions.count(emotion)))
    notes = []
    if unreadable:
        notes.append(f"No onset face could be read for {len(unreadable)} clips (first: {unreadable[0]}).")
    return Gallery(tuple(shelves), withheld, tuple(notes))


def _publishable(
    outcomes: Sequence[Outcome], prepared: PreparedDataset, rows: dict[str, int]
) -> list[Outcome]:
    """Return the outcomes whose images exist and may be shown."""
    # The prepared folder is checked too: an edited outcomes.csv may name a clip under another person.
    owners = prepared.clips["person"]
    result = []
    for outcome in outcomes:
        if outcome.clip not in rows or not may_be_published(outcome.person, prepared.record):
            continue
        if may_be_published(str(owners.iloc[rows[outcome.clip]]), prepared.record):
            result.append(outcome)
    return result


def _shot(outcome: Outcome, prepared: PreparedDataset, row: int, show_faces: bool, anonymous: bool) -> Shot:
    face = _onset_face(prepared, row) if show_faces else None
    image = None if anonymous else png_uri(prepared.images[row])
    return Shot(outcome.clip, outcome.truth, outcome.prediction, max(outcome.scores), image, face)


def _onset_face(prepared: PreparedDataset, row: int) -> str | None:
    """Return the onset face of a clip as a `data:` URI; None if it cannot be read."""
    clip = prepared.clips.iloc[row]
    try:
        onset = int(clip["onset"])
        return png_uri(read_frames(stored_path(str(clip["path"])), onset, onset)[0])
    except (LearnetError, ValueError):  # the clip was moved, or the image was imported without a clip
        return None
