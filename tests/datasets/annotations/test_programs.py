"""Files as people make them in ELAN, BORIS and Praat, with tiers and behaviours of their own."""

import json
import re
from pathlib import Path

import pytest
from praatio import textgrid
from pympi import Elan

from learnet.core.errors import BadInput
from learnet.core.records import ActionUnitScore
from learnet.datasets.annotations.files import read_annotations, write_annotations
from learnet.datasets.annotations.record import Recording
from learnet.datasets.annotations.text import parse_event_text
from tests.builders.annotated_events import EVENTS, RECORDING

RATE = Recording(fps=100.0)
EXPORT = (
    "Observation id,Observation date,Description,Media file,Total length,FPS,Subject,Behavior,"
    "Behavioral category,Modifiers,Behavior type,Start (s),Stop (s),Duration (s),Comment start,Comment stop\n"
)


def test_tiers_of_elan_with_the_same_times_are_one_event(tmp_path: Path) -> None:
    """Units, emotion and kind in three tiers, one of which refers to another; and an event of its own."""
    eaf = Elan.Eaf()
    eaf.add_linguistic_type("child", constraints="Symbolic_Association", timealignable=False)
    eaf.add_tier("Emotion")
    eaf.add_tier("AU")
    eaf.add_tier("Kind", ling="child", parent="Emotion")
    eaf.add_annotation("Emotion", 1000, 1200, "Disgust")
    eaf.add_annotation("AU", 1000, 1200, "AU 4+R9")
    eaf.add_ref_annotation("Kind", "Emotion", 1100, "micro")
    eaf.add_annotation("AU", 3000, 4000, "AU12")
    path = tmp_path / "coder.eaf"
    eaf.to_file(str(path))
    first, second = read_annotations(path, RATE).events
    assert (first.onset, first.offset, first.label, first.kind) == (100, 120, "Disgust", "micro")
    assert [unit.code for unit in first.action_units] == ["4", "R9"]
    assert (second.onset, second.kind, second.label) == (300, "macro", "")
    with pytest.raises(BadInput, match="frame rate"):
        read_annotations(path)


def test_points_of_praat_are_left_out(tmp_path: Path) -> None:
    grid = textgrid.Textgrid(0, 5)
    grid.addTier(textgrid.IntervalTier("lena", [(1.0, 1.3, "surprise 0.5")], 0, 5))
    grid.addTier(textgrid.PointTier("marks", [(2.0, "x"), (3.0, "y")], 0, 5))
    path = tmp_path / "coder.TextGrid"
    grid.save(str(path), format="short_textgrid", includeBlankSpaces=True)
    read = read_annotations(path, RATE)
    (found,) = read.events
    assert (found.onset, found.offset, found.label, found.score) == (100, 130, "surprise", 0.5)
    assert found.source == "lena"
    assert read.notes[0] == "2 points left out: an event is an interval."


def boris(events: list[list], fps: float = 25.0) -> str:
    behaviors = {
        "0": {"type": "State event", "code": "frown"},
        "1": {"type": "Point event", "code": "nod"},
    }
    media = {"fps": {"film.mp4": fps}, "length": {"film.mp4": 60.0}}
    observation = {"events": events, "media_info": media}
    return json.dumps({"behaviors_conf": behaviors, "observations": {"first": observation}})


def test_states_of_boris_are_paired_by_subject_and_modifier(tmp_path: Path) -> None:
    events = [
        [4.0, "eva", "frown", "strong", "", 100],
        [1.0, "eva", "frown", "", "AU 4", 25],
        [1.2, "ben", "frown", "", "", 30],
        [1.4, "eva", "frown", "", "", 35],
        [2.0, "eva", "nod", "", "", 50],
        [2.2, "ben", "frown", "", "", 55],
        [4.2, "eva", "frown", "strong", "", 105],
    ]
    path = tmp_path / "project.boris"
    path.write_text(boris(events))
    read = read_annotations(path)
    found = [(e.onset, e.offset, e.source, e.label) for e in read.events]
    assert found == [(25, 35, "eva", "frown"), (30, 55, "ben", "frown"), (100, 105, "eva", "frown; strong")]
    assert read.events[0].action_units == (ActionUnitScore(4, "both", None),)
    assert read.notes[0] == "1 point event left out: an event has a duration."
    path.write_text(boris(events[:4]))
    with pytest.raises(BadInput, match="'frown' that starts at .* s does not stop"):
        read_annotations(path)


def test_aggregated_events_of_boris(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    rows = (
        "obs,2024-01-01,,film.mp4,60.0,50.0,eva,micro,face,negative,STATE,1.000,1.200,0.2,AU 4+7,\n"
        "obs,2024-01-01,,film.mp4,60.0,50.0,eva,nod,face,,POINT,2.000,2.000,NA,,\n"
    )
    path.write_text(EXPORT + rows)
    read = read_annotations(path)
    (found,) = read.events
    assert (found.onset, found.offset, found.kind, found.label) == (50, 60, "micro", "negative")
    assert sorted(unit.code for unit in found.action_units) == ["4", "7"]
    path.write_text(EXPORT + rows.replace("1.200", "NA"))
    with pytest.raises(BadInput, match=r"line 2: 'NA' in the column 'stop \(s\)' is not a number"):
        read_annotations(path)
    path.write_text(EXPORT + rows + rows.replace("obs,", "other,"))
    with pytest.raises(BadInput, match="several observations are in the file: obs, other"):
        read_annotations(path)


def test_what_people_write_as_text() -> None:
    read = parse_event_text("Macro-Expression; aus 4+L12; Left Brow, lips; apex 1.5; contempt?\nunsure")
    assert (read.kind, read.regions, read.apex_s) == ("macro", ("left brow", "lips"), 1.5)
    assert [unit.code for unit in read.action_units] == ["4", "L12"]
    assert (read.label, read.score) == ("contempt?; unsure", 0.0)
    assert parse_event_text("negative 0.75").score == 0.75
    assert parse_event_text("take 2").label == "take 2"
    assert parse_event_text("").kind == ""
    assert parse_event_text("AU17").action_units == (ActionUnitScore(17, "", None),)


@pytest.mark.parametrize("identifier", ["ANNOTATION_ID", "TIER_ID", "TIME_SLOT_ID"])
def test_identifiers_of_elan_that_are_there_twice_are_refused(tmp_path: Path, identifier: str) -> None:
    """pympi would keep the last of them, and what the first says would be lost."""
    file = tmp_path / "events.eaf"
    write_annotations(file, EVENTS, RECORDING)
    first, second, *_ = re.findall(rf' {identifier}="([^"]*)"', file.read_text())
    file.write_text(file.read_text().replace(f' {identifier}="{second}"', f' {identifier}="{first}"', 1))
    with pytest.raises(BadInput, match=f"{identifier} '{first}' is there twice"):
        read_annotations(file)
