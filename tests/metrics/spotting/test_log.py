"""Forms of spotting logs, what they mean, and the message for what cannot be read."""

from pathlib import Path

import pytest

from learnet.core.errors import BadInput
from learnet.metrics.spotting.log import SpottingLog, kind_by_duration, read_spotting_log


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def shown(log: SpottingLog) -> list[tuple]:
    intervals = [("event", event) for event in log.events] + [("found", other) for other in log.predictions]
    return [(role, i.video, i.onset, i.offset, i.kind, i.label, i.score, i.person) for role, i in intervals]


def test_pairs_without_a_header(tmp_path: Path) -> None:
    """A prediction that hits two events is repeated in the log and counted once."""
    text = "s15/a,10,20,11,21,TP,0\ns15/a,12,22,11,21,TP,1\ns15/a,,,40,50,FP,2\ns16/b,1,9,-,-,FN,3\n"
    log = read_spotting_log(write(tmp_path, "log.csv", text), fps=20.0)
    assert shown(log) == [
        ("event", "s15/a", 10, 20, "micro", "", None, "s15"),
        ("event", "s15/a", 12, 22, "micro", "", None, "s15"),
        ("event", "s16/b", 1, 9, "micro", "", None, "s16"),
        ("found", "s15/a", 11, 21, "micro", "", None, "s15"),
        ("found", "s15/a", 40, 50, "micro", "", None, "s15"),
    ]
    assert log.flags == ("TP", "TP", "FP", "FN")


@pytest.mark.parametrize("video", ["video1", "video_1", "vid1", "recording_2"])
def test_the_name_of_a_video_is_no_header(tmp_path: Path, video: str) -> None:
    log = read_spotting_log(write(tmp_path, "log.csv", f"{video},10,20,12,22,TP\n{video},50,60,,,FN\n"))
    assert [(event.video, event.onset) for event in log.events] == [(video, 10), (video, 50)]


def test_predictions_beside_a_file_of_events(tmp_path: Path) -> None:
    """Names of videos are repeated by several people. The challenges write me and mae."""
    predictions = "subject;vid;pred_onset;pred_offset;type;emotion;confidence\n1;EP01;5;9;me;Positive;0.5\n"
    events = "subject,video,onset,offset,kind,emotion\n1,EP01,4,9,micro,positive\n2,EP01,7,99,Macro,others\n"
    log = read_spotting_log(write(tmp_path, "p.csv", predictions), truth=write(tmp_path, "t.csv", events))
    assert shown(log) == [
        ("event", "1/EP01", 4, 9, "micro", "positive", None, "1"),
        ("event", "2/EP01", 7, 99, "macro", "others", None, "2"),
        ("found", "1/EP01", 5, 9, "micro", "positive", 0.5, "1"),
    ]
    assert log.has_kinds and log.flags == ()


PREDICTED = (
    "onset,apex,offset,onset_s,apex_s,offset_s,kind,regions,label,score,strength_px,reason,negative,"
    "action_units\n"
    "5,7,9,0.2,0.28,0.36,micro,lips,negative,0.8,0.5,,0.8,4+L12\n"
    "20,22,24,0.8,0.88,0.96,blink,left lids,,,1.5,,,\n"
)
"""As `learnet predict --csv` writes it for one video."""


@pytest.mark.parametrize("name", ["EP01.csv", "predicted.csv"])
def test_the_table_of_predict_is_of_the_only_video(tmp_path: Path, name: str) -> None:
    truth = write(tmp_path, "t.csv", "subject,video,onset,offset,kind\n1,EP01,4,9,micro\n")
    log = read_spotting_log(write(tmp_path, name, PREDICTED), truth)
    assert shown(log) == [
        ("event", "1/EP01", 4, 9, "micro", "", None, "1"),
        ("found", "1/EP01", 5, 9, "micro", "negative", 0.8, "1"),
    ]
    assert log.notes == (
        f"{name} has no column for the video; it is 1/EP01.",
        f"1 blink of {name} left out.",
    )


def test_of_several_videos_the_table_of_predict_is_of_the_one_it_is_named_after(tmp_path: Path) -> None:
    truth = write(tmp_path, "t.csv", "video,onset,offset\nEP01,4,9\nEP02,4,9\n")
    log = read_spotting_log(write(tmp_path, "EP02.csv", PREDICTED), truth)
    assert [prediction.video for prediction in log.predictions] == ["EP02"]
    with pytest.raises(BadInput, match="'out' is not one video of the events. Add a column video, or name"):
        read_spotting_log(write(tmp_path, "out.csv", PREDICTED), truth)


def test_a_header_may_be_in_any_order(tmp_path: Path) -> None:
    text = "result,GT_offset,GT_onset,Pred_offset,Pred_onset,Video\nTP,20,10,21,11,006_1\n"
    log = read_spotting_log(write(tmp_path, "log.csv", text))
    assert shown(log) == [
        ("event", "006_1", 10, 20, "", "", None, "006"),
        ("found", "006_1", 11, 21, "", "", None, "006"),
    ]
    assert not log.has_kinds


def test_half_a_second_is_micro() -> None:
    assert [kind_by_duration(10.0, offset, 30.0) for offset in (25.0, 26.0)] == ["micro", "macro"]
    assert [kind_by_duration(0.0, offset, 200.0) for offset in (100.0, 101.0)] == ["micro", "macro"]


def test_the_table_of_videos_has_the_frame_rate_of_each(tmp_path: Path) -> None:
    videos = write(tmp_path, "v.csv", "video,frames,fps\na_1,100,200\na_2,100,\n")
    log = read_spotting_log(
        write(tmp_path, "log.csv", "a_1,0,50,,,FN\na_2,0,50,,,FN\n"), videos=videos, fps=25.0
    )
    assert [event.kind for event in log.events] == ["micro", "macro"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        ("a,b,c\n", "its first line is not that of a log: 'a,b,c'"),
        ("a,1,2,x,4,TP\n", "line 1: the onset 'x' is not a number"),
        ("a,1,2,3,,TP\n", "line 1: the offset '' is not a number"),
        ("a,1,2,3,4,TP\n,1,2,3,4,TP\n", "line 2: the video is empty"),
        ("a,1,2,3,4,TP\na,1,2,3,4,hit\n", "line 2: 'HIT' is none of TP, FP, FN"),
        ("a,1,2,3,4,TP\na,,,,,FN\n", "line 2: there is neither an event nor a prediction"),
        ("a,0,9,0,9,TP\nz,0,1,2\n", "line 2: it has 4 columns, and the first line 6: 'z,0,1,2'. Complete it"),
        ("a 0 9 0 9 TP\nz 0 1 2\n", "line 2: it has 4 columns, and the first line 6: 'z,0,1,2'. Complete it"),
        ("a,0,9,0,9,TP\nz\n", "line 2: it has 1 column, and the first line 6"),
        ("a,0,9,0,9,TP\nz,5,8\n", "line 2: it has 3 columns, and the first line 6"),
        ("a,0,9,0,9,TP\nz,1,5,1,0,9,FP\n", "line 2: it has 7 columns, and the first line 6"),
        ("video,gt_onset,gt_offset,onset,offset,kind\na,0,9,0,9\n", "line 2: it has 5 columns"),
        ("a,,,3,4,FP\n", "it contains no events to compare with"),
        ("video,onset,flag\na,1,FP\n", "a column for the onset or the offset is missing"),
        ("video,onset,offset,kind\na,1,2,long\n", "the kind 'long' is neither micro nor macro"),
        ("subject,video,gt_onset,gt_offset,onset,offset\n1,a,1,2,1,2\n,a,1,2,1,2\n", "only some of the rows"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput) as raised:
        read_spotting_log(write(tmp_path, "log.csv", text))
    assert message in str(raised.value)


def test_columns_that_are_not_read_are_told(tmp_path: Path) -> None:
    """The published log of OF-FD on CAS(ME)^2 has a number in a seventh column; a note may be left out."""
    log = read_spotting_log(write(tmp_path, "log.csv", "a,0,9,0,9,TP,micro\nb,0,9,,,FN,macro\n"))
    assert log.notes == ("The columns of log.csv after flag are not read; a header names them.",)
    header = "video,gt_onset,gt_offset,onset,offset,remark\n"
    log = read_spotting_log(write(tmp_path, "log.csv", f"{header}a,0,9,0,9\na,20,30,,,late\n"))
    assert (len(log.events), log.notes) == (2, ())


def test_events_given_twice_and_a_wrong_table_of_videos(tmp_path: Path) -> None:
    log = write(tmp_path, "log.csv", "a,1,2,3,4,TP\n")
    with pytest.raises(BadInput, match="has the events already"):
        read_spotting_log(log, truth=write(tmp_path, "t.csv", "video,onset,offset\na,1,2\n"))
    with pytest.raises(BadInput, match="columns video and frames are missing"):
        read_spotting_log(log, videos=write(tmp_path, "v.csv", "name,frames\na,5\n"))
    with pytest.raises(BadInput, match="v.csv line 2: it has 3 columns, and the first line 2"):
        read_spotting_log(log, videos=write(tmp_path, "v.csv", "video,frames\na,1,200\n"))
    with pytest.raises(BadInput, match="line 2: 0 is no frame rate"):
        read_spotting_log(log, videos=write(tmp_path, "v.csv", "video,frames,fps\na,5,0\n"))


EVENTS = "subject,video,onset,offset\n006,a,10,20\n007,a,30,40\n"


def test_a_subject_under_two_names_is_one_person(tmp_path: Path) -> None:
    """Its videos are the same ones, also in the table of videos."""
    truth = write(tmp_path, "truth.csv", EVENTS)
    videos = write(tmp_path, "videos.csv", "subject,video,frames,fps\nS06,a,99,30\n7,a,99,30\n")
    predictions = write(tmp_path, "found.csv", "subject,video,onset,offset\n6,a,11,21\n6,a,60,90\n")
    log = read_spotting_log(predictions, truth, videos)
    assert [(i.video, i.person, i.kind) for i in (*log.events, *log.predictions)] == [
        ("006/a", "006", "micro"),
        ("007/a", "007", "micro"),
        ("006/a", "006", "micro"),
        ("006/a", "006", "macro"),
    ]
    assert set(log.videos) == {"006/a", "007/a"}
    assert "'6' and '006' are counted as one person." in log.notes


@pytest.mark.parametrize(
    "text",
    ["a,11,21,006\na,31,41,007\n", "a 11 21 006\r\na 31 41 007\r\n", "a;11;21;6\na;31;41;7\n"],
)
def test_predictions_without_a_header(tmp_path: Path, text: str) -> None:
    log = read_spotting_log(write(tmp_path, "found.txt", text), write(tmp_path, "truth.csv", EVENTS))
    assert [(i.video, i.onset, i.offset) for i in log.predictions] == [("006/a", 11, 21), ("007/a", 31, 41)]


def test_pairs_separated_by_blanks_and_decimal_commas(tmp_path: Path) -> None:
    log = read_spotting_log(write(tmp_path, "log.txt", "a/b 10 20 11 21 TP\na/b - - 40 50 FP\n"))
    assert [(i.onset, i.offset) for i in log.predictions] == [(11, 21), (40, 50)] and len(log.events) == 1
    table = "video;onset;offset;score\na/b;10,5;20;0,25\n"
    events = write(tmp_path, "truth.csv", "video,onset,offset\na/b,10,20\n")
    (found,) = read_spotting_log(write(tmp_path, "found.csv", table), events).predictions
    assert (found.onset, found.score) == (10.5, 0.25)


@pytest.mark.parametrize("number", ["1,000", "1,040", "999,125", "-1,000"])
def test_a_comma_that_may_separate_thousands_is_refused(tmp_path: Path, number: str) -> None:
    log = write(tmp_path, "log.csv", f"video;gt_onset;gt_offset;onset;offset\na;1;2000;{number};2000\n")
    with pytest.raises(BadInput, match=f"log.csv line 2: '{number}' may be {number.replace(',', '')} or"):
        read_spotting_log(log)
    videos = write(tmp_path, "videos.csv", f"video;frames\na;{number}\n")
    with pytest.raises(BadInput, match=f"videos.csv line 2: '{number}' may be"):
        read_spotting_log(write(tmp_path, "log.csv", "a,1,2,3,4,TP\n"), videos=videos)


@pytest.mark.parametrize(("text", "number"), [("0,125", 0.125), ("1,04", 1.04), ("1,0400", 1.04)])
def test_other_decimal_commas_are_read(tmp_path: Path, text: str, number: float) -> None:
    log = write(tmp_path, "log.csv", f"video;gt_onset;gt_offset;onset;offset;score\na;0;2;{text};2;1,000\n")
    (found,) = read_spotting_log(log).predictions
    assert (found.onset, found.score) == (number, 1.0)


def test_fractions_are_told_because_they_may_be_seconds(tmp_path: Path) -> None:
    header = "video,gt_onset,gt_offset,onset,offset\n"
    seconds = write(tmp_path, "log.csv", f"{header}a,0.5,0.9,0.52,0.95\n")
    assert "not seconds" in "".join(read_spotting_log(seconds).notes)
    frames = write(tmp_path, "log.csv", f"{header}a,5.0,9,5,9\n")
    assert read_spotting_log(frames).notes == ()
