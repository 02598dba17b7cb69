"""Why a network answers as it does: motion images of right and wrong answers, and where it looked, if the study kept its weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from learnet.core.errors import LearnetError
from learnet.core.network_info import network_info
from learnet.report.gallery import Gallery, Shot, gallery
from learnet.report.page_figures import PageFigure, make_page_figure
from learnet.report.study_record import StudyRecord

if TYPE_CHECKING:
    from learnet.report.explain.clips import ExplainedClip

MOST_PICTURES = (
    96  # on the whole page, so that it stays under 10 MB: one of 112 pixels square takes at most 50 kB
)
EACH = 3  # right ones, and as many wrong ones, of each class


@dataclass(frozen=True)
class Explained:
    """Where the networks of a study looked, in a few of its clips."""

    drawings: tuple[PageFigure, ...]
    notes: tuple[str, ...]  # why something is not shown


def reasons(records: Sequence[StudyRecord], show_faces: bool, clips: int, anonymous: bool = False) -> dict:
    """What the part about reasons shows.

    Args:
        records: studies over the same clips.
        show_faces: onset faces beside the motion images.
        clips: explained on the whole page, in which the studies share.
        anonymous: no motion images; where the network looked is drawn on the average face.
    """
    room = MOST_PICTURES // (
        2 * len(records[0].classes) * (2 if show_faces else 1)
    )  # pictures for each class and side, on all shelves
    shown = records[: max(room, 1)]  # the first studies only, where there are very many
    galleries = [
        (record, gallery(record, max(1, min(EACH, room // len(shown))), show_faces, anonymous))
        for record in shown
    ]
    share = -(-clips // len(shown))
    explained = {
        record.name: explain(record, found, share, place, anonymous)
        for place, (record, found) in enumerate(galleries, start=1)
    }
    return {
        "galleries": galleries,
        "without_pictures": [record.name for record in records[len(shown) :]],
        "explained": explained,
        "drawings": [one for found in explained.values() for one in found.drawings],
    }


def explain(
    record: StudyRecord, found: Gallery, clips: int, place: int, anonymous: bool = False
) -> Explained:
    """Draw where the network of each clip's own fold looked: by turns the surest right and the surest wrong answer of a class.

    Args:
        record: a study; nothing is drawn where it has no weights.
        found: its gallery, which has left out whom a licence hides.
        clips: at most so many.
        place: of the study on the page, from 1.
        anonymous: over the average face instead of the motion image.
    """
    if not clips or not found.shelves:
        return Explained((), ())
    if not any((record.folder / "folds").glob("*.safetensors")):
        return Explained((), (f"{_without_weights(record)}, so where it looked cannot be shown.",))
    from learnet.report.explain.clips import (
        open_explained_clips,  # torch loads here: a page about numbers alone needs none
    )

    try:
        cases = open_explained_clips(record.folder)
    except LearnetError as error:
        return Explained((), (f"Where {record.name} looked cannot be shown: {error}",))
    drawn: list[PageFigure] = []
    notes: dict[str, None] = {}  # each once, in their order
    for number, shot in enumerate(_chosen(found, clips), start=1):
        try:
            case = cases.get(shot.clip)
            drawn.append(_looked(record, case, f"looked-{place}-{number}", anonymous))
            if number == 1 and not _fitted(case):
                drawn.append(_answered(record, case, f"layers-{place}", anonymous))
        except LearnetError as error:
            notes[f"Where {record.name} looked in {shot.clip} cannot be shown: {error}"] = None
    return Explained(tuple(drawn), tuple(notes))


def _without_weights(record: StudyRecord) -> str:
    """Why no weights lie in the folder of a study, as far as study.json says."""
    kept = (record.about.get("settings") or {}).get("keep_weights")
    if kept is None:
        return f"{record.name} has no weights in its folder"
    return (
        f"{record.name} kept the weights of its folds, and they are gone from its folder"
        if kept
        else f"{record.name} kept no weights"
    )


def _chosen(found: Gallery, clips: int) -> list[Shot]:
    """The surest right and the surest wrong answers, by turns, each of another class."""
    right, wrong = (
        sorted((side[0] for side in sides if side), key=lambda shot: (-shot.score, shot.clip))
        for sides in ([shelf.right for shelf in found.shelves], [shelf.wrong for shelf in found.shelves])
    )
    turns = [shot for both in zip_longest(right, wrong) for shot in both if shot]
    return turns[:clips]


def _looked(record: StudyRecord, case: "ExplainedClip", name: str, anonymous: bool) -> PageFigure:
    """Attributions of the class that was answered, over the motion image or the average face."""
    from learnet.report.explain.activations import stage_at_depth
    from learnet.report.explain.attribution import grad_cam, integrated_gradients, occlusion
    from learnet.report.explain.attribution_figures import attribution_figure
    from learnet.report.explain.figures import DEPTH

    target = case.metadata.classes.index(case.prediction)
    maps = {"occlusion": occlusion(case.module, case.image, target)}
    if not _fitted(case):
        stage = stage_at_depth(case.module, case.metadata.size, DEPTH)
        maps = {f"Grad-CAM, {stage}": grad_cam(case.module, case.image, target, stage), **maps}
        maps["integrated gradients"] = integrated_gradients(case.module, case.image, target)
    plate = attribution_figure(maps, case.background(anonymous), _title(case))
    table = plate.table.pivot(
        index=["method", "row"], columns="column", values="value"
    ).reset_index()  # long, it were three times the size
    ground = "the average face" if anonymous else "the motion image"
    said = f"Where {record.name} looked in {case.clip}: {ground}, then {', '.join(maps)} over it. {_title(case)}."
    return make_page_figure(plate.figure, name, said, table, broad=len(maps) > 1)


def _answered(record: StudyRecord, case: "ExplainedClip", name: str, anonymous: bool) -> PageFigure:
    """How strongly each layer answers, place by place."""
    from learnet.report.explain.activation_figures import network_figure
    from learnet.report.explain.activations import stage_activations

    plate = network_figure(
        stage_activations(case.module, case.image[None]), case.background(anonymous), _title(case)
    )
    said = f"What the layers of {record.name} respond to in {case.clip}: of each stage the mean size of its maps. {_title(case)}."
    return make_page_figure(plate.figure, name, said, plate.table, broad=True)


def _fitted(case: "ExplainedClip") -> bool:
    """Whether the network has no layers with maps, and votes, which have no gradient."""
    return network_info(case.metadata.network).non_iterative


def _title(case: "ExplainedClip") -> str:
    return f"Truth {case.truth}, answer {case.prediction} ({case.scores.max():.2f})"
