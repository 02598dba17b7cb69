"""What `learnet predict` writes and prints about one video."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from learnet.cli import console
from learnet.cli.streams import print_json
from learnet.core.errors import BadInput, OutputTaken
from learnet.core.files import write_atomically
from learnet.core.serialisation import parse_json

if TYPE_CHECKING:
    from learnet.inference.recognition import Recognition


@dataclass(frozen=True)
class AnnotationFiles:
    """Files for annotation programs to which the events are written; None: not requested."""

    elan: Path | None = None
    """Also write the events for ELAN (.eaf)."""

    boris: Path | None = None
    """Also write the events as a BORIS project (.boris)."""

    vtt: Path | None = None
    """Also write the events as WebVTT subtitles (.vtt), which players show over the video."""

    textgrid: Path | None = None
    """Also write the events for Praat (.TextGrid)."""

    def check_suffixes(self) -> None:
        """Refuse a file whose name has the suffix of another program.

        Raises:
            BadInput: with the suffix.
        """
        suffixes = {"elan": ".eaf", "boris": ".boris", "vtt": ".vtt", "textgrid": ".TextGrid"}
        for option, suffix in suffixes.items():
            path = getattr(self, option)
            if path and path.suffix.lower() != suffix.lower():
                raise BadInput(path, f"--{option} writes a {suffix} file", f"Name it {path.stem}{suffix}.")

    def refuse_annotations_of_people(self) -> None:
        """Refuse files that have events of people.

        Raises:
            OutputTaken: with the file.
        """
        from learnet.datasets.annotations.files import refuse_annotations_of_people

        for path in self.paths:
            refuse_annotations_of_people(path)

    @property
    def paths(self) -> list[Path]:
        """The requested files."""
        return [path for path in (self.elan, self.boris, self.vtt, self.textgrid) if path]


NO_ANNOTATIONS = AnnotationFiles()


def refuse_other_json(output: Path | None) -> None:
    """Refuse a file that is no earlier prediction: it would be lost.

    Raises:
        OutputTaken: it is something else.
    """
    if output is None or not output.is_file() or not output.stat().st_size:
        return
    try:
        content = parse_json(output.read_bytes())
    except ValueError:
        content = None
    if not (isinstance(content, dict) and {"video", "events"} <= content.keys()):
        raise OutputTaken(output, "this file exists and is no prediction", "Name another file.")


def refuse_other_page(page: Path | None, windows: bool) -> None:
    """Refuse a file that is no earlier page of the same kind.

    Raises:
        OutputTaken: it is something else.
    """
    if page is None:
        return
    from learnet.report import event_page, recognition_page
    from learnet.report.page import refuse_other_page as refuse

    refuse(page, (recognition_page if windows else event_page).START)


def write_json(recognition: "Recognition", output: Path | None) -> None:
    """Write the JSON to a file, or to stdout."""
    text = recognition.to_json() + "\n"
    if output:
        write_atomically(output, text)
    else:
        print_json(text)


def write_figures(
    recognition: "Recognition", picture: Path | None, page: Path | None, anonymous: bool
) -> None:
    """Write the picture and the page that are requested."""
    if picture:
        from learnet.report.clip_figures import save_answer

        save_answer(recognition, picture)
    if page:
        from learnet.report.event_page import write_video_page

        write_video_page(recognition, page, anonymous)


def write_annotation_files(recognition: "Recognition", paths: Sequence[Path]) -> None:
    """Write the events to files of annotation programs."""
    from learnet.datasets.annotations.files import write_annotations
    from learnet.datasets.annotations.record import Recording

    video = Path(recognition.source).name
    recording = Recording(
        recognition.info.fps, frames=recognition.frames, name=video, unjudged=tuple(recognition.unjudged)
    )
    for path in paths:
        write_annotations(path, recognition.events, recording)


def print_events(recognition: "Recognition") -> None:
    """Print warnings, the events, one in a line, and how much could not be judged, on stderr."""
    from learnet.inference.emotion_criteria import criteria_sentence, emotions_from_units
    from learnet.inference.event_text import event_line, unjudged_text

    for warning in recognition.warnings:
        console.err.print(f"Warning: {warning}", markup=False)
    for event in recognition.events:
        console.err.print(event_line(event), markup=False)
        for sentence in (criteria_sentence(emotions_from_units(event.action_units)), event.reason):
            if sentence:
                console.err.print(f"{'':8}{sentence}", markup=False)
    if not recognition.events:
        reason = recognition.reason or recognition.label or ""
        sentence = reason if recognition.spotting else f"no expression: {reason}"
        console.err.print(f"{sentence[0].upper()}{sentence[1:]}.", markup=False)
    unjudged = unjudged_text(recognition.unjudged, recognition.judged_s, recognition.duration_s)
    if unjudged:
        console.err.print(unjudged, markup=False)
