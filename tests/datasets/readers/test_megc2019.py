"""The composite of MEGC2019: a list against the three databases, with invented clips; and the real list."""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnet.core.errors import BadInput
from learnet.core.labels import resolve_class_scheme
from learnet.core.records import DatasetIndex
from learnet.core.settings import DatasetSubset
from learnet.datasets import DATASETS, read_dataset
from learnet.datasets.readers.megc2019 import CLASSES, PARTS, PUBLISHED, read_list
from tests.builders import written_by_hand
from tests.datasets.readers.written import samm, smic

LINES = [
    "casme2,sub01,EP90_01f,1", "casme2,sub17,EP92_3,0", "smic,s01,s01_ne_91,0", "smic,s20,s20_sur_92,2",
    "samm,6,006_1_91,0",
    "samm,37,037_7_94,2",
]  # fmt: skip
EXPECTED = [
    ("casme2", "01", "EP90_01f", "positive"), ("casme2", "17", "EP92_3", "negative"),
    ("smic", "s01", "s01_ne_91", "negative"),
    ("smic", "s20", "s20_sur_92", "surprise"), ("samm", "006", "006_1_91", "negative"),
    ("samm", "037", "037_7_94", "surprise"),
]  # fmt: skip


def write_list(path: Path, lines: list[str], end: str = "\r\n") -> Path:
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


def databases(root: Path) -> Path:
    written_by_hand.database(root / "CASME2")
    smic.owners(root / "SMIC")
    samm.database(root / "SAMM")
    return root


def composite(root: Path, lines: list[str] = LINES, **more: str) -> DatasetIndex:
    return read_dataset("megc2019", root, DatasetSubset(list=write_list(root / "list.csv", lines), **more))


def listed_fields(reading: DatasetIndex) -> list[tuple[str, str, str, str]]:
    return [(clip.dataset, clip.subject, clip.name, clip.emotion) for clip in reading.clips]


def test_the_list_says_which_clips_and_which_classes(tmp_path: Path) -> None:
    reading = composite(databases(tmp_path))
    assert listed_fields(reading) == EXPECTED
    assert [clip.fps for clip in reading.clips] == [200, 200, 100, 100, 200, 200]
    assert [clip.cropped for clip in reading.clips] == [True, True, True, True, False, False]
    assert len({clip.person for clip in reading.clips}) == 6
    assert reading.about["clips"] == "6 of 6 in the list, 6 people"
    assert "casme2 2 of 145 clips, 2 of 24 people" in reading.about["parts"]
    assert (
        resolve_class_scheme(
            "auto", [clip.dataset for clip in reading.clips], [clip.emotion for clip in reading.clips]
        ).name
        == "megc-3"
    )


def test_labels_that_the_list_overrules_are_reported_and_those_it_shares_are_not(tmp_path: Path) -> None:
    """SAMM's 037_7_94 is `Others` in its workbook, a surprise in the list; repression is negative in both."""
    (finding,) = [
        finding
        for finding in composite(databases(tmp_path)).findings
        if finding.kind == "label differs from the list"
    ]
    assert finding.where == "samm/037/037_7_94" and not finding.serious
    assert "labelled others here and surprise in the list" in finding.what


def test_a_listed_clip_that_is_not_there_is_serious_and_one_beyond_the_list_is_not(tmp_path: Path) -> None:
    root = databases(tmp_path)
    for name in ("EP92_3", "EP91f"):  # the second is not in the list
        (folder,) = (root / "CASME2").rglob(name)
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    reading = composite(root, [*LINES, "samm,6,006_9_99,1"])
    assert listed_fields(reading) == [one for one in EXPECTED if one[2] != "EP92_3"]
    missing = [finding for finding in reading.findings if finding.kind == "listed clip missing"]
    assert [finding.where for finding in missing] == ["casme2/sub17/EP92_3", "samm/6/006_9_99"]
    assert all(finding.serious for finding in missing) and "list.csv line 7" in missing[1].what
    rows = {
        finding.where: finding.serious for finding in reading.findings if finding.kind == "row without folder"
    }
    assert rows == {"casme2/02/EP91f": False, "casme2/17/EP92_3": True}


def test_raw_takes_the_pictures_as_they_were_filmed(tmp_path: Path) -> None:
    root = databases(tmp_path)
    written_by_hand.raw(root / "CASME2" / "CASME2_RAW")
    reading = composite(root, tree="raw")
    assert listed_fields(reading) == EXPECTED and not any(clip.cropped for clip in reading.clips)


def test_the_databases_may_be_links(tmp_path: Path) -> None:
    databases(tmp_path / "elsewhere")
    for name in ("CASME2", "SMIC", "SAMM"):
        (tmp_path / "here").mkdir(exist_ok=True)
        (tmp_path / "here" / name).symlink_to(tmp_path / "elsewhere" / name)
    assert listed_fields(composite(tmp_path / "here")) == EXPECTED


def test_a_database_that_is_not_there_stops(tmp_path: Path) -> None:
    written_by_hand.database(tmp_path / "CASME2")
    with pytest.raises(
        BadInput,
        match="MEGC2019 needs CASME II, SMIC, SAMM below one folder; SMIC and SAMM are not there. Put",
    ):
        composite(tmp_path)
    assert listed_fields(composite(tmp_path, LINES[:2])) == EXPECTED[:2]


@pytest.mark.parametrize("away, title", [("CASME2", "CASME II"), ("SMIC", "SMIC"), ("SAMM", "SAMM")])
def test_the_one_database_that_is_not_there_is_named(tmp_path: Path, away: str, title: str) -> None:
    shutil.rmtree(databases(tmp_path) / away)
    with pytest.raises(BadInput, match=f"below one folder; {title} is not there"):
        composite(tmp_path)


def test_a_database_that_is_there_and_damaged_is_explained(tmp_path: Path) -> None:
    (databases(tmp_path) / "SAMM" / samm.NAME).write_bytes(b"PK and no more")
    with pytest.raises(BadInput, match="damaged or cut short"):
        composite(tmp_path)


def test_a_workbook_that_another_of_the_three_uses_is_no_finding(tmp_path: Path) -> None:
    """CASME II's reader rightly refuses SAMM's workbook by its emotions; a damaged one is still reported."""
    assert "workbook not used" not in written_by_hand.kinds(composite(databases(tmp_path)))
    (tmp_path / "CASME2" / "CASME2_label_Ver_2.xls").write_bytes(b"PK and no more")
    reported = {
        finding.where for finding in composite(tmp_path).findings if finding.kind == "workbook not used"
    }
    assert reported == {"CASME2_label_Ver_2.xls"}


def test_without_the_list_it_stops_and_says_which(tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match="needs the organisers' list. Give their combined_3class_gt.csv as list"
    ):
        read_dataset("megc2019", databases(tmp_path))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\n,,,\r\n", "\n\n"])
def test_lines_of_commas_and_line_ends_do_not_matter(tmp_path: Path, end: str) -> None:
    listed = read_list(write_list(tmp_path / "list.csv", LINES, end))
    assert [(one.dataset, one.subject, one.clip, CLASSES.index(one.emotion)) for one in listed] == [
        (*line.split(",")[:3], int(line[-1])) for line in LINES
    ]


def test_a_header_and_further_columns_are_passed_over(tmp_path: Path) -> None:
    lines = ["data,subject,clip,label,apex", *(f"{line},17" for line in LINES)]
    assert len(read_list(write_list(tmp_path / "list.csv", lines))) == 6


@pytest.mark.parametrize(
    "line, said",
    [
        (
            "casme2,sub01,EP90_01f,3",
            "list.csv line 7: 'casme2,sub01,EP90_01f,3' is not `database,subject,clip,class`",
        ),
        ("casme,sub01,EP90_01f,1", "list.csv line 7"),
        ("casme2,sub01", "list.csv line 7"),
        ("casme2,he,EP90_01f,1", "'he' is not a subject's number"),
        ("smic,s1,s1_ne_91,1", "s1_ne_91 is already in line 3"),
    ],
)
def test_a_line_that_is_not_understood_stops_with_its_place(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read_list(write_list(tmp_path / "list.csv", [*LINES, line]))
    assert said in str(refusal.value)


def test_no_list_a_folder_an_empty_one(tmp_path: Path) -> None:
    for path, said in (
        (tmp_path / "gone.csv", "cannot be read"),
        (tmp_path, "a folder"),
        (write_list(tmp_path / "e.csv", []), "is empty"),
    ):
        with pytest.raises(BadInput, match=said):
            read_list(path)
    with pytest.raises(BadInput, match="names no clips"):
        read_list(write_list(tmp_path / "commas.csv", [",,,", ",,,"]))


@given(
    st.integers(1, 30),
    st.sampled_from(["ne", "po", "sur"]),
    st.integers(1, 40),
    st.sampled_from(["s{}", "s{:02d}", "S{:02d}"]),
)
def test_smic_is_matched_however_it_is_padded(
    tmp_path_factory, person: int, code: str, clip: int, form: str
) -> None:
    path = tmp_path_factory.mktemp("list") / "list.csv"
    subject = form.format(person)
    (one,) = read_list(write_list(path, [f"smic,{subject},{subject}_{code}_{clip:02d},0"]))
    assert one.key == ("smic", person, f"s{person}_{code}_{clip:02d}")


def test_the_organisers_own_file(shared: Path) -> None:
    listed = read_list(shared / "real" / "combined_3class_gt.csv")
    assert len(listed) == 442 and len({one.key[:2] for one in listed}) == 68
    assert Counter(one.emotion for one in listed) == PUBLISHED
    for name, (clips, people) in PARTS.items():
        part = [one for one in listed if one.dataset == name]
        assert (len(part), len({one.key[1] for one in part})) == (clips, people)
    assert sum(clips for clips, _ in PARTS.values()) == sum(PUBLISHED.values()) == 442
    assert DATASETS["megc2019"].people == sum(people for _, people in PARTS.values()) == 68
    assert Counter(one.emotion for one in listed if one.dataset == "samm") == {
        "negative": 92,
        "positive": 26,
        "surprise": 15,
    }


def of_the_list(root: Path) -> Path:
    """One clip of each database in the organisers' list, by name alone; frames and labels are invented."""
    rows = [("01", "EP02_01f", 46, 59, 86, "12", "happiness")]
    written_by_hand.nine_columns(root / "CASME2" / "CASME2-coding-20140508.xlsx", rows)
    written_by_hand.cropped(root / "CASME2" / "Cropped", rows)
    smic.tree(root / "SMIC" / "SMIC_all_cropped" / "HS", [("s1", "micro/negative", "s1_ne_01", 500, 520)])
    samm.database(
        root / "SAMM", [("006", "006_1_2", 1, 5562, 5588, 5632, 71, "Micro - 1/2", "4+7", "Anger", 3, None)]
    )
    return root


def test_a_list_that_was_cut_at_the_end_of_a_line_is_serious(shared: Path, tmp_path: Path) -> None:
    """By a line, by a database; of a synthetic database it is no matter."""
    lines = (shared / "real" / "combined_3class_gt.csv").read_text().split()
    root, kind = of_the_list(tmp_path), "list differs from the organisers'"
    assert kind not in written_by_hand.kinds(composite(root, lines))
    reported = written_by_hand.of_kind(composite(root, lines[:-1]), kind)
    assert reported.serious and reported.where == "list.csv"
    assert re.fullmatch(r"samm 132 clips of \d+ people, not 133 of 28; \d+ \w+, not \d+", reported.what)
    reported = written_by_hand.of_kind(
        composite(root, [line for line in lines if not line.startswith("samm")]), kind
    )
    assert reported.serious and reported.what.startswith(
        "samm 0 clips of 0 people, not 133 of 28; 158 negative, not 250; "
    )
    swapped = [lines[0][:-1] + "2", *lines[1:]]
    assert (
        written_by_hand.of_kind(composite(root, swapped), kind).what
        == "108 positive, not 109; 84 surprise, not 83"
    )
    (root / "SYNTHETIC.txt").touch()
    assert kind not in written_by_hand.kinds(composite(root, lines[:-1]))


def test_only_the_fast_camera_of_smic_is_listed(tmp_path: Path) -> None:
    """VIS alone has clips of the same names; they are not those of the list."""
    written_by_hand.database(tmp_path / "CASME2")
    smic.tree(tmp_path / "SMIC" / "SMIC_all_cropped" / "VIS", smic.slow(smic.CLIPS, 500))
    samm.database(tmp_path / "SAMM")
    with pytest.raises(BadInput):
        composite(tmp_path)
