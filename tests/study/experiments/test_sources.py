"""Folders that a user names, matched with the databases and preparations that a recipe names."""

import json
import shutil
from pathlib import Path

import pytest

from learnet.core.errors import BadInput, LearnetError, UnknownName
from learnet.datasets import DATASETS, recognise_databases
from learnet.datasets.prepared.store import PreparedDataset
from learnet.datasets.synthetic.databases import synthesize
from learnet.datasets.synthetic.layouts import LAYOUTS
from learnet.study.experiments.recipe import Recipe
from learnet.study.experiments.recipe_files import parse_recipe
from learnet.study.experiments.sources import (
    AvailableData,
    Root,
    find_available_data,
    resolve_sources,
    unused_data,
)
from tests.builders.written_study import write_prepared

SIGNS = {
    "casme": "Section A/sub01/EP01_2",
    "casme2": "Cropped/sub01/EP02_01f",
    "casme-sq": "rawpic/s15/15_0101disgustingteeth",
    "samm": "SAMM/006/006_1_2",
    "smic": "HS/s1/micro/negative/s1_ne_01",
    "mmew": "Micro/happiness/S01-01-001",
}
"""A clip's folder of each of some databases, as their pages in docs/datasets write it."""


def lay(root: Path, *names: str) -> Path:
    for name in names:
        (root / SIGNS[name]).mkdir(parents=True)
    return root


def recipe(*databases: str, top: str = "", more: str = "") -> Recipe:
    entries = "".join(f'[[databases]]\nname = "{name}"\nclasses = "megc-3"\n' for name in databases)
    return parse_recipe(
        f'title = "t"\nclaim = "c"\nsource = "s"\nnetworks = ["majority"]\n{top}\n{entries}{more}', "r.toml"
    )


def change(folder: Path, **about: object) -> Path:
    """A prepared folder that says something else of itself."""
    file = folder / "prepare.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | about))
    return folder


PREPARED = "[preparation]\nsize = 28"  # as write_prepared makes them


@pytest.mark.parametrize("name", SIGNS)
def test_a_database_is_recognised_by_what_lies_in_it(name: str, tmp_path: Path) -> None:
    assert list(recognise_databases(lay(tmp_path / "some folder", name))) == [name]


@pytest.mark.parametrize("name", sorted(LAYOUTS.keys() & DATASETS.keys()))
def test_every_layout_is_recognised_as_itself_alone(name: str, tmp_path: Path) -> None:
    synthesize(tmp_path / "x", name, people=1, clips_per_person=1, jobs=1)
    assert list(recognise_databases(tmp_path / "x")) == [name]
    assert find_available_data([str(tmp_path / "x")]).roots == {name: tmp_path / "x"}


def test_one_folder_may_hold_several_and_the_composite_where_its_list_is(tmp_path: Path) -> None:
    lay(tmp_path, "casme2", "smic")
    (tmp_path / "link").symlink_to(lay(tmp_path.with_name("elsewhere"), "samm"))
    assert find_available_data([str(tmp_path)]).roots.keys() == {"casme2", "smic", "samm"}
    (tmp_path / "combined_3class_gt.csv").touch()
    found = find_available_data([str(tmp_path)])
    assert found.roots.keys() == {"casme2", "smic", "samm", "megc2019"}
    (part,) = resolve_sources(recipe("megc2019"), found)["megc2019", ""]
    assert isinstance(part, Root) and part.listed == tmp_path / "combined_3class_gt.csv"


def test_said_outright(tmp_path: Path) -> None:
    odd = tmp_path / "casme2=new"
    odd.mkdir()
    assert find_available_data([f"smic={odd}"]).roots == {"smic": odd}
    assert find_available_data([str(lay(odd, "samm"))]).roots == {"samm": odd}  # = in its own name
    with pytest.raises(UnknownName, match="Did you mean 'casme2'"):
        find_available_data([f"casme22={odd}"])
    with pytest.raises(BadInput, match="there is no such folder"):
        find_available_data([str(tmp_path / "nowhere")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        BadInput, match=r"no database is recognised in it. Say which one it is, as in --data casme2="
    ):
        find_available_data([str(tmp_path / "empty")])


def test_two_folders_of_one_database_must_be_told_apart(tmp_path: Path) -> None:
    one, other = lay(tmp_path / "1", "samm"), lay(tmp_path / "2", "samm")
    assert find_available_data([str(one), str(one)]).roots == {"samm": one}
    with pytest.raises(LearnetError, match="Both .*1 and .*2 look like SAMM"):
        find_available_data([str(one), str(other)])


def test_each_database_gets_its_own_folder_and_what_is_missing_is_named(tmp_path: Path) -> None:
    offer = AvailableData({"samm": tmp_path / "s", "casme2": tmp_path / "c", "mmew": tmp_path / "m"})
    asked = recipe("casme2", "samm", more='[preparation]\nmotion = ["dynamic", "difference"]')
    found = {
        key: [(part.database.name, part.folder.name) for part in parts]
        for key, parts in resolve_sources(asked, offer).items()
    }
    assert found == {
        ("casme2", "dynamic"): [("casme2", "c")],
        ("casme2", "difference"): [("casme2", "c")],
        ("samm", "dynamic"): [("samm", "s")],
        ("samm", "difference"): [("samm", "s")],
    }
    pooled = resolve_sources(recipe("casme2", "samm", top="pooled = true"), offer)
    assert [part.database.name for part in pooled["casme2+samm", ""]] == ["casme2", "samm"]
    with pytest.raises(LearnetError) as refused:
        resolve_sources(recipe("casme", "casme2", "smic"), offer)
    assert str(refused.value) == (
        "The recipe needs CASME (casme), SMIC (smic), which --data does not name. "
        "Add its folder to --data; or run the rest: --only casme2."
    )


def test_a_prepared_folder_that_fits_is_used_before_the_database(tmp_path: Path) -> None:
    ready = write_prepared(tmp_path / "ready", people=2)
    offer = find_available_data([str(ready), str(lay(tmp_path / "raw", "casme2"))])
    (part,) = resolve_sources(recipe("casme2", more=PREPARED), offer)["casme2", ""]
    assert isinstance(part, PreparedDataset) and part.folder == ready
    (part,) = resolve_sources(recipe("casme2"), offer)["casme2", ""]  # 112 pixels are asked for
    assert isinstance(part, Root)
    both = resolve_sources(
        recipe("casme2", more='[preparation]\nmotion = ["dynamic", "difference"]\nsize = 28'), offer
    )
    assert [type(part).__name__ for (part,) in both.values()] == ["PreparedDataset", "Root"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("size = 32", "size is 28, not 32"),
        ("size = 28\nmotion = 'difference'", "motion is dynamic, not difference"),
        ("size = 28\nface = 'haar'", "face is auto, not haar"),
        ("size = 28\nnormalise = 'signed'", "normalise is joint-minmax, not signed"),
    ],
)
def test_one_that_was_prepared_otherwise_is_not_and_why_is_said(
    settings: str, says: str, tmp_path: Path
) -> None:
    ready = write_prepared(tmp_path / "ready", people=2)
    with pytest.raises(LearnetError, match=f"needs CASME II .*ready does not fit: {says}") as refused:
        resolve_sources(
            recipe("casme2", more=f"[preparation]\n{settings}"), find_available_data([str(ready)])
        )
    assert "try it with --synthetic" in str(refused.value)


def test_other_clips_do_not_fit(tmp_path: Path) -> None:
    two = write_prepared(tmp_path / "two", people=4, dataset=lambda person: ("casme2", "samm")[person % 2])
    offer = find_available_data([str(two)])
    with pytest.raises(LearnetError, match="two does not fit: it is of casme2, samm"):
        resolve_sources(recipe("casme2", more=PREPARED), offer)
    (part,) = resolve_sources(recipe("casme2", "samm", top="pooled = true", more=PREPARED), offer)[
        "casme2+samm", ""
    ]
    assert isinstance(part, PreparedDataset) and part.folder == two
    with pytest.raises(LearnetError, match=r"needs SMIC \(smic\).*--only casme2 samm"):
        resolve_sources(recipe("casme2", "samm", "smic", top="pooled = true", more=PREPARED), offer)
    with pytest.raises(LearnetError, match="its clips are micro"):
        resolve_sources(
            recipe("casme2", more=PREPARED.replace("[", 'expressions = "all"\n[', 1)),
            find_available_data([str(write_prepared(tmp_path / "x"))]),
        )


def test_two_prepared_folders_of_one_database_must_be_told_apart(tmp_path: Path) -> None:
    one = write_prepared(tmp_path / "one", people=2)
    shutil.copytree(one, tmp_path / "other")
    with pytest.raises(LearnetError, match="one and .*other both hold casme2"):
        resolve_sources(
            recipe("casme2", more=PREPARED), find_available_data([str(one), str(tmp_path / "other")])
        )


def test_imported_images_count_only_where_the_recipe_says_so(tmp_path: Path) -> None:
    flow = change(
        write_prepared(tmp_path / "flow", people=2), imported=True, preparation=None, images_kind="flow"
    )
    more = "[preparation]\nmotion = 'flow-tvl1'\nsize = "
    with pytest.raises(LearnetError, match="its images were imported"):
        resolve_sources(recipe("casme2", more=f"{more}28"), find_available_data([str(flow)]))
    with pytest.raises(LearnetError, match="size is 28, not 32"):
        resolve_sources(
            recipe("casme2", top="imported = true", more=f"{more}32"), find_available_data([str(flow)])
        )
    with pytest.raises(LearnetError, match="its images are flow, not image"):
        resolve_sources(
            recipe("casme2", top="imported = true", more=PREPARED), find_available_data([str(flow)])
        )
    (part,) = resolve_sources(
        recipe("casme2", top="imported = true", more=f"{more}28"), find_available_data([str(flow)])
    )["casme2", ""]
    assert isinstance(part, PreparedDataset)


def test_the_composite_prepared_is_of_its_three_databases_by_the_list(tmp_path: Path) -> None:
    three = write_prepared(
        tmp_path / "three", people=6, dataset=lambda person: ("casme2", "samm", "smic")[person % 3]
    )
    pooled = recipe("casme2", "samm", "smic", top="pooled = true", more=PREPARED)
    with pytest.raises(LearnetError, match="its clips are not chosen by the organisers' list"):
        resolve_sources(recipe("megc2019", more=PREPARED), find_available_data([str(three)]))
    assert [
        type(part)
        for part in resolve_sources(pooled, find_available_data([str(three)]))["casme2+samm+smic", ""]
    ] == [PreparedDataset]
    change(three, reading={"list": "combined_3class_gt.csv, 442 clips"})
    (part,) = resolve_sources(recipe("megc2019", more=PREPARED), find_available_data([str(three)]))[
        "megc2019", ""
    ]
    assert isinstance(part, PreparedDataset)
    with pytest.raises(LearnetError, match="its clips are chosen by the organisers' list"):
        resolve_sources(pooled, find_available_data([str(three)]))


def test_what_is_not_used_is_told(tmp_path: Path) -> None:
    ready, other = (
        write_prepared(tmp_path / "ready", people=2),
        write_prepared(tmp_path / "other", people=2, size=32),
    )
    offer = find_available_data(
        [
            str(ready),
            str(other),
            str(lay(tmp_path / "raw", "casme2")),
            str(lay(tmp_path / "m", "mmew", "samm")),
        ]
    )
    asked = recipe("casme2", more=PREPARED)
    assert unused_data(asked, offer, resolve_sources(asked, offer)) == [
        f"{tmp_path / 'raw'} is not used: CASME II is prepared already.",
        f"{tmp_path / 'm'} is not used: the recipe does not name SAMM, MMEW.",
        f"{other} is not used: size is 32, not 28.",
    ]
    both = recipe("casme2", "samm", more="[preparation]\nsize = [28, 32, 40]")
    assert unused_data(both, offer, resolve_sources(both, offer)) == []


def test_every_database_has_signs_but_those_that_are_made_of_others() -> None:
    assert {name for name, dataset in DATASETS.items() if not dataset.signatures} == {"folder", "megc2019"}
