"""Commands that show why a network answers as it does."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from cyclopts import App

from learnet.cli import console
from learnet.cli.app import STUDIES, app
from learnet.core.errors import LearnetError
from learnet.core.output_checks import check_room_above
from learnet.core.settings import Windows

explain = App(
    name="explain",
    group=STUDIES,
    help="Show why a network answers as it does: pictures as PNG and SVG, their numbers as CSV.",
)
app.command(explain)


@explain.command(name="clip")
def of_clip(
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
    """Draw what the network saw in one clip, layer by layer, and where it looked for its answer.

    Parameters
    ----------
    source
        Study folder: the clip is explained by the network that did not know its person. Or prepared folder, with --weights.
    clip
        The clip as clips.csv names it: DATASET/SUBJECT/NAME.
    out
        Folder for the pictures.
    stage
        Stage whose maps are drawn, and of the class activation; a wrong name lists those there are.
    anonymous
        Show nothing of the person: coarse maps on a line-drawn average face, in place of the motion image.
    weights
        Checkpoint, where SOURCE is a prepared folder.
    seed
        Run of the study; the first if not given.
    """
    from learnet.report.explain.activation_figures import write_figures
    from learnet.report.explain.clips import open_explained_clips
    from learnet.report.explain.figures import attribution_figures, clip_figures

    check_room_above(out / "x")
    case = open_explained_clips(source, weights, seed).get(clip)
    console.paths(
        *write_figures(
            out, clip_figures(case, stage, anonymous) | attribution_figures(case, stage, anonymous)
        )
    )
    if case.placement is None:
        console.out.print(
            "Where the face lies in these images is not known, so nothing is summed per part of the face."
        )
    for note in case.notes:
        console.out.print(f"Mind: {note}.", markup=False)


@explain.command(name="class")
def of_class(
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
    """Draw the mean response of a stage over all clips of one class.

    Parameters
    ----------
    source
        Study folder, or prepared folder with --weights.
    name
        The class; a wrong name lists those there are.
    out
        Folder for the pictures.
    stage
        Stage whose maps are drawn; a wrong name lists those there are.
    anonymous
        Show nothing of the person: coarse maps on a line-drawn average face, in place of the motion image.
    weights
        Checkpoint, where SOURCE is a prepared folder.
    seed
        Run of the study; the first if not given.
    """
    from learnet.report.explain.activation_figures import write_figures
    from learnet.report.explain.clips import open_explained_clips
    from learnet.report.explain.figures import class_figures

    check_room_above(out / "x")
    console.paths(
        *write_figures(
            out, class_figures(open_explained_clips(source, weights, seed).of_class(name), stage, anonymous)
        )
    )


@explain.command(name="networks")
def of_networks(
    *studies: Path, out: Path, clip: tuple[str, ...] = (), depth: int = 2, anonymous: bool = False
) -> None:
    """Draw the two strongest maps of several networks side by side, a row per clip, brows and eyes boxed, the mouth ringed.

    Parameters
    ----------
    studies
        Studies of the same prepared folder, one per network.
    out
        Folder for the pictures.
    clip
        A clip to show (may be given several times); the first of each class if none is named.
    depth
        How often the image has been halved where the maps are taken: 1 to 5.
    anonymous
        Show nothing of the person: coarse maps on a line-drawn average face, in place of the motion image.
    """
    from learnet.report.explain.activation_figures import write_figures
    from learnet.report.explain.clips import open_explained_clips
    from learnet.report.explain.figures import network_figures

    if not studies:
        raise LearnetError("No study is named.", "Name at least one study folder.")
    check_room_above(out / "x")
    sources = [(study.resolve().name, open_explained_clips(study)) for study in studies]
    console.paths(*write_figures(out, network_figures(sources, clip, depth, anonymous)))


@explain.command(name="measure")
def of_movement(
    *weights: Path, out: Path, people: int = 10, depth: int = 2, part: float = 0.25, seed: int = 0
) -> None:
    """Measure how much of each network's response lies where the face truly moves, on synthetic people nobody has learned from.

    Parameters
    ----------
    weights
        Checkpoints that take the same images.
    out
        Folder for the figure and the numbers.
    people
        Synthetic people, each with a clip of each of five emotions.
    depth
        How often the image has been halved where the response is taken: 1 to 5.
    part
        A place counts as moving from this share of the clip's largest displacement on.
    seed
        Another one gives other people.
    """
    from learnet.metrics.scores import interval_text
    from learnet.report.explain.activation_figures import write_figures
    from learnet.report.explain.figures import measurement_figures

    check_room_above(out / "x")
    with console.bar("Filming strangers") as progress:
        plates = measurement_figures(weights, people, depth, part, seed, progress)
    found = plates["measured"].table
    rows = [
        [row.look, f"{row.share:.3f} {interval_text(row.low, row.high, number='{:.3f}'.format)}", f"{row.times_even:.2f}",
         "" if row.more != row.more else f"{row.more:+.3f} {interval_text(row.more_low, row.more_high, number='{:+.3f}'.format)}"]
        for row in found.itertuples()
    ]  # fmt: skip
    title = f"Share of the response where the face moves, {found['area'].iloc[0]:.1%} of the image; {found['clips'].iloc[0]} clips"
    console.table(title, ["network, stage", "share", "times even", "more than the first"], rows)
    console.paths(*write_figures(out, plates))


@explain.command(name="temporal")
def of_time(
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
    """Draw a clip over time: its frames, their weights in the motion image, the movement, and the answer as the window's end moves.

    Parameters
    ----------
    source
        Video file, or folder of images; or with --clip a study folder, or a prepared folder with --weights.
    out
        Folder for the pictures.
    clip
        Clip of the study, as clips.csv names it: DATASET/SUBJECT/NAME.
    weights
        Checkpoint; without it, for a video, the weights that come with learnet.
    seed
        Run of the study; the first if not given.
    onset
        Number of the onset frame of a video, which is read from there: its file's in a folder, in a video from 0. A database knows its own.
    apex
        Number of the apex frame; without it the apex is found from motion.
    offset
        Number of the offset frame, to which the video is read.
    window_s
        Length of a window that slides, in seconds. Without it the window begins at the onset and grows; in a video of more than a second
        it is half a second long.
    fps
        True frame rate, where the video is wrong about it; a folder of images carries none (25 is taken, and said).
    show_faces
        Show the faces, and not only how they change. Check in your licence whether they may be published; some are never shown.
    anonymous
        Show nothing of the person: how much changes, on a line-drawn average face.
    face
        Of a video: auto finds the face, none takes the frames as face crops.
    face_model
        The YuNet face model; without one the built-in Haar cascades are used.
    """
    from learnet.report.explain.activation_figures import write_figures
    from learnet.report.explain.clips import open_explained_clips
    from learnet.report.explain.figures import explain_clip_temporal, explain_video_temporal
    from learnet.report.explain.temporal import segment_of_video
    from learnet.report.explain.temporal_figure import temporal_figure
    from learnet.training.pretrained import pretrained_weights

    if show_faces and anonymous:
        raise LearnetError("A face cannot be shown and hidden.", "Give --show-faces or --anonymous.")
    if clip is None and any((source / name).is_file() for name in ("study.json", "prepare.json")):
        raise LearnetError(f"{source} holds many clips, and one is drawn.", "Name it with --clip.")
    if clip is not None and (
        face != "auto" or any(given is not None for given in (onset, apex, offset, fps))
    ):
        raise LearnetError(
            "A database knows face, onset, apex, offset and frame rate of its clips.",
            "Give them for a video only.",
        )
    check_room_above(out / "x")
    windows = None if window_s is None else Windows(window_s=window_s)
    with console.bar("Answering windows") as progress:
        if clip is not None:
            seen = explain_clip_temporal(
                open_explained_clips(source, weights, seed), clip, windows, face_model, progress
            )
        else:
            weights = weights or pretrained_weights("learnet", "flow", 28)
            stretch = replace(segment_of_video(source, onset, apex, offset, fps), cropped=face == "none")
            seen = explain_video_temporal(stretch, weights, windows, face_model, progress)
    console.paths(
        *write_figures(
            out,
            {"temporal": temporal_figure(seen, "faces" if show_faces else "lines" if anonymous else "change")},
        )
    )
    for note in seen.notes:
        console.out.print(f"Mind: {note}.", markup=False)
