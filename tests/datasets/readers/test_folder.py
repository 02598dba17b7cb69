"""Clips of one's own: both layouts, and every mistake stopped with its place."""

from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnet.core.errors import BadAnnotation, BadInput, BadVideo
from learnet.core.labels import UnknownLabel
from learnet.core.records import Clip
from learnet.core.settings import DatasetSubset
from learnet.datasets.readers.folder import read
from learnet.video.libav import MISSING_FRAMES
from learnet.video.writer import write_video
from tests.builders.videos import cut, mux, numbered
from tests.builders.written_by_hand import images


@pytest.fixture(scope="session")
def movie(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An .avi of 12 frames at 50 per second."""
    path = tmp_path_factory.mktemp("movie") / "movie.avi"
    write_video(path, [np.full((32, 32, 3), shade, np.uint8) for shade in range(0, 240, 20)], 50.0, "mjpeg")
    return path.read_bytes()


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def clip_fields(clip: Clip) -> tuple[object, ...]:
    return (clip.subject, clip.name, clip.emotion, clip.onset, clip.apex, clip.offset, clip.fps)


def test_a_tree_of_people_emotions_and_clips(tmp_path: Path, movie: bytes) -> None:
    put(tmp_path / "ann" / "Happy" / "one.avi", movie)
    put(tmp_path / "ann" / "disgust" / "one.AVI", movie)
    images(tmp_path / "bob" / "surprise" / "one", range(7, 20), "frame_{:04d}.png")
    put(tmp_path / "bob" / "surprise" / "Thumbs.txt", b"")
    put(tmp_path / ".git" / "x", b"")
    reading = read(tmp_path)
    assert [clip_fields(clip) for clip in reading.clips] == [
        ("ann", "Happy-one", "happiness", 0, None, 11, 50.0),
        ("ann", "disgust-one", "disgust", 0, None, 11, 50.0),
        ("bob", "surprise-one", "surprise", 7, None, 19, 25.0),
    ]
    assert {clip.apex_source for clip in reading.clips} == {"none"} and not any(
        clip.cropped for clip in reading.clips
    )
    assert sorted(finding.kind for finding in reading.findings) == ["file passed over", "frame rate assumed"]


def write_labels(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_labels_name_the_clips(tmp_path: Path, movie: bytes) -> None:
    put(tmp_path / "a" / "one.avi", movie)
    images(tmp_path / "two", range(100, 121), "img{}.jpg")
    write_labels(
        tmp_path / "labels.csv",
        "path,subject,emotion,onset,apex,offset,fps,name,Remarks",
        "a/one.avi,01,sad,,,,,,nice",
        "a/one.avi,01,Surprise,2,5,8,,,",
        "a\\one.avi,01,fear,3,,9,,third,",
        "two,02,others,105,,115,200,,",
    )
    reading = read(tmp_path)
    assert [clip_fields(clip) for clip in reading.clips] == [
        ("01", "one", "sadness", 0, None, 11, 50.0),
        ("01", "one-2-8", "surprise", 2, 5, 8, 50.0),
        ("01", "third", "fear", 3, None, 9, 50.0),
        ("02", "two-105-115", "others", 105, None, 115, 200.0),
    ]
    assert [clip.path for clip in reading.clips][-1] == tmp_path / "two"
    (finding,) = reading.findings
    assert finding.kind == "columns not used" and finding.what.startswith("Remarks")


def test_clips_without_a_row_are_counted_and_the_first_is_named(tmp_path: Path, movie: bytes) -> None:
    images(tmp_path / "Ann" / "one", range(1, 4), "img{}.jpg")
    images(tmp_path / "Bo" / "two" / "only", range(1, 4), "img{}.jpg")
    put(tmp_path / "Bo" / "three.avi", movie)
    put(tmp_path / "Bo" / "three.eaf", b"")
    images(tmp_path / ".cache" / "four", range(1, 4), "img{}.jpg")
    images(tmp_path / "plots", [1], "figure{}.png")
    labels = ("path,subject,emotion", "Ann/one,ann,sad", "Bo/two,bo,sad")
    write_labels(tmp_path / "labels.csv", *labels, "Bo/three.avi,bo,fear")
    assert "clip without row" not in {finding.kind for finding in read(tmp_path).findings}

    images(tmp_path / "Cy" / "five", range(1, 4), "img{}.jpg")
    write_labels(tmp_path / "labels.csv", *labels)
    (finding,) = [finding for finding in read(tmp_path).findings if finding.kind == "clip without row"]
    assert finding.where == "Bo/three.avi" and not finding.serious
    assert finding.what.startswith("2 videos and folders of images without a row in labels.csv")


def test_action_units_are_read_and_may_be_missing(tmp_path: Path) -> None:
    """As text in a table, and as text and numbers in a workbook. A code that would be misread stops."""
    images(tmp_path / "one", range(5), "{}.png")
    images(tmp_path / "two", range(5), "{}.png")
    header = "path,subject,emotion,Action Units"
    write_labels(tmp_path / "labels.csv", header, "one,ann,sad,1+L4", "two,ann,sad,-")
    assert [clip.action_units for clip in read(tmp_path).clips] == ["1+L4", ""]
    assert "columns not used" not in [finding.kind for finding in read(tmp_path).findings]
    write_labels(tmp_path / "labels.csv", header, "one,ann,sad,1 4", "two,ann,sad,")
    with pytest.raises(BadAnnotation, match=r"row 2: the action units '1 4' cannot be read.*as 4\+7\+L10"):
        read(tmp_path)
    write_labels(tmp_path / "labels.csv", header, "one,ann,sad,1", "two,ann,sad,99")
    with pytest.raises(BadAnnotation, match=r"row 3: the action units '99' cannot be read: FACS has no unit"):
        read(tmp_path)
    (tmp_path / "labels.csv").unlink()
    book = openpyxl.Workbook()
    book.active.append(["path", "subject", "emotion", "AU"])
    book.active.append(["one", "ann", "sad", 12])
    book.active.append(["two", "ann", "sad", "R12"])
    book.save(tmp_path / "labels.xlsx")
    assert [clip.action_units for clip in read(tmp_path).clips] == ["12", "R12"]


ZOE, ZOE_APART = "Zo\u00eb", "Zoe\u0308"  # one name: with the letter ë, and with e and two dots


def test_a_name_in_two_normal_forms_is_one_person(tmp_path: Path, movie: bytes) -> None:
    """Two people would stand on both sides of a fold."""
    put(tmp_path / "tree" / ZOE / "sad" / "one.avi", movie)
    put(tmp_path / "tree" / ZOE_APART / "sad" / f"{ZOE_APART}.avi", movie)
    clips = read(tmp_path / "tree").clips
    assert {clip.person for clip in clips} == {f"folder/{ZOE}"} and {clip.name for clip in clips} == {
        "sad-one",
        f"sad-{ZOE}",
    }
    write_labels(tmp_path / "tree" / "labels.csv", "path,subject,emotion", f"{ZOE}/sad/one.avi,{ZOE},sad",
                 f"{ZOE_APART}/sad/{ZOE_APART}.avi,{ZOE_APART},sad")  # fmt: skip
    assert {clip.person for clip in read(tmp_path / "tree").clips} == {f"folder/{ZOE}"}


@pytest.mark.parametrize("written, lies", [(ZOE, ZOE_APART), (ZOE_APART, ZOE)])
@pytest.mark.parametrize("between", ["/", "\\"])
def test_a_path_is_found_in_any_normal_form(
    tmp_path: Path, movie: bytes, written: str, lies: str, between: str
) -> None:
    path = put(tmp_path / lies / "a" / f"{lies}.avi", movie)
    write_labels(
        tmp_path / "labels.csv", "path,subject,emotion", f"{between.join((written, 'a', written))}.avi,x,sad"
    )
    (clip,) = read(tmp_path).clips
    assert clip.path == path and clip.name == ZOE


def test_labels_may_be_a_workbook_and_win_over_the_tree(tmp_path: Path) -> None:
    images(tmp_path / "ann" / "fear" / "one", range(5), "{}.png")
    book = openpyxl.Workbook()
    book.active.append(["path", "subject", "emotion"])
    book.active.append(["ann/fear/one", 7, "disgust"])
    book.save(tmp_path / "labels.xlsx")
    assert [clip_fields(clip)[:3] for clip in read(tmp_path).clips] == [("7", "one", "disgust")]


@given(st.integers(0, 2), st.sampled_from([str, str.upper, str.title]), st.booleans())
@settings(max_examples=15, deadline=None)
def test_doubled_levels_and_case_do_not_matter(tmp_path_factory, levels: int, case, labelled: bool) -> None:
    root = tmp_path_factory.mktemp("nest")
    top = root.joinpath(*["clips"] * levels)
    images(top / "ann" / case("fear") / "one", range(3), "{}.png")
    if labelled:
        write_labels(
            top / case("labels.csv"), "Path;Subject;EMOTION", f"ann/{case('fear')}/one;ann;{case('fear')} "
        )
    assert [clip_fields(clip)[2:6] for clip in read(root).clips] == [("fear", 0, None, 2)]


def test_one_person_is_not_taken_for_a_doubled_level(tmp_path: Path) -> None:
    images(tmp_path / "ann" / "fear" / "one", range(3), "{}.png")
    assert read(tmp_path).clips[0].subject == "ann"


def test_gaps_in_the_numbers_are_reported(tmp_path: Path) -> None:
    images(tmp_path / "ann" / "fear" / "one", [1, 2, 3, 7, 8, 9], "{}.png")
    (finding,) = [finding for finding in read(tmp_path).findings if finding.kind == "frames missing"]
    assert finding.serious and "3 of the 9 frames 1..9" in finding.what


@pytest.mark.parametrize(
    "row, said",
    [
        ("gone.avi,ann,fear,,,", "row 2: there is no file or folder 'gone.avi'"),
        ("one.avi,ann,fear,4,,12", "offset 12 is not among the clip's frames 4..11"),
        ("one.avi,ann,fear,9,,3", "row 2: onset 9 is not among"),
        ("one.avi,ann,fear,3,2,9", "apex 2 is not among the clip's frames 3..9"),
        ("one.avi,ann,fear,x,,9", "'x' is not a whole number"),
        ("one.avi,,fear,1,,9", "row 2: there is no subject"),
        ("one.avi,ann,,1,,9", "row 2: there is no emotion"),
        ("empty,ann,fear,,,", "holds no images"),
    ],
)
def test_a_wrong_row_stops_with_its_place(tmp_path: Path, movie: bytes, row: str, said: str) -> None:
    put(tmp_path / "one.avi", movie)
    (tmp_path / "empty").mkdir()
    write_labels(tmp_path / "labels.csv", "path,subject,emotion,onset,apex,offset", row)
    with pytest.raises(BadAnnotation) as refusal:
        read(tmp_path)
    assert said in str(refusal.value)


@pytest.mark.parametrize("fps", ["0", "-5", "fast", "inf"])
def test_a_wrong_frame_rate_stops(tmp_path: Path, fps: str) -> None:
    images(tmp_path / "one", range(3), "{}.png")
    write_labels(tmp_path / "labels.csv", "path,subject,emotion,fps", f"one,ann,fear,{fps}")
    with pytest.raises(BadAnnotation, match="row 2"):
        read(tmp_path)


def test_a_missing_column_and_no_rows(tmp_path: Path) -> None:
    write_labels(tmp_path / "labels.csv", "path,person,feeling", "one,ann,fear")
    with pytest.raises(BadInput, match=r"lacks the column emotion.*'feeling'"):
        read(tmp_path)
    write_labels(tmp_path / "labels.csv", "path,subject,emotion")
    with pytest.raises(BadInput, match="names no clips"):
        read(tmp_path)


def test_two_clips_of_one_name_stop(tmp_path: Path, movie: bytes) -> None:
    put(tmp_path / "ann" / "fear" / "one.avi", movie)
    put(tmp_path / "ann" / "fear" / "one.mp4", movie)
    with pytest.raises(BadAnnotation, match="two clips of ann are named 'fear-one'"):
        read(tmp_path)


def test_an_unknown_emotion_stops(tmp_path: Path, movie: bytes) -> None:
    put(tmp_path / "ann" / "fear" / "one.avi", movie)
    for clip in ("ann/glee/one.avi", "bob/glee/one.avi", "bob/hapiness/two.avi"):
        put(tmp_path / clip, movie)
    with pytest.raises(UnknownLabel) as refusal:
        read(tmp_path)
    said = str(refusal.value)
    assert "2 labels are not known: 'glee' (2: ann/glee/one.avi, bob/glee/one.avi), 'hapiness' (1: " in said
    assert "Did you mean 'happiness' for 'hapiness'?" in said and "--label-map" in said


def test_words_of_ones_own(tmp_path: Path, movie: bytes) -> None:
    """Everyday words are accepted and told; others mean what the label map says."""
    for clip in ("ann/Joy/one.avi", "ann/happy/two.avi", "bob/glee/one.avi", "bob/neutral/one.avi"):
        put(tmp_path / "clips" / clip, movie)
    (tmp_path / "map.toml").write_text('[labels]\nglee = "happiness"\n')
    index = read(tmp_path / "clips", DatasetSubset(label_map=tmp_path / "map.toml"))
    emotions = {clip.name: clip.emotion for clip in index.clips}
    assert emotions == {
        "Joy-one": "happiness",
        "happy-two": "happiness",
        "glee-one": "happiness",
        "neutral-one": "none",
    }
    assert index.about["labels read"] == "Joy as happiness (1), glee as happiness (1), neutral as none (1)"


def test_words_in_a_table_are_told_with_their_rows(tmp_path: Path, movie: bytes) -> None:
    put(tmp_path / "one.avi", movie)
    rows = ["one.avi,ann,glee,1,2", "one.avi,ann,fear,2,3", "one.avi,bob,glee,3,4"]
    write_labels(tmp_path / "labels.csv", "path,subject,emotion,onset,offset", *rows)
    with pytest.raises(UnknownLabel, match=r"'glee' \(2: row 2, row 4\)"):
        read(tmp_path)


@pytest.mark.parametrize(
    "paths, said",
    [
        (["fear/one.avi", "happy/one.avi"], "the folders in it are emotions"),
        (["one.avi"], "neither labels nor folders of people"),
        (["ann/one.avi"], "the emotion is missing"),
        (["ann/fear/one.avi", "two.avi"], "there are clips beside the folders of people"),
        (["ann/fear/1.png", "ann/fear/2.png"], "there are images directly in an emotion's folder"),
        (["ann/fear/readme.txt"], "there are no clips in it"),
    ],
)
def test_a_layout_that_is_not_one(tmp_path: Path, movie: bytes, paths: list[str], said: str) -> None:
    for path in paths:
        put(tmp_path / path, movie)
    with pytest.raises(BadInput, match=said):
        read(tmp_path)


def test_wrong_roots_and_broken_videos(tmp_path: Path, movie: bytes) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        read(tmp_path / "absent")
    with pytest.raises(BadInput, match="empty"):
        read(tmp_path)
    put(tmp_path / "ann" / "fear" / "one.avi", b"not a video")
    with pytest.raises(BadVideo, match="one.avi"):
        read(tmp_path)


def test_a_container_that_tells_no_number_of_frames(tmp_path: Path) -> None:
    path = tmp_path / "ann" / "fear" / "one.mkv"
    path.parent.mkdir(parents=True)
    write_video(path, [np.full((32, 32, 3), shade, np.uint8) for shade in range(9)], 30.0)
    assert read(tmp_path).clips[0].offset == 8


def test_videos_that_lack_frames_are_serious_and_varying_rates_are_told(tmp_path: Path) -> None:
    """The first is cut off in the middle, which no header of Matroska tells by number."""
    frames = numbered(40)
    whole = mux(tmp_path / "one.mkv", frames, codec="mjpeg")
    put(tmp_path / "tree" / "ann" / "sad" / "one.mkv", cut(whole, 0.5).read_bytes())
    stamps = [number * 40 + 90 * (number // 3) for number in range(40)]
    varying = mux(tmp_path / "two.mp4", frames, stamps)
    put(tmp_path / "tree" / "bob" / "sad" / "two.mp4", varying.read_bytes())
    reading = read(tmp_path / "tree")
    (lost,) = [finding for finding in reading.findings if finding.kind == "video not whole"]
    assert lost.serious and lost.where.endswith("one.mkv")
    count, kind = lost.what.split(" ", 1)
    assert kind == MISSING_FRAMES and 15 < int(count) < 25
    (rate,) = [finding for finding in reading.findings if finding.kind == "frame rate varies"]
    assert not rate.serious and rate.where.endswith("two.mp4")
    mean = 39 / (stamps[-1] / 1000)
    assert rate.what == f"its mean is {mean:.4g} per second"
    assert reading.clips[1].fps == pytest.approx(mean, rel=1e-3)
