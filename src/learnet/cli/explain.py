"""Commands that explain predictions."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from cyclopts import App

from learnet.cli import console
from learnet.cli.app import STUDIES, app
from learnet.core.errors import LearnetError
from learnet.core.files import absolute_path
from learnet.core.output_checks import check_room_above
from learnet.core.settings import Windows

explain = App(
    name="explain",
    group=STUDIES,
    help="Explain predictions of a network: figures as PNG and SVG, their numbers as CSV.",
)
app.command(explain)


@explain.command(name="clip")
def explain_clip(  # noqa: PLR0913 (options)
    source: Path,
    clip: str,
    out: Path,
    /,
    *,
    stage: str | None = None,
    anonymous: bool = False,
    weights: Path | None = None,
    seed: int | None = None,
) -> None:
    """Draw the activations of a network for one clip, and attributions of its prediction.

    Parameters
    ----------
    source
        Study folder: the clip is explained by the network that was not trained on its person. Or
        prepared folder, with --weights.
    clip
        Name of the clip in clips.csv: DATASET/SUBJECT/NAME.
    out
        Folder for the figures.
    stage
        Stage whose maps are drawn, and of Grad-CAM; an unknown name lists the valid ones.
    anonymous
        Show nothing of the person: coarse maps over a line drawing of the average face, in place of the
        motion image.
    weights
        Checkpoint, if SOURCE is a prepared folder.
    seed
        Seed of a run of the study; by default the first.
    """
    from learnet.inference.action_units import shipped_action_units
    from learnet.report.explain.clip_units import add_units
    from learnet.report.explain.clips import open_explained_clips
    from learnet.report.explain.explanation_figure import write_figures
    from learnet.report.explain.figures import attribution_figures, clip_figures

    check_room_above(out / "x")
    clips = open_explained_clips(source, weights, seed)
    explained = add_units(clips.get(clip), clips.prepared, shipped_action_units())
    figures = clip_figures(explained, stage, anonymous) | attribution_figures(explained, stage, anonymous)
    console.paths(*write_figures(out, figures))
    if explained.placement is None:
        console.out.print(
            "The position of the face in these images is unknown, so nothing is summed per region."
        )
    _print_notes(explained.notes)


@explain.command(name="class")
def explain_class(  # noqa: PLR0913 (options)
    source: Path,
    name: str,
    out: Path,
    /,
    *,
    stage: str | None = None,
    anonymous: bool = False,
    weights: Path | None = None,
    seed: int | None = None,
) -> None:
    """Draw the mean activation of a stage over all clips of one class.

    Parameters
    ----------
    source
        Study folder, or prepared folder with --weights.
    name
        The class; an unknown name lists the valid ones.
    out
        Folder for the figures.
    stage
        Stage whose maps are drawn; an unknown name lists the valid ones.
    anonymous
        Show nothing of the person: coarse maps over a line drawing of the average face, in place of the
        motion image.
    weights
        Checkpoint, if SOURCE is a prepared folder.
    seed
        Seed of a run of the study; by default the first.
    """
    from learnet.report.explain.clips import open_explained_clips
    from learnet.report.explain.explanation_figure import write_figures
    from learnet.report.explain.figures import class_figures

    check_room_above(out / "x")
    clips = open_explained_clips(source, weights, seed).of_class(name)
    console.paths(*write_figures(out, class_figures(clips, stage, anonymous)))


@explain.command(name="networks")
def explain_networks(
    *studies: Path, out: Path, clip: tuple[str, ...] = (), depth: int = 2, anonymous: bool = False
) -> None:
    """Draw the two strongest maps of several networks side by side, in a row per clip.

    Parameters
    ----------
    studies
        Studies of the same prepared folder, one per network.
    out
        Folder for the figures.
    clip
        Clip to draw; may be repeated. By default the first clip of each class.
    depth
        Number of halvings of the image at which the maps are taken: 1 to 5.
    anonymous
        Show nothing of the person: coarse maps over a line drawing of the average face, in place of the
        motion image.
    """
    from learnet.report.explain.clips import open_explained_clips
    from learnet.report.explain.explanation_figure import write_figures
    from learnet.report.explain.figures import network_figures

    if not studies:
        raise LearnetError("No study is named.", "Name at least one study folder.")
    check_room_above(out / "x")
    sources = [(absolute_path(study).name, open_explained_clips(study)) for study in studies]
    console.paths(*write_figures(out, network_figures(sources, clip, depth, anonymous)))


@explain.command(name="measure")
def measure_activation(
    *weights: Path, out: Path, people: int = 10, depth: int = 2, part: float = 0.25, seed: int = 0
) -> None:
    """Measure the share of each network's activation that lies where the face moves, on synthetic people.

    Parameters
    ----------
    weights
        Checkpoints that accept the same images.
    out
        Folder for the figure and the numbers.
    people
        Number of synthetic people, each with a clip of each of five emotions. No network was trained on
        them.
    depth
        Number of halvings of the image at which the activation is taken: 1 to 5.
    part
        A pixel is moving from this share of the largest displacement of the clip.
    seed
        Another seed gives other people.
    """
    from learnet.metrics.scores import interval_text
    from learnet.report.explain.explanation_figure import write_figures
    from learnet.report.explain.figures import measurement_figures

    check_room_above(out / "x")
    with console.bar("Rendering clips") as progress:
        figures = measurement_figures(weights, people, depth, part, seed, progress)
    summary = figures["measured"].table
    rows = []
    for row in summary.itertuples():
        share = f"{row.share:.3f} {interval_text(row.low, row.high, number='{:.3f}'.format)}"
        difference = ""
        if row.more == row.more:  # NaN for the first network
            interval = interval_text(row.more_low, row.more_high, number="{:+.3f}".format)
            difference = f"{row.more:+.3f} {interval}"
        rows.append([row.look, share, f"{row.times_even:.2f}", difference])
    area, clips = summary["area"].iloc[0], summary["clips"].iloc[0]
    title = f"Share of the activation where the face moves, {area:.1%} of the image; {clips} clips"
    console.table(title, ["network, stage", "share", "share / area", "more than the first"], rows)
    console.paths(*write_figures(out, figures))


@explain.command(name="temporal")
def explain_time(  # noqa: PLR0913 (options)
    source: Path,
    out: Path,
    /,
    *,
    clip: str | None = None,
    weights: Path | None = None,
    seed: int | None = None,
    onset: int | None = None,
    apex: int | None = None,
    offset: int | None = None,
    window_s: float | None = None,
    fps: float | None = None,
    show_faces: bool = False,
    anonymous: bool = False,
    face: Literal["auto", "none"] = "auto",
    face_model: Path | None = None,
) -> None:
    """Draw a clip over time: frames, their weights in the motion image, movement, and predictions.

    Parameters
    ----------
    source
        Video file, or folder of images. With --clip a study folder, or a prepared folder with --weights.
    out
        Folder for the figure.
    clip
        Clip of the study, named as in clips.csv: DATASET/SUBJECT/NAME.
    weights
        File of `learnet train` or, for a video, of `learnet export`; or the name of shipped weights. For a
        video the default is mlp-cnn-flow-28, as in `learnet predict`.
    seed
        Seed of a run of the study; by default the first.
    onset
        Number of the onset frame of a video, which is read from there. Frames of a folder have the
        numbers of their files, those of a video count from 0.
    apex
        Number of the apex frame of a video; by default it is detected from the movement.
    offset
        Number of the offset frame of a video, which is read up to there.
    window_s
        Length of a sliding window in seconds. By default the window begins at the onset and grows; in a
        video of more than a second without --onset it slides and is half a second long.
    fps
        Frame rate, where the video states a wrong one. For a folder of images the default is 25.
    show_faces
        Draw the faces, not only their changes. Check in your licence whether they may be published; some
        are never drawn.
    anonymous
        Show nothing of the person: coarse changes over a line drawing of the average face.
    face
        For a video: "auto" detects the face, "none" uses the frames as face crops.
    face_model
        File of the YuNet face model; by default the built-in Haar cascades are used.
    """
    from learnet.report.explain.explanation_figure import write_figures
    from learnet.report.explain.temporal import explain_clip_temporal, explain_video_temporal
    from learnet.report.explain.temporal_figure import temporal_figure
    from learnet.report.explain.temporal_segments import segment_of_video
    from learnet.training.pretrained import default_weights

    strip = _strip(show_faces, anonymous)
    video_options = face != "auto" or any(option is not None for option in (onset, apex, offset, fps))
    _check_source(source, clip, video_options)
    check_room_above(out / "x")
    windows = None if window_s is None else Windows(window_s=window_s)
    with console.bar("Scoring windows") as progress:
        if clip is not None:
            from learnet.report.explain.clips import open_explained_clips  # loads PyTorch

            clips = open_explained_clips(source, weights, seed)
            explanation = explain_clip_temporal(clips, clip, windows, face_model, progress)
        else:
            weights = weights or default_weights()
            segment = replace(segment_of_video(source, onset, apex, offset, fps), cropped=face == "none")
            explanation = explain_video_temporal(segment, weights, windows, face_model, progress)
    console.paths(*write_figures(out, {"when": temporal_figure(explanation, strip)}))
    console.out.print(f"{explanation.answer}.", markup=False)
    _print_notes(explanation.notes)


def _strip(show_faces: bool, anonymous: bool) -> Literal["change", "faces", "lines"]:
    """Return what the strip of frames shows."""
    if show_faces and anonymous:
        raise LearnetError(
            "Faces cannot be shown and hidden at once.", "Give either --show-faces or --anonymous."
        )
    if show_faces:
        return "faces"
    return "lines" if anonymous else "change"


def _check_source(source: Path, clip: str | None, video_options: bool) -> None:
    """Refuse a folder of many clips without --clip, and options of videos with it."""
    if clip is None:
        if (source / "study.json").is_file() or (source / "prepare.json").is_file():
            raise LearnetError(f"{source} holds many clips, and one is drawn.", "Name it with --clip.")
    elif video_options:
        raise LearnetError(
            "--face, --onset, --apex, --offset and --fps of a clip are recorded in its database.",
            "Give them for a video only.",
        )


def _print_notes(notes: tuple[str, ...]) -> None:
    for note in notes:
        console.out.print(f"Note: {note}.", markup=False)
