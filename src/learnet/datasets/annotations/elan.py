"""Events as ELAN writes them (`.eaf`), by pympi-ling. Times are milliseconds."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from learnet.core.errors import BadInput, counted, repeated
from learnet.core.printable import printable_lines
from learnet.core.records import EVENT_STATUSES, Event
from learnet.datasets.annotations.lanes import end_of, lanes, source_of
from learnet.datasets.annotations.record import UNJUDGED, Entries, Recording, merge_tiers, unjudged_note
from learnet.datasets.annotations.text import event_text, text_entry

RATE = "learnet frames per second"  # property of the file that states the frame rate
STATUS = "learnet status"  # property with the status of annotations: "a1 confirmed, a2 changed"
AUTHOR = "learnet"
ROOT = "ANNOTATION_DOCUMENT"
IDENTIFIERS = ("ANNOTATION_ID", "TIER_ID", "TIME_SLOT_ID")


def elan_text(events: Sequence[Event], recording: Recording) -> str:
    """Return the content of an ELAN file: a tier for each source, or several where its events overlap, and
    one for what cannot be judged."""
    from pympi import Elan  # here: commands that write no annotations do not need it

    eaf = Elan.Eaf(author=AUTHOR)
    eaf.remove_tier("default")
    if recording.name:
        suffix = Path(recording.name).suffix.lower().lstrip(".")
        eaf.add_linked_file(recording.name, relpath=f"./{recording.name}", mimetype=f"video/{suffix}")
    if recording.fps:
        eaf.add_property(RATE, repr(recording.fps))
    statuses = []
    for lane, members in lanes(events).items():
        eaf.add_tier(lane)
        for event in members:
            start_ms = round(1000 * event.onset_s)
            end_ms = max(round(1000 * end_of(event)), start_ms + 1)
            eaf.add_annotation(lane, start_ms, end_ms, event_text(event))
            identifier = list(eaf.tiers[lane][0])[-1]
            statuses += [f"{identifier} {event.status}"] if event.status else []
    if statuses:
        eaf.add_property(STATUS, ", ".join(statuses))
    if recording.unjudged:
        eaf.add_tier(UNJUDGED)
    for stretch in recording.unjudged:
        start_ms, end_ms = round(1000 * stretch.start_s), round(1000 * stretch.end_s)
        eaf.add_annotation(UNJUDGED, start_ms, max(end_ms, start_ms + 1), stretch.reason)
    return printable_lines(Elan.to_string(eaf))  # XML has no control characters


def read_elan(path: Path) -> Entries:
    """Read an ELAN file. Annotations of several tiers with the same times are one event.

    Raises:
        BadInput: the file is no ELAN file, or an annotation cannot be read.
    """
    _check_document(path)
    from pympi import Elan

    try:
        eaf = Elan.Eaf(str(path), suppress_version_warning=True)
        annotations = {name: eaf.get_annotation_data_for_tier(name) for name in eaf.get_tier_names()}
        identifiers = {name: list(eaf.tiers[name][0]) for name in annotations}
        unjudged = len(annotations.pop(UNJUDGED, ()))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise BadInput(path, f"this ELAN file is damaged ({error!r})", "Save it again in ELAN.") from None
    properties = eaf.get_properties()
    statuses = _statuses(properties)
    entries = []
    without_time = 0
    for name, members in annotations.items():
        for number, (start_ms, end_ms, text, *_) in enumerate(members, start=1):
            if start_ms is None or end_ms is None:
                without_time += 1
                continue
            where = f"tier {name}, annotation {number}"
            limits_s = (start_ms / 1000, end_ms / 1000)
            entry = text_entry(path, where, limits_s, text or "", source_of(name))
            aligned = identifiers[name]  # empty in a tier whose annotations refer to another's
            status = statuses.get(aligned[number - 1], "") if aligned else ""
            entries.append(replace(entry, status=status))
    notes = (f"{counted(without_time, 'annotation')} without times left out.",) if without_time else ()
    recording = Recording(fps=_rate(path, properties))
    return Entries(merge_tiers(entries), recording, (*notes, *unjudged_note(unjudged)))


def _check_document(path: Path) -> None:
    """Refuse what is no XML document of ELAN, for which pympi raises a bare Exception, and identifiers that
    are there twice, of which pympi keeps the last."""
    hint = "Give an .eaf file of ELAN."
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise BadInput(path, f"this is not XML ({error})", hint) from None
    if root.tag != ROOT:
        raise BadInput(path, f"this is XML, but not of ELAN: <{root.tag[:40]}>", hint)
    for attribute in IDENTIFIERS:
        values = [element.attrib[attribute] for element in root.iter() if attribute in element.attrib]
        twice = repeated(values)
        if twice:
            problem = f"this ELAN file is damaged: the {attribute} {twice[0]!r} is there twice"
            raise BadInput(path, problem, "Save it again in ELAN.")


def _statuses(properties: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return annotation -> status, from the property that learnet wrote into the file."""
    stated = dict(properties).get(STATUS) or ""
    pairs = [pair.split() for pair in stated.split(",")]
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[1] in EVENT_STATUSES}


def _rate(path: Path, properties: Sequence[tuple[str, str]]) -> float | None:
    """Return the frame rate that learnet wrote into the file."""
    stated = dict(properties).get(RATE)
    if stated is None:
        return None
    try:
        return float(stated)
    except ValueError:
        problem = f"the property {RATE!r} is {stated[:40]!r}, not a number"
        raise BadInput(path, problem, "Remove the property in ELAN, and give --fps.") from None
