"""Write the recognition of one video as a self-contained HTML page."""

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pandas as pd
from markupsafe import Markup

import learnet
from learnet.core.errors import counted
from learnet.core.output_checks import HTML, check_suffix
from learnet.core.records import ActionUnitScore, Event
from learnet.core.settings import Windows
from learnet.core.shipped_weights import weights_name
from learnet.inference.action_unit_text import facs_code, long_text, short_text, side_text
from learnet.inference.emotion_criteria import criteria_sentence, emotions_from_units
from learnet.inference.event_maps import MeasuredPair
from learnet.inference.event_text import regions_text
from learnet.inference.recogniser import SHORT
from learnet.inference.recognition import Recognition, timeline
from learnet.inference.timeline import Span, Timeline, timeline_figure
from learnet.inference.video_input import SHORT_S
from learnet.inference.windows import TIME_TOLERANCE_S
from learnet.report.content_policy import content_policy
from learnet.report.event_pictures import event_pictures, movement_figure
from learnet.report.page import page_template, write_page
from learnet.report.page_figures import PageFigure, make_page_figure
from learnet.report.shown_and_found import compare_with_truth
from learnet.report.style import inline_svg, png_uri
from learnet.simulation.units import UNITS

START = "<!doctype html>\n<!-- learnet recognition -->"
MAX_PICTURED = 12  # events with pictures: the page then stays small
FACE_PX = 160  # width of the faces


@dataclass(frozen=True)
class PageContent:
    """Optional content of the page of a recognition."""

    faces: bool = False  # faces at onset and apex of each event; without, the page shows nobody
    truth: Sequence[Span] | None = None  # what the video shows, if that is known (`compare_with_truth`)
    note: str = ""  # a sentence about the video, shown at the top


@dataclass(frozen=True)
class _EventCard:
    """An event with its pictures."""

    number: int
    event: Event
    movement: Markup
    onset: str  # face as a `data:` URI; empty where faces are not shown
    apex: str
    units: str  # the named units, with sides and scores
    emotions: str  # what they speak for


def write_recognition_page(
    recognition: Recognition, out: str | Path, content: PageContent = PageContent()
) -> Path:
    """Write one HTML page about what was recognised in a video.

    The page is self-contained: it loads nothing, and needs no script. The same recognition gives the same
    bytes. The video is read again for the pictures.

    Args:
        recognition: of a file or a folder of images; of an array, the page has no pictures.
        out: the page; an earlier page of a recognition is replaced, any other file is not.
        content: optional content. Faces of real people are personal: they are shown only on request.

    Returns:
        `out`.

    Raises:
        BadInput: the name of the page does not end with `.html` or `.htm`.
        OutputTaken: `out` is another file.
        BadVideo: the video can no longer be read.
    """
    out = Path(out)
    check_suffix(out, HTML)
    return write_page(recognition_page(recognition, content), out)


def recognition_page(recognition: Recognition, content: PageContent = PageContent()) -> str:
    """Return the page as text; see `write_recognition_page`."""
    shown = recognition_timeline(recognition, content.truth)
    name = Path(recognition.source).name
    return page_template("recognition").render(
        start=Markup(START),
        policy=content_policy(),
        title=name,
        recognition=recognition,
        content=content,
        drawing=_timeline(shown, recognition),
        truth=_truth_table(shown, recognition.metadata.classes),
        cards=_cards(recognition, content.faces),
        further=max(0, len(_recognised(recognition)) - MAX_PICTURED),
        unjudged=pd.DataFrame(unjudged_rows(recognition), columns=["seconds", "reason"]),
        version=learnet.__version__,
        **page_parts(recognition, name),
    )


def page_parts(recognition: Recognition, name: str) -> dict[str, object]:
    """Return the content that the pages of a recognition have in common, by its name in the templates.

    Args:
        recognition: of a video.
        name: of the video in the command that repeats it.
    """
    return {
        "heading": _heading(recognition),
        "events": _events_table(recognition),
        "units": _units_table(recognition.events),
        "unit_note": _unit_note(recognition),
        "network": _network_table(recognition),
        "command": _command(recognition, name),
    }


def recognition_timeline(recognition: Recognition, truth: Sequence[Span] | None = None) -> Timeline:
    """Return the timeline of a recognition without a title, with the truth if it is known."""
    return replace(timeline(recognition), truth=truth, title="")


def _heading(recognition: Recognition) -> str:
    """Return how many movements of which kind there are; with windows, only expressions are known."""
    events = recognition.events
    noun = "movement" if recognition.spotting else "expression"
    if not events:
        return f"No {noun}"
    names = Counter(_name(event) for event in events)
    named = [name if count == 1 else f"{count} {name}" for name, count in names.items()]
    return f"{counted(len(events), noun)}: {', '.join(named)}"


def _name(event: Event) -> str:
    """Return what an event is called: its label, or its kind if it has none."""
    return event.label or event.kind


def _recognised(recognition: Recognition) -> list[tuple[int, Event]]:
    """Return the events that a network has scored, with their numbers from 1."""
    return [(number, event) for number, event in enumerate(recognition.events, start=1) if event.emotions]


def _timeline(shown: Timeline, recognition: Recognition) -> PageFigure:
    names = []
    for event in recognition.events:
        code = facs_code(event.action_units)
        units = f" with action units {code}" if code else ""
        names.append(f"{_name(event)}{units} from {event.onset_s:.2f} to {event.offset_s:.2f} s")
    said = f"Timeline of {recognition.duration_s:.1f} s. Found: {', '.join(names) or 'nothing'}."
    table = pd.DataFrame({"middle_s": shown.times_s, **shown.scores})
    return make_page_figure(timeline_figure(shown), "timeline", said, table, broad=True)


def _truth_table(shown: Timeline, classes: Sequence[str]) -> pd.DataFrame | None:
    """Return what the video shows beside what was found; None where the truth is not known."""
    if shown.truth is None:
        return None
    rows = []
    for row in compare_with_truth(shown.truth, shown.events, shown.unjudged, classes):
        period = f"{row.start_s:.2f} to {row.end_s:.2f}"
        shown_text = f"{row.shown} ({row.detail})" if row.detail else row.shown
        rows.append((shown_text, period, row.answer, "✓" if row.right else "✗"))
    return pd.DataFrame(rows, columns=["shown", "seconds", "found", ""])


def _events_table(recognition: Recognition) -> pd.DataFrame:
    rows = []
    spotted = recognition.spotting is not None
    for event in recognition.events:
        rows.append(
            {
                "expression": _name(event),
                "score": event.score if event.emotions else None,
                "kind": event.kind if spotted else "",
                "regions": regions_text(event.regions),
                "onset": event.onset_s,
                "apex": event.apex_s,
                "offset": event.offset_s,
                "moved": event.strength_px,
                "action units": short_text(event.action_units).removeprefix("AU "),
                "remark": event.reason,
            }
        )
    table = pd.DataFrame(rows)
    optional = ("kind", "regions", "action units", "remark")
    empty = [name for name in optional if rows and not table[name].any()]
    return table.drop(columns=empty)


def _units_table(events: Sequence[Event]) -> pd.DataFrame:
    """Return a row for each named action unit of each event, with name and muscle."""
    rows = []
    for number, event in enumerate(events, start=1):
        rows += [
            {"expression": f"{number}. {_name(event)}", **_unit_row(unit)} for unit in event.action_units
        ]
    return pd.DataFrame(rows)


def _unit_row(unit: ActionUnitScore) -> dict[str, object]:
    described = UNITS[unit.unit]
    return {
        "AU": str(unit.unit),
        "name": described.name,
        "muscle": described.muscle,
        "side": side_text(unit),
        "score": unit.score,
    }


def _unit_note(recognition: Recognition) -> str:
    """Return how much the named action units are to be trusted; empty where none were scored."""
    metadata = recognition.action_unit_metadata
    if metadata is None or metadata.action_units is None:
        return ""
    return (
        f"An action unit is named from the score at which {metadata.action_units.wrong_share:.0%} of the "
        "named units are wrong on simulated images; on real ones more may be. Where the head moves too far, "
        "none are given."
    )


def _cards(recognition: Recognition, faces: bool) -> list[_EventCard]:
    """Return the events with the highest scores with pictures, in time order; none of an array."""
    if recognition.info.kind == "array":
        return []
    by_score = sorted(_recognised(recognition), key=lambda item: -item[1].score)
    pictured = sorted(by_score[:MAX_PICTURED])
    events = [event for _, event in pictured]
    pictures = event_pictures(Path(recognition.source), recognition.info.fps, events, recognition.predictions)
    cards = []
    for (number, event), of_event in zip(pictured, pictures, strict=True):
        cards.append(_card(number, event, of_event, faces))
    return cards


def _card(number: int, event: Event, pictures: MeasuredPair, faces: bool) -> _EventCard:
    said = f"How the skin moved in event {number}, {event.label}"
    movement = Markup(inline_svg(movement_figure(pictures), f"movement-{number}", said))
    onset = png_uri(pictures.onset, FACE_PX) if faces else ""
    apex = png_uri(pictures.apex, FACE_PX) if faces else ""
    emotions = criteria_sentence(emotions_from_units(event.action_units))
    return _EventCard(number, event, movement, onset, apex, long_text(event.action_units), emotions)


def unjudged_rows(recognition: Recognition) -> list[tuple[str, str]]:
    """Return when and why the video could not be judged."""
    rows = []
    for stretch in recognition.unjudged:
        rows.append((f"{stretch.start_s:.2f} to {stretch.end_s:.2f}", stretch.reason))
    return rows


def _network_table(recognition: Recognition) -> pd.DataFrame:
    """Return what was asked, and what it was trained on."""
    metadata = recognition.metadata
    preparation = metadata.preparation
    assert preparation is not None, "a recogniser has one"
    lines = {
        "weights": weights_name(recognition.weights),
        "network": metadata.network,
        "classes": ", ".join(metadata.classes),
        "trained on": _training_data(recognition),
        **_unit_network(recognition),
        "motion image": f"{preparation.motion}, {metadata.size} x {metadata.size} pixels",
        "movements": _method(recognition.windows),
        "frames": f"{recognition.frames} at {recognition.info.fps:.4g} per second",
    }
    return pd.DataFrame({"": lines.keys(), "value": lines.values()})


def _method(windows: Windows | None) -> str:
    """Return how movements were found."""
    if windows is None:
        return "spotted in the motion of the regions of the face"
    step_s = windows.window_s * (1 - windows.overlap)
    return f"from windows, {windows.window_s:g} s long, one every {step_s:g} s"


def _unit_network(recognition: Recognition) -> dict[str, str]:
    if not recognition.units:
        return {}
    weights = weights_name(recognition.action_unit_weights)
    return {"action units": f"{', '.join(map(str, recognition.units))}; {weights}"}


def _training_data(recognition: Recognition) -> str:
    metadata = recognition.metadata
    clips = metadata.data.get("clips", "")
    if metadata.simulated:
        return f"{clips} simulated images; no recording of a person".strip()
    people = len(metadata.people)
    synthetic = {"yes": ", all synthetic", "no": ""}.get(
        metadata.data.get("synthetic", "no"), ", some synthetic"
    )
    return f"{clips} clips of {counted(people, 'person', 'people')}{synthetic}".strip()


def _command(recognition: Recognition, name: str) -> str:
    """Return the command that gives the same predictions."""
    words = ["learnet", "predict", name, "--weights", weights_name(recognition.weights)]
    if recognition.stated_fps is not None:
        words += ["--fps", f"{recognition.stated_fps:g}"]
    if recognition.face != 1:
        words += ["--face", str(recognition.face)]
    windows = recognition.windows
    is_short = recognition.duration_s <= SHORT_S + TIME_TOLERANCE_S
    if windows is None or (windows == SHORT and is_short):
        return shlex.join(words)
    words.append("--windows")
    for field in fields(Windows):
        value = getattr(windows, field.name)
        if value != field.default:
            words += ["--" + field.name.replace("_", "-"), f"{value:g}"]
    return shlex.join(words)
