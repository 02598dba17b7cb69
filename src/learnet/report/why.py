"""The section of a page on why a network predicts what it does.

It shows motion images of correct and wrong predictions and, if the study kept its weights, attribution maps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from learnet.core.errors import LearnetError
from learnet.core.extras import missing_library
from learnet.core.network_info import network_info
from learnet.report.gallery import Gallery, Shot, gallery
from learnet.report.page_figures import PageFigure, make_page_figure
from learnet.report.study_record import StudyRecord

if TYPE_CHECKING:
    from learnet.report.explain.clips import ExplainedClip

MAX_PICTURES = 96
"""On the whole page, which then stays under 10 MB: an image of 112 x 112 pixels takes at most 50 kB."""

MAX_PER_CLASS = 3  # correct predictions of each class, and as many wrong ones


@dataclass(frozen=True)
class Explained:
    """Attribution figures of some clips of a study."""

    drawings: tuple[PageFigure, ...]
    notes: tuple[str, ...]  # reasons why something is not shown


def reasons(records: Sequence[StudyRecord], show_faces: bool, clips: int, anonymous: bool = False) -> dict:
    """Return the content of the section.

    Args:
        records: studies over the same clips.
        show_faces: show onset faces beside the motion images.
        clips: number of explained clips on the whole page, divided among the studies.
        anonymous: show no motion images, and draw attribution maps on the average face.
    """
    pictures_per_clip = 2 if show_faces else 1
    sides = 2  # correct, wrong
    room = MAX_PICTURES // (sides * len(records[0].classes) * pictures_per_clip)
    shown = records[: max(room, 1)]  # only the first ones of very many studies
    per_class = max(1, min(MAX_PER_CLASS, room // len(shown)))
    clips_per_study = -(-clips // len(shown))
    galleries = []
    explained = {}
    for number, record in enumerate(shown, start=1):
        selected = gallery(record, per_class, show_faces, anonymous)
        galleries.append((record, selected))
        explained[record.name] = explain(record, selected, clips_per_study, number, anonymous)
    return {
        "galleries": galleries,
        "without_pictures": [record.name for record in records[len(shown) :]],
        "explained": explained,
        "drawings": [figure for part in explained.values() for figure in part.drawings],
    }


def explain(
    record: StudyRecord, selected: Gallery, clips: int, number: int, anonymous: bool = False
) -> Explained:
    """Draw attribution maps of the most confident correct and wrong predictions, each by the network of its
    fold.

    Args:
        record: a study; without weights nothing is drawn.
        selected: its gallery, which withholds people whose licence forbids publication.
        clips: maximum number of clips.
        number: of the study on the page, from 1.
        anonymous: draw on the average face instead of the motion image.
    """
    if not clips or not selected.shelves:
        return Explained((), ())
    if not any((record.folder / "folds").glob("*.safetensors")):
        return Explained((), (f"{_without_weights(record)}, so its attribution maps cannot be shown.",))
    try:
        # These load PyTorch and Captum, which a page without attribution maps does not need.
        from learnet.report.explain import attribution  # noqa: F401
        from learnet.report.explain.clips import open_explained_clips

        explained_clips = open_explained_clips(record.folder)
    except ModuleNotFoundError as error:
        missing = missing_library(error, "an attribution map")
        return Explained((), (f"No attribution maps for {record.name}: {missing}",))
    except LearnetError as error:
        return Explained((), (f"No attribution maps for {record.name}: {error}",))
    figures: list[PageFigure] = []
    notes: dict[str, None] = {}  # each once, in order
    for index, shot in enumerate(_most_confident(selected, clips), start=1):
        try:
            clip = explained_clips.get(shot.clip)
            figures.append(_attribution(record, clip, f"attribution-{number}-{index}", anonymous))
            if index == 1 and not _is_non_iterative(clip):
                figures.append(_responses(record, clip, f"layers-{number}", anonymous))
        except LearnetError as error:
            notes[f"No attribution map of {record.name} for {shot.clip}: {error}"] = None
    return Explained(tuple(figures), tuple(notes))


def _without_weights(record: StudyRecord) -> str:
    """Return why the folder of a study has no weights, as far as study.json says."""
    kept = record.settings.get("keep_weights")
    if kept is None:
        return f"{record.name} has no weights in its folder"
    if kept:
        return f"{record.name} kept the weights of its folds, but they are gone from its folder"
    return f"{record.name} kept no weights"


def _most_confident(selected: Gallery, clips: int) -> list[Shot]:
    """Return the most confident correct and wrong predictions in turn, each of another class."""
    right = _by_score(shelf.right[0] for shelf in selected.shelves if shelf.right)
    wrong = _by_score(shelf.wrong[0] for shelf in selected.shelves if shelf.wrong)
    shots = []
    for pair in zip_longest(right, wrong):
        shots += [shot for shot in pair if shot]
    return shots[:clips]


def _by_score(shots: Iterable[Shot]) -> list[Shot]:
    return sorted(shots, key=lambda shot: (-shot.score, shot.clip))


def _attribution(record: StudyRecord, clip: "ExplainedClip", name: str, anonymous: bool) -> PageFigure:
    """Draw attribution maps of the predicted class over the motion image or the average face."""
    from learnet.report.explain.activations import stage_at_depth
    from learnet.report.explain.attribution import grad_cam, integrated_gradients, occlusion
    from learnet.report.explain.attribution_figures import attribution_figure
    from learnet.report.explain.figures import DEPTH

    target = clip.metadata.classes.index(clip.prediction)
    maps = {}
    if _is_non_iterative(clip):
        maps["occlusion"] = occlusion(clip.module, clip.image, target)
    else:
        stage = stage_at_depth(clip.module, clip.metadata.size, DEPTH)
        maps[f"Grad-CAM, {stage}"] = grad_cam(clip.module, clip.image, target, stage)
        maps["occlusion"] = occlusion(clip.module, clip.image, target)
        maps["integrated gradients"] = integrated_gradients(clip.module, clip.image, target)
    figure = attribution_figure(maps, clip.background(anonymous), _title(clip))
    # A column per image column: the long form would be three times as large.
    table = figure.table.pivot(index=["method", "row"], columns="column", values="value").reset_index()
    background = "the average face" if anonymous else "the motion image"
    shown = f"{background}, then {', '.join(maps)} over it"
    description = f"Attribution maps of {record.name} for {clip.clip}: {shown}. {_title(clip)}."
    return make_page_figure(figure.figure, name, description, table, broad=len(maps) > 1)


def _responses(record: StudyRecord, clip: "ExplainedClip", name: str, anonymous: bool) -> PageFigure:
    """Draw how strongly each layer responds at each position."""
    from learnet.report.explain.activation_figures import network_figure
    from learnet.report.explain.activations import stage_activations

    strengths = stage_activations(clip.module, clip.image[None])
    figure = network_figure(strengths, clip.background(anonymous), _title(clip))
    description = (
        f"Responses of the layers of {record.name} to {clip.clip}: "
        f"mean magnitude of the feature maps of each stage. {_title(clip)}."
    )
    return make_page_figure(figure.figure, name, description, figure.table, broad=True)


def _is_non_iterative(clip: "ExplainedClip") -> bool:
    """Return whether the network has neither feature maps nor gradients."""
    return network_info(clip.metadata.network).non_iterative


def _title(clip: "ExplainedClip") -> str:
    return f"Truth {clip.truth}, prediction {clip.prediction} ({clip.scores.max():.2f})"
