"""Which motion images a report shows, and which it must not.

A motion image can still show the edges of a face. So people whose face a licence forbids to publish are left out altogether, motion
image and face, whatever is asked for; faces of the others are shown only where the caller asks for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from learnet.core.errors import LearnetError
from learnet.core.records import Outcome
from learnet.datasets.licences import may_be_shown
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
    image: str | None  # `data:` address of the motion image; None where people are hidden
    face: str | None  # `data:` address of the onset face


@dataclass(frozen=True)
class Shelf:
    """The clips of one class that are shown, and how many there are."""

    emotion: str
    right: tuple[Shot, ...]
    wrong: tuple[Shot, ...]
    clips: int
    answered_right: int


@dataclass(frozen=True)
class Gallery:
    """Motion images of right and wrong answers, class by class."""

    shelves: tuple[Shelf, ...]
    withheld: tuple[str, ...]  # people whose images may not be published
    notes: tuple[str, ...]  # why something is not shown


def gallery(record: StudyRecord, each: int, show_faces: bool = False, anonymous: bool = False) -> Gallery:
    """The surest right and the surest wrong answers of each class; equally sure ones in the order of their clip names.

    Args:
        record: a study.
        each: at most so many right and so many wrong ones for each class.
        show_faces: add the onset face, read from the clip itself, where it is still there.
        anonymous: leave out the motion images, which can show the edges of a face.
    """
    answers = record.answers
    withheld = tuple(sorted({o.person for o in answers if not may_be_shown(o.person)}))
    if record.prepared is None:
        return Gallery((), withheld, ())
    if not record.looks:
        return Gallery(
            (),
            withheld,
            (
                f"{record.name} answers whatever the images show, so pictures of its answers would say nothing.",
            ),
        )
    places = {str(clip): place for place, clip in enumerate(record.prepared.clips["clip"])}
    people = record.prepared.clips[
        "person"
    ]  # asked as well: a hand-made outcomes.csv may name a clip under another person
    shown = [
        o
        for o in answers
        if o.clip in places and o.person not in withheld and may_be_shown(str(people.iloc[places[o.clip]]))
    ]
    lost: list[str] = []
    shelves = []
    for emotion in record.classes:
        right = _surest([o for o in shown if o.truth == emotion == o.prediction], each)
        wrong = _surest([o for o in shown if o.truth == emotion != o.prediction], each)
        sides = [
            tuple(_shot(o, record.prepared, places[o.clip], show_faces, anonymous, lost) for o in side)
            for side in (right, wrong)
        ]
        clips = [o for o in answers if o.truth == emotion]
        shelves.append(
            Shelf(emotion, sides[0], sides[1], len(clips), sum(o.prediction == emotion for o in clips))
        )
    notes = (
        (f"No onset face could be read for {len(lost)} of the clips shown (first: {lost[0]}).",)
        if lost
        else ()
    )
    return Gallery(tuple(shelf for shelf in shelves if shelf.clips), withheld, notes)


def _surest(outcomes: Sequence[Outcome], each: int) -> list[Outcome]:
    return sorted(outcomes, key=lambda o: (-max(o.scores), o.clip))[:each]


def _shot(
    outcome: Outcome,
    prepared: PreparedDataset,
    place: int,
    show_faces: bool,
    anonymous: bool,
    lost: list[str],
) -> Shot:
    face = _onset_face(prepared, place) if show_faces else None
    if show_faces and face is None:
        lost.append(outcome.clip)
    image = None if anonymous else png_uri(prepared.images[place])
    return Shot(outcome.clip, outcome.truth, outcome.prediction, max(outcome.scores), image, face)


def _onset_face(prepared: PreparedDataset, place: int) -> str | None:
    row = prepared.clips.iloc[place]
    try:
        return png_uri(read_frames(Path(str(row["path"])), int(row["onset"]), int(row["onset"]))[0])
    except (LearnetError, ValueError):  # the clip has moved, or the image was imported without one
        return None
