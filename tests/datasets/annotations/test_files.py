"""Annotation files of every format: written and read back, cut off, and the message for what is wrong."""

import csv
import json
import random
from dataclasses import replace
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from praatio import textgrid
from pympi import Elan, Praat

from learnet.core.errors import BadInput, LearnetError, OutputTaken
from learnet.core.records import EVENT_STATUSES, FACE_REGIONS, ActionUnitScore, Event, UnjudgedStretch
from learnet.datasets.annotations.files import (
    SUFFIXES,
    read_annotations,
    refuse_annotations_of_people,
    write_annotations,
)
from learnet.datasets.annotations.record import Recording
from tests.builders.annotated_events import EVENTS, RECORDING, event

UNITS = {4: ("left", "right", "both"), 12: ("left", "right", "both"), 17: ("",)}
"""Some units, with the sides that they can have."""


def essence(read: Event) -> tuple:
    """What every format keeps. An annotation without duration gets one millisecond."""
    units = sorted((unit.code, unit.side) for unit in read.action_units)
    marks = (read.onset, read.apex, read.offset)
    return (*marks, read.kind, read.label, round(read.score, 2), units, read.regions, read.source)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_events_are_read_as_they_were_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"events{suffix}"
    write_annotations(path, EVENTS[::-1], RECORDING)
    read = read_annotations(path, Recording(fps=200.0) if suffix == ".textgrid" else Recording())
    assert sorted(map(essence, read.events)) == sorted(map(essence, EVENTS))
    for found, written in zip(read.events, sorted(EVENTS, key=lambda event: event.onset), strict=True):
        assert found.onset_s == pytest.approx(written.onset_s, abs=5.1e-4)
        assert found.offset_s == pytest.approx(written.offset_s, abs=1.1e-3)
    assert read.notes == ()


SCORES = st.none()
UNIT_SETS = st.lists(st.sampled_from(sorted(UNITS)), unique=True, max_size=3).flatmap(
    lambda units: st.tuples(
        *(
            st.builds(ActionUnitScore, st.just(unit), st.sampled_from(UNITS[unit]), SCORES)
            for unit in sorted(units)
        )
    )
)
RANDOM_EVENTS = st.builds(
    lambda onset, rise, fall, fps, blink, label, score, units, regions: event(
        onset,
        onset + rise,
        onset + rise + fall,
        fps,
        is_blink=blink,
        label=label,
        score=score if label else 0.0,
        action_units=units,
        regions=tuple(regions),
    ),
    *(st.integers(0, 5000), st.integers(0, 90), st.integers(0, 90), st.just(200.0), st.booleans()),
    *(st.sampled_from(["", "negative", "surprise", "--> <b> & co"]), st.sampled_from([0.25, 0.5, 0.99])),
    *(UNIT_SETS, st.lists(st.sampled_from(FACE_REGIONS), unique=True, max_size=3)),
)


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(RANDOM_EVENTS, max_size=6))
def test_any_events_survive(tmp_path: Path, suffix: str, events: list[Event]) -> None:
    path = tmp_path / f"events{suffix}"
    write_annotations(path, events, RECORDING)
    read = read_annotations(path, Recording(fps=200.0))
    assert sorted(map(essence, read.events), key=str) == sorted(map(essence, events), key=str)


def test_a_table_keeps_everything(tmp_path: Path) -> None:
    units = (ActionUnitScore(12, "left", 0.9), ActionUnitScore(4, "both", 0.61))
    written = replace(EVENTS[0], action_units=units, strength_px=1.25, reason="two persons")
    path = tmp_path / "events.csv"
    write_annotations(path, [written])
    assert read_annotations(path).events == (written,)


def test_elan_by_its_own_parser(tmp_path: Path) -> None:
    """Tiers cannot hold two annotations at a time: overlapping ones of a source are in a second tier."""
    path = tmp_path / "events.eaf"
    write_annotations(path, EVENTS, RECORDING)
    eaf = Elan.Eaf(str(path))
    assert set(eaf.get_tier_names()) == {"learnet", "learnet (2)", "coder", "a & b <c>"}
    first, last = sorted(eaf.get_annotation_data_for_tier("learnet"))
    assert first[:2] == (50, 150)
    assert first[2] == "micro; AU 4+L12; negative 0.83; left brow, lips; apex 0.075 s"
    assert last[:2] == (3000, 3001)
    assert eaf.get_annotation_data_for_tier("coder")[0][:2] == (100, 800)
    assert [media["MEDIA_URL"] for media in eaf.get_linked_files()] == ["film.mp4"]


def test_textgrid_by_two_parsers(tmp_path: Path) -> None:
    path = tmp_path / "events.TextGrid"
    write_annotations(path, EVENTS, RECORDING)
    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    assert set(grid.tierNames) == {"learnet", "learnet (2)", "coder", "a & b <c>"}
    assert (grid.minTimestamp, grid.maxTimestamp) == (0, 5)
    assert grid.getTier("coder").entries[0][:2] == (0.1, 0.8)
    other = {name: list(Praat.TextGrid(str(path)).get_tier(name).get_intervals()) for name in grid.tierNames}
    filled = [interval for interval in other["learnet"] if interval[2]]
    assert [interval[:2] for interval in filled] == [(0.05, 0.15), (3.0, 3.001)]


def test_webvtt_as_ffmpeg_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "events.vtt"
    write_annotations(path, EVENTS, RECORDING)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux() if packet.size]
    times = [(float(p.pts * p.time_base), float((p.pts + p.duration) * p.time_base)) for p in packets]
    expected = [(e.onset_s, max(e.offset_s, e.onset_s + 0.001)) for e in EVENTS]
    assert times == [pytest.approx(limits) for limits in expected]


def test_boris_project_has_pairs_of_states(tmp_path: Path) -> None:
    path = tmp_path / "events.boris"
    write_annotations(path, EVENTS, RECORDING)
    project = json.loads(path.read_text(encoding="utf-8"))
    (observation,) = project["observations"].values()
    times = [row[0] for row in observation["events"]]
    assert times == sorted(times) and len(times) == 2 * len(EVENTS)
    codes = {behavior["code"] for behavior in project["behaviors_conf"].values()}
    subjects = {subject["name"] for subject in project["subjects_conf"].values()}
    open_states: set[tuple] = set()
    for time_s, subject, code, modifier, _, frame in observation["events"]:
        assert code in codes and subject in subjects and modifier == ""
        assert frame == round(200 * time_s)
        open_states ^= {(subject, code)}  # a second row of a behaviour of a subject ends it
    assert not open_states
    assert observation["media_info"]["fps"] == {"film.mp4": 200.0}


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".json"])
def test_a_file_that_is_cut_off_or_scrambled_gives_one_line(tmp_path: Path, suffix: str) -> None:
    whole = tmp_path / f"whole{suffix.replace('.json', '.boris')}"
    write_annotations(whole, EVENTS, RECORDING)
    content = whole.read_bytes()
    chance = random.Random(0)
    path = tmp_path / f"damaged{suffix}"
    refused = 0
    for _ in range(60):
        position = chance.randrange(len(content))
        damaged = content[:position] if chance.random() < 0.5 else bytearray(content)
        if isinstance(damaged, bytearray):
            damaged[position] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            read_annotations(path, Recording(fps=200.0))
        except LearnetError as error:
            refused += 1
            assert "\n" not in str(error) and str(path) in str(error)
    assert refused > 5


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "onset,offset\n10,5\n", "a.csv line 2: the onset (0.050 s) is after the offset (0.025 s)"),
        ("a.csv", "onset,apex,offset\n1,9,5\n", "line 2: the apex (0.045 s) is not between onset (0.005 s)"),
        (
            "a.csv",
            "onset,offset\n1,2\n900,1000\n",
            "line 3: the event from frame 900 to 1000 (4.500 to 5.000 s)",
        ),
        ("a.csv", "onset,offset\n-3,5\n", "is outside the video, which has frames 0 to 999"),
        ("a.csv", "onset,offset\n1.5,5\n", "line 2: the frame '1.5' is not a whole number"),
        ("a.csv", "onset_s,offset_s\n1,x\n", "line 2: the offset_s 'x' is not a number"),
        ("a.csv", "onset_s,offset_s\n1,nan\n", "line 2: the offset nan is not a number"),
        ("a.csv", "onset,offset\n1,\n", "line 2: the onset or the offset is missing"),
        (
            "a.csv",
            "onset,offset,kind\n1,2,long\n",
            "line 2: the kind 'long' is not known. Write micro, macro",
        ),
        ("a.csv", "onset,offset,regions\n1,2,ear\n", "line 2: there is no region 'ear'"),
        ("a.csv", "onset,offset,action_units\n1,2,4 7\n", "line 2: '4 7' is no code of action units"),
        ("a.csv", "begin,offset\n1,2\n", "this table has neither onset and offset nor onset_s and offset_s"),
        ("a.csv", "\n", "a.csv: it is empty"),
        ("a.vtt", "00:01.000 --> 00:02.000\nmicro\n", "this is not WebVTT"),
        ("a.vtt", "WEBVTT\n\n00:01 --> 00:02\nmicro\n", "cue 1: '00:01 --> 00:02' is no line of times"),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nAU 4 7\n", "cue 1: '4 7' is no code of action units"),
        ("a.vtt", "WEBVTT\n\n00:02.000 --> 00:01.000\nmicro\n", "cue 1: the onset (2.000 s) is after"),
        ("a.eaf", "<html></html>", "this is XML, but not of ELAN: <html>"),
        ("a.eaf", "ELAN", "this is not XML"),
        ("a.TextGrid", "nothing", "a.TextGrid: this is no TextGrid. Save it again"),
        (
            *("a.TextGrid", 'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\n'),
            "a.TextGrid: this TextGrid is damaged or incomplete. Save it again in Praat",
        ),
        (
            "a.csv",
            "start,end\n1,2\n30,40\n",
            "start and end are whole numbers, which may be frames or seconds",
        ),
        (
            *("a.csv", "onset,onset_s,offset,offset_s\n10,0.05,30,0.15\n50,2,100,4\n"),
            "line 3: the duration is 50 frames and 2.000 s, which contradicts 200 frames a second",
        ),
        (
            *("a.csv", "onset,onset_s,offset,offset_s\n400,1,500,1.5\n"),
            "line 2: the onset is 400 frames and 1.000 s, which contradicts 200 frames a second",
        ),
        ("a.boris", "{", "this is not JSON"),
        ("a.boris", "[]", "this is neither a BORIS project nor a prediction"),
        ("a.boris", '{"observations": {}}', "this BORIS project has no observation"),
        ("a.boris", '{"observations": {"x": {}, "y": {}}}', "has several observations: x, y"),
        ("a.json", '{"events": [{"onset": 3}], "fps": 25}', "these events are damaged (KeyError('apex'))"),
        ("a.srt", "1", ".srt is no format of annotations"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as raised:
        read_annotations(tmp_path / name, RECORDING)
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_missing_files_rates_and_formats(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no such file"):
        read_annotations(tmp_path / "none.eaf")
    with pytest.raises(BadInput, match="the suffix names no format"):
        write_annotations(tmp_path / "events.xml", EVENTS)
    (tmp_path / "a.csv").write_text("onset,offset\n1,2\n")
    with pytest.raises(BadInput, match="frame rate of the video is not known.*--fps"):
        read_annotations(tmp_path / "a.csv")


def test_frames_and_seconds_of_a_folder_whose_images_begin_at_a_later_number(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("onset_s,offset_s\n0.5,1.0\n")
    (tmp_path / "b.csv").write_text("onset,offset\n150,200\n")
    folder = Recording(fps=100.0, first=100, frames=200)
    for name in ("a.csv", "b.csv"):
        (read,) = read_annotations(tmp_path / name, folder).events
        assert (read.onset, read.apex, read.offset) == (150, 175, 200)
        assert (read.onset_s, read.apex_s, read.offset_s) == (0.5, 0.75, 1.0)


def test_an_apex_that_was_rounded_past_the_offset_is_at_the_offset(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("onset_s,apex_s,offset_s\n1.0,1.2351,1.2349\n")
    (read,) = read_annotations(path, RECORDING).events
    assert (read.apex, read.apex_s) == (read.offset, 1.2349)


def test_what_is_assumed_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Onset,Offset,Kind,Emotion\n0,100,Micro-expression,\n0,101,micro,Disgust\n")
    read = read_annotations(path, RECORDING)
    assert [found.kind for found in read.events] == ["micro", "macro"]
    assert read.events[1].label == "Disgust"
    assert read.notes == (
        "2 of 2 without an apex: the middle is taken.",
        "1 of 2 called micro, and by the duration macro.",
    )


def test_start_and_end_are_seconds_if_some_have_a_fraction(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("start,end\n1,1.5\n2.25,3\n")
    read = read_annotations(path, RECORDING)
    assert [(found.onset, found.offset) for found in read.events] == [(200, 300), (450, 600)]
    assert read.notes[0] == "start and end are read as seconds, because some of them have a fraction."
    path.write_text("start_frame,end_frame\n1,2\n")
    assert read_annotations(path, RECORDING).events[0].offset == 2


def test_frames_and_seconds_of_a_variable_rate_are_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("onset,onset_s,offset,offset_s\n50,2,100,4\n")
    varying = replace(RECORDING, variable_rate=True)
    (read,) = read_annotations(path, varying).events
    assert (read.onset, read.onset_s, read.offset, read.offset_s) == (50, 2.0, 100, 4.0)


@pytest.mark.parametrize("form", ["long_textgrid", "short_textgrid"])
def test_a_textgrid_that_ends_early_is_refused_wherever_it_ends(tmp_path: Path, form: str) -> None:
    """praatio reads what there is; Praat states how many tiers and intervals there should be."""
    whole = tmp_path / "whole.TextGrid"
    write_annotations(whole, EVENTS, RECORDING)
    textgrid.openTextgrid(str(whole), includeEmptyIntervals=True).save(str(whole), form, True)
    content = whole.read_bytes()
    assert len(read_annotations(whole, RECORDING).events) == len(EVENTS)
    path = tmp_path / "cut.TextGrid"
    for end in range(1, len(content.rstrip()), 7):
        path.write_bytes(content[:end])
        with pytest.raises(BadInput, match=r"TextGrid.*Save it again in Praat, as text"):
            read_annotations(path, RECORDING)


def test_units_that_a_person_coded_have_no_score(tmp_path: Path) -> None:
    """A table has none either, so that it is not mistaken for certainty."""
    path = tmp_path / "a.csv"
    path.write_text("onset,offset,action_units\n1,9,4+L12\n")
    (read,) = read_annotations(path, RECORDING).events
    assert read.action_units == (ActionUnitScore(4, "both", None), ActionUnitScore(12, "left", None))
    write_annotations(tmp_path / "b.csv", [read])
    with (tmp_path / "b.csv").open(newline="") as handle:
        (row,) = csv.DictReader(handle)
    assert (row["action_units"], row["action_unit_scores"]) == ("4+L12", "")


def test_predictions_are_annotations_too(tmp_path: Path) -> None:
    """As `learnet predict` writes them; a blink has neither label nor score."""
    unit = {"unit": 4, "side": "left", "score": 0.9}
    marks = {"onset": 1, "apex": 2, "offset": 3, "onset_s": 0.04, "apex_s": 0.08, "offset_s": 0.12}
    values = {"kind": "micro", "label": "surprise", "score": 0.7, "strength_px": 0.4, "reason": None}
    blink = {**marks, **values, "kind": "blink", "label": None, "score": None, "strength_px": None}
    content = {"fps": 25, "events": [{**marks, **values, "action_units": [unit]}, blink]}
    path = tmp_path / "prediction.json"
    path.write_text(json.dumps(content))
    read, read_blink = read_annotations(path).events
    assert (read_blink.kind, read_blink.label, read_blink.score) == ("blink", "", 0.0)
    assert (read.onset, read.apex_s, read.label, read.score) == (1, 0.08, "surprise", 0.7)
    assert read.action_units == (ActionUnitScore(4, "left", 0.9),)


def test_pyfeat_live(tmp_path: Path) -> None:
    path = tmp_path / "annotations.csv"
    header = ("annotation_id", "kind", "start_frame", "end_frame", "label", "tag", "created_at", "source")
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerow(("u1", "event", 30, 30, "smile", "", "0.0", "viewer"))
        writer.writerow(("u2", "exclude", 40, 90, "", "", "0.0", "viewer"))
        writer.writerow(("u3", "custom", 50, 61, "", "look away", "0.0", "live"))
    read = read_annotations(path, Recording(fps=30.0))
    found = [(e.onset, e.offset, e.label, e.source) for e in read.events]
    assert found == [(30, 30, "smile", "viewer"), (50, 61, "look away", "live")]
    assert "1 range to exclude left out." in read.notes


@pytest.mark.parametrize("suffix", [".eaf", ".TextGrid", ".vtt"])
def test_what_cannot_be_judged_is_written_and_is_no_event(tmp_path: Path, suffix: str) -> None:
    """Also two stretches that touch, and one in the middle of an event."""
    stretches = (
        UnjudgedStretch(0.25, 0.75, "no face"),
        UnjudgedStretch(0.75, 0.9, "the mouth speaks & <moves>"),
        UnjudgedStretch(3.0, 3.5, "the light flickers"),
    )
    recording = Recording(fps=100.0, frames=350, unjudged=stretches)
    event = Event(80, 85, 100, 0.8, 0.85, 1.0, source="ann")
    path = tmp_path / f"events{suffix}"
    write_annotations(path, [event], recording)
    text = path.read_text(encoding="utf-8")
    assert "no face" in text and "the light flickers" in text
    read = read_annotations(path, Recording(fps=100.0))
    assert [(found.onset, found.offset) for found in read.events] == [(80, 100)]
    assert "3 stretches that cannot be judged left out." in read.notes


def test_a_label_of_a_person_has_no_score(tmp_path: Path) -> None:
    table = tmp_path / "events.csv"
    write_annotations(table, [event(10, 12, 20, label="surprise")])
    row = next(csv.DictReader(table.open()))
    assert (row["label"], row["score"]) == ("surprise", "")
    table.write_text("onset_s,offset_s,label,score\n1,2,surprise,7\n")
    with pytest.raises(BadInput, match="the score 7 is not from 0 to 1"):
        read_annotations(table, RECORDING)


def test_events_of_the_table_of_predict_are_of_learnet(tmp_path: Path) -> None:
    """And so they are replaced, as those of a person are not."""
    table = tmp_path / "film.csv"
    table.write_text(
        "onset,offset,onset_s,offset_s,label,score,emotions_by_units\n50,60,1,1.2,surprise,.9,\n"
    )
    (read,) = read_annotations(table, Recording(fps=50.0)).events
    assert read.source == "learnet"
    refuse_annotations_of_people(table)
    table.write_text("onset,offset,onset_s,offset_s,label\n50,60,1,1.2,surprise\n")
    with pytest.raises(OutputTaken, match="it has events of annotation"):
        refuse_annotations_of_people(table)


@pytest.mark.parametrize("suffix", [".csv", ".eaf"])
def test_what_a_person_did_with_an_event_is_kept(tmp_path: Path, suffix: str) -> None:
    """The event page writes the status of each event; converting the file must not lose it."""
    statuses = [*EVENT_STATUSES, ""]
    events = [
        Event(100 * n, 100 * n + 5, 100 * n + 10, n + 0.0, n + 0.05, n + 0.1, source="ann", status=status)
        for n, status in enumerate(statuses)
    ]
    path = tmp_path / f"corrected{suffix}"
    write_annotations(path, events, Recording(fps=100.0))
    read = read_annotations(path)
    assert [event.status for event in read.events] == statuses
    again = tmp_path / f"again{'.eaf' if suffix == '.csv' else '.csv'}"
    write_annotations(again, read.events, Recording(fps=100.0))
    assert [event.status for event in read_annotations(again).events] == statuses


def test_an_annotation_that_is_deleted_in_elan_takes_its_status_along(tmp_path: Path) -> None:
    events = [
        Event(100 * n, 100 * n + 5, 100 * n + 10, n + 0.0, n + 0.05, n + 0.1, status=status)
        for n, status in enumerate(("found", "confirmed", "changed"), start=1)
    ]
    path = tmp_path / "corrected.eaf"
    write_annotations(path, events, Recording(fps=100.0))
    eaf = Elan.Eaf(str(path))
    eaf.remove_annotation("learnet", 2050)
    eaf.to_file(str(path))
    assert [(event.onset, event.status) for event in read_annotations(path).events] == [
        (100, "found"),
        (300, "changed"),
    ]


def test_a_status_that_learnet_does_not_write_is_left_out_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("onset,offset,status\n10,20,done\n30,40,Confirmed\n50,60,\n")
    read = read_annotations(path, Recording(fps=100.0))
    assert [event.status for event in read.events] == ["", "confirmed", ""]
    assert "1 status left out; known are found, confirmed, changed, added." in read.notes
    write_annotations(tmp_path / "plain.csv", [replace(event, status="") for event in read.events])
    assert "status" not in (tmp_path / "plain.csv").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "onset_s,offset_s,label,,onset_s,offset_s,label\n1,2,happiness,,3,4,fear\n",
            "the column onset_s is there twice",
        ),
        ("onset_s,offset_s,label\n0,5,0,8,happiness\n", "line 2: it has more values than columns (3)"),
    ],
)
def test_values_that_no_column_would_take_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "events.csv"
    path.write_text(text)
    with pytest.raises(BadInput) as refusal:
        read_annotations(path, Recording(fps=25.0))
    assert message in str(refusal.value)


def test_other_names_of_columns_and_those_that_are_not_read(tmp_path: Path) -> None:
    """Headers of CASME II's workbook; the class in the last column is nobody's emotion here."""
    file = tmp_path / "a.csv"
    header = "OnsetFrame,ApexFrame,OffsetFrame,AU,Estimated Emotion,Objective Class"
    file.write_text(f"{header}\n20,32,56,6+12,happiness,I\n")
    annotated = read_annotations(file, RECORDING)
    (event,) = annotated.events
    assert (event.onset, event.apex, event.offset, event.label) == (20, 32, 56, "happiness")
    assert [unit.unit for unit in event.action_units] == [6, 12]
    assert annotated.notes == ("columns that are not read: Objective Class.",)
