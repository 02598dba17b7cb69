"""The table of databases, and reading by name."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from learnet.core.errors import BadInput, LearnetError, UnknownName
from learnet.core.labels import DEFAULT_SCHEMES, EMOTIONS, SCHEMES
from learnet.core.settings import DatasetSubset
from learnet.datasets import DATASETS, check_selection, read_dataset
from learnet.datasets.readers.reading.dataset import Dataset
from tests.builders.written_by_hand import clips, database, images, nine_columns


def test_every_dataset_is_called_by_its_name_and_uses_known_words() -> None:
    assert set(DATASETS) == {*DEFAULT_SCHEMES, "folder"}
    for name, dataset in DATASETS.items():
        assert dataset.name == name
        assert dataset.default_scheme in {*SCHEMES, "auto"}
        assert set(dataset.published) <= set(EMOTIONS)
        assert dataset.access and dataset.title
        assert bool(dataset.published or dataset.people) <= bool(dataset.published_source)
        assert dataset.options.keys() <= {"tree", "part", "expressions", "list", "label_map"}
        for sign in dataset.signatures:
            re.compile(sign)


def test_a_misspelt_dataset_gets_a_suggestion(tmp_path: Path) -> None:
    for name in ("casme22", "CASME2", "Casme-2"):
        with pytest.raises(UnknownName, match="Did you mean 'casme2'"):
            read_dataset(name, tmp_path)


def test_a_selection_that_the_database_does_not_have_is_refused_with_what_it_has(tmp_path: Path) -> None:
    database(tmp_path)
    with pytest.raises(
        LearnetError,
        match="CASME II has no part. It accepts tree cropped|cropped-updated|raw-selected|raw",
    ):
        read_dataset("casme2", tmp_path, DatasetSubset(part="HS"))
    with pytest.raises(
        LearnetError, match="CASME II has no tree 'crop'. Choose from cropped, cropped-updated"
    ):
        read_dataset("casme2", tmp_path, DatasetSubset(tree="crop"))
    with pytest.raises(
        LearnetError, match="Clips of your own has no tree. It accepts label map, expressions micro|macro|all"
    ):
        check_selection(DATASETS["folder"], DatasetSubset(tree="raw"))
    check_selection(replace(DATASETS["folder"], options={"list": ()}), DatasetSubset(list=Path("any.csv")))
    assert clips(read_dataset("casme2", tmp_path, DatasetSubset(tree="cropped"))) == clips(
        read_dataset("casme2", tmp_path)
    )


SAMPLES = {
    "casme": ("Section A/Section A.xls", "Section A/sub01/EP91_5"),
    "casme2": ("CASME2-coding-20140508.xlsx", "Cropped/sub01/EP90_01f"),
    "casme-sq": ("CAS(ME)^2code_final.xlsx", "selectedpic/s15/anger1_1"),
    "smic": (None, "HS/s1/micro/negative/s1_ne_91"),
    "smic-e": ("SMIC-HS-E_annotation.xlsx", "SMIC-HS-E/s01/s1_ne_91"),
    "samm": ("SAMM_Micro_FACS_Codes_v2.xlsx", "SAMM/006/006_1_91"),
    "mmew": ("MMEW_Micro_Exp.xlsx", "Micro_Expression/happiness/S01-01-091"),
    "casme3": ("cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", "Part_A_ME_clip/frame/spNo.901_a_355"),
    "4dme": ("4DME_Labelling_Micro_release v1.xlsx", "gray_micro/S91/S91_1st_001_01_1"),
    "dfme": ("training_full_with_AU.xlsx", "train_data/train_data/sub0091_01"),
}
"""Names as each database has them: a workbook, and a clip's folder."""


@pytest.mark.parametrize("there", SAMPLES)
@pytest.mark.parametrize("asked", SAMPLES)
def test_the_wrong_database_is_named(tmp_path: Path, there: str, asked: str) -> None:
    """Every database asked for where every other one lies. The workbooks hold nothing that could be used."""
    book, folder = SAMPLES[there]
    images(tmp_path / folder, [1, 2, 3])
    if book:
        nine_columns(tmp_path / book, [], header=["a", "b"])
    if there == asked:
        return
    with pytest.raises(BadInput) as refusal:
        read_dataset(asked, tmp_path)
    wanted, found = DATASETS[asked], DATASETS[there]
    assert f"this looks like {found.title}, not {wanted.title}" in str(refusal.value), (
        f"{there} asked as {asked}"
    )
    assert f"Read it as `{there}`" in refusal.value.hint


def test_a_folder_of_nothing_known_looks_like_nothing(tmp_path: Path) -> None:
    images(tmp_path / "holiday" / "2019", [1, 2, 3])
    with pytest.raises(BadInput, match="there are no folders of clips"):
        read_dataset("casme2", tmp_path)


def test_faces_are_hidden_only_where_a_licence_is_known_to_forbid_them() -> None:
    assert {
        name: dataset.hidden_subjects for name, dataset in DATASETS.items() if dataset.hidden_subjects
    } == {"casme2": ("12", "22")}
    assert not Dataset("x", "X", DATASETS["casme2"].read, 25.0).is_hidden("12")


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_the_selections_on_its_page_are_those_it_has(name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "datasets" / f"{name}.md").read_text()
    for field, value in re.findall(r"--(tree|part|expressions) ([A-Za-z-]+)", page):
        check_selection(DATASETS[name], DatasetSubset(**{field: value}))
    for call in re.findall(r"`read\((.*?)\)`", page):
        values = re.fullmatch(r"root, Selection\((\w+)=\"([\w-]+)\"\)", call)
        assert values, f"read({call}) is no call of the loader"
        check_selection(DATASETS[name], DatasetSubset(**{values[1]: values[2]}))
