"""Two databases as one: nobody is taken for anybody else, images and rows arrive as they were, and what does
not fit is refused."""

import csv
import io
import json
import shutil
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, recall_score

from learnet.core.errors import BadInput, LearnetError, OutputTaken
from learnet.core.serialisation import to_plain
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.concat import ConcatDataset, concatenate, open_datasets, save_concatenated
from learnet.datasets.prepared.store import load_prepared, read_findings, save_prepared
from learnet.datasets.splits import make_folds
from learnet.study import run as study_module
from learnet.study.evaluate import evaluate
from learnet.study.labelled import apply_class_scheme
from learnet.study.run import run_study
from learnet.study.train_on_all import train_on_all
from learnet.training.checkpoint import load_checkpoint
from tests.builders.written_study import write_prepared

QUICK = Training(epochs=1)
SVM = Study(network="linear-svm", keep_weights=False)
ALONE = Resources(jobs=1, device="cpu")
MEGC = ("negative", "positive", "surprise")


def part(folder: Path, dataset: str, seed: int, **how: object) -> Path:
    """Three people, 01 to 03, with four clips each; noise that depends on the seed."""
    return write_prepared(folder, people=3, clips=4, dataset=lambda person: dataset, seed=seed, **how)  # type: ignore[arg-type]


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """CASME II and SAMM, each with people 01, 02 and 03 and clips EP00 to EP03."""
    return [part(tmp_path / "a", "casme2", 3), part(tmp_path / "b", "samm", 4)]


def change(folder: Path, **about: object) -> None:
    """Other words in prepare.json."""
    file = folder / "prepare.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | about))


def rewritten(folder: Path, out: Path, images: np.ndarray | None = None, **columns: object) -> Path:
    """A prepared folder again, with other images or other columns in clips.csv."""
    there = load_prepared(folder)
    save_prepared(
        out, there.images if images is None else images, there.clips.assign(**columns), there.record, []
    )
    return out


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "clips.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_images_rows_and_findings_arrive_as_they_were(two: list[Path], tmp_path: Path) -> None:
    made = save_concatenated(concatenate(two, tmp_path / "out"))
    images = np.concatenate([np.load(folder / "images.npy") for folder in two])
    file = io.BytesIO()
    np.save(file, images)
    assert (made.folder / "images.npy").read_bytes() == file.getvalue()
    expected = [
        {**row, "image": str(place)}
        for place, row in enumerate(row for folder in two for row in rows_of(folder))
    ]
    assert rows_of(made.folder) == expected
    finding = (two[0] / "audit.csv").read_text().splitlines()
    assert (made.folder / "audit.csv").read_text().splitlines() == [
        *finding,
        finding[1],
    ]  # the writer gives each folder the same one
    assert not made.reused and save_concatenated(concatenate(two, tmp_path / "out")).reused
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "out"]


def test_what_the_folder_says_of_its_parts(two: list[Path], tmp_path: Path) -> None:
    save_concatenated(concatenate(two, tmp_path / "out"))
    about = json.loads((tmp_path / "out" / "prepare.json").read_text())
    parts = [json.loads((folder / "prepare.json").read_text()) for folder in two]
    assert [(leaf["folder"], leaf["datasets"], leaf["about"]) for leaf in about["pooled"]] == [
        (str(two[0]), ["casme2"], parts[0]),
        (str(two[1]), ["samm"], parts[1]),
    ]
    assert (about["clips"], about["people"], about["preparation"]) == (24, 6, parts[0]["preparation"])
    third = part(tmp_path / "c", "smic", 5)
    again = concatenate([tmp_path / "out", third], tmp_path / "more")
    assert [part.folder for part in again.record.pooled or ()] == [str(two[0]), str(two[1]), str(third)]


def test_01_of_one_database_is_not_01_of_another(two: list[Path], tmp_path: Path) -> None:
    data = apply_class_scheme(concatenate(two, tmp_path / "out"), "auto")
    assert data.scheme.name == "megc-3"
    folds = make_folds(Study(), data.people, data.truth, data.datasets, 0)
    assert [fold.name for fold in folds] == [
        f"{dataset}/{number}" for dataset in ("casme2", "samm") for number in ("01", "02", "03")
    ]
    for fold in folds:
        assert {data.people[i] for i in fold.test} == {fold.name}
        namesake = f"{'samm' if fold.name.startswith('casme2') else 'casme2'}/{fold.name[-2:]}"
        assert namesake in {data.people[i] for i in fold.train}


@given(rows=st.lists(st.integers(0, 23), min_size=1, max_size=40))
def test_rows_are_taken_from_the_right_folder(
    rows: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.getbasetemp() / "taken"
    if not home.exists():
        part(home / "a", "casme2", 3), part(home / "b", "samm", 4)
    together = np.concatenate([np.load(home / name / "images.npy") for name in "ab"])
    np.testing.assert_array_equal(
        concatenate([home / "a", home / "b"], home / "out").take(rows), together[rows]
    )


def test_images_are_never_in_memory_together(tmp_path: Path) -> None:
    """Two folders of 11 MB: mapped files do not count, copies of them would."""
    parts = [
        write_prepared(tmp_path / name, people=75, dataset=lambda _, d=name: d, seed=seed, size=90)
        for seed, name in enumerate("ab")
    ]
    size = sum((folder / "images.npy").stat().st_size for folder in parts)
    tracemalloc.start()
    save_concatenated(concatenate(parts, tmp_path / "out"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 20e6 and peak < size / 3, f"{peak} of {size} bytes"


def remake(folder: Path, **settings: object) -> None:
    change(folder, preparation=json.loads((folder / "prepare.json").read_text())["preparation"] | settings)


UNLIKE: dict[str, tuple[Callable[[Path], object], str]] = {
    "motion": (lambda b: remake(b, motion="dynamic-linear"), "motion dynamic-linear here, dynamic there"),
    "kind": (lambda b: change(b, images_kind="flow"), "kind of image flow here, image there"),
    "version": (
        lambda b: change(b, versions={"numpy": "1.26.0"}),
        "numpy's version 1.26.0 here, 2.4.6 there",
    ),
    "missing version": (lambda b: change(b, versions={}), "numpy's version none here, 2.4.6 there"),
    "import": (lambda b: change(b, imported=True, preparation=None), "origin imported here, prepared there"),
    "size": (lambda b: (shutil.rmtree(b), part(b, "samm", 4, size=30)), "size 30 here, 28 there"),
}


@pytest.mark.parametrize("what", UNLIKE)
def test_folders_that_were_not_made_alike(what: str, two: list[Path], tmp_path: Path) -> None:
    spoil, says = UNLIKE[what]
    spoil(two[1])
    with pytest.raises(BadInput, match=f"^{two[1]}: .* {two[0]}, .*{says}.*Prepare them again") as refused:
        concatenate(two, tmp_path / "out")
    assert "\n" not in str(refused.value) and not (tmp_path / "out").exists()


def test_a_folder_without_face_search_goes_with_any_finder_but_finders_do_not_mix(
    two: list[Path], tmp_path: Path
) -> None:
    """`auto` stays where the owners' crops were taken as they are."""
    remake(two[1], face="yunet"), change(two[1], face_model="abc")
    for order in (two, two[::-1]):
        record = concatenate(order, tmp_path / "out").record
        assert record.preparation and (record.preparation.face, record.face_model) == ("yunet", "abc")
    third = part(tmp_path / "c", "smic", 5)
    for face, model, says in (
        ("haar", None, "face haar here, yunet there"),
        ("yunet", "xyz", "face model xyz here, abc there"),
    ):
        remake(third, face=face), change(third, face_model=model)
        with pytest.raises(BadInput, match=says):
            concatenate([*two, third], tmp_path / "out")


def test_clips_that_stand_twice(two: list[Path], tmp_path: Path) -> None:
    third = part(tmp_path / "c", "samm", 5)
    with pytest.raises(
        LearnetError, match=f"12 clips are there twice.*samm/01/EP00, .*; the first in {two[1]} and {third}"
    ):
        concatenate([*two, third], tmp_path / "out")
    with pytest.raises(LearnetError, match="12 clips are there twice"):
        concatenate([two[0], two[0]], tmp_path / "out")


def test_one_person_under_two_names_is_known_by_the_image(two: list[Path], tmp_path: Path) -> None:
    """The same clip in another folder, its person written anna instead of 02: it would be on both sides of a
    fold."""
    clips = load_prepared(two[0]).clips
    names = {column: clips[column].str.replace("casme2/", "casme2/anna") for column in ("person", "clip")}
    images = np.random.default_rng(9).integers(0, 256, (12, 28, 28, 3), dtype=np.uint8)
    images[7] = np.load(two[0] / "images.npy")[7]
    pair = [two[0], rewritten(two[0], tmp_path / "copy", images, **names)]
    told = replace(SVM, distinct_people=True)
    with pytest.raises(LearnetError, match=r"casme2/02/EP03 and casme2/anna02/EP03 \(the same image\)"):
        run_study(pair, tmp_path / "study", told, QUICK, ALONE)
    pooled = save_concatenated(concatenate(pair, tmp_path / "pooled"))
    shared = [one.where for one in read_findings(pooled.folder) or () if one.kind == "image of two people"]
    assert shared == ["casme2/anna02/EP03"]
    again = [pooled.folder, part(tmp_path / "c", "smic", 5)]  # the finding is not listed twice
    pooled = save_concatenated(concatenate(again, tmp_path / "more"))
    kinds = [one.kind for one in read_findings(pooled.folder) or ()]
    assert kinds.count("image of two people") == 1


def test_a_person_who_has_another_spelling_in_another_folder(two: list[Path], tmp_path: Path) -> None:
    """CASME II once as 01, 02, 03 and once as sub1, sub2, sub3, with other clips."""
    clips = load_prepared(two[0]).clips
    people = clips["person"].str.replace("casme2/0", "casme2/sub")
    names = {"person": people, "clip": people + "/" + clips["name"] + "b"}
    pair = [two[0], rewritten(part(tmp_path / "c", "casme2", 5), tmp_path / "again", **names)]
    pooled = save_concatenated(concatenate(pair, tmp_path / "pooled"))
    spelled = [one for one in read_findings(pooled.folder) or () if one.kind == "person spelled twice"]
    assert [finding.serious for finding in spelled] == [True] * 3
    assert spelled[0].what.startswith("'casme2/01' and 'casme2/sub1' may be one person")
    for folder, out in ((pair, tmp_path / "study"), (pooled.folder, tmp_path / "of-pooled")):
        with pytest.raises(LearnetError, match="These may be one person.*--distinct-people"):
            run_study(folder, out, SVM, QUICK, ALONE)
        assert not out.exists()
    told = replace(SVM, distinct_people=True)
    run_study(pair, tmp_path / "study", told, QUICK, ALONE)
    assert json.loads((tmp_path / "study" / "study.json").read_text())["settings"]["distinct_people"] is True


def test_real_and_synthetic(two: list[Path], tmp_path: Path) -> None:
    made = write_prepared(
        tmp_path / "made", people=3, clips=4, synthetic=True, seed=5, dataset=lambda _: "smic"
    )
    both = concatenate([*two, made], tmp_path / "out").record
    assert both.synthetic is True and both.synthetic_extent == "partly"
    assert (
        concatenate(two, tmp_path / "out").record.synthetic_extent == "no"
        and load_prepared(made).record.synthetic_extent == "yes"
    )
    new = rewritten(
        made,
        tmp_path / "samm",
        dataset="samm",
        person="samm/01",
        clip=[f"samm/01/new{place}" for place in range(12)],
    )
    with pytest.raises(LearnetError, match="samm is synthetic in one folder and real in another"):
        concatenate([*two, new], tmp_path / "out")


def test_a_lost_audit_is_said(two: list[Path], tmp_path: Path) -> None:
    (two[1] / "audit.csv").unlink()
    found = read_findings(save_concatenated(concatenate(two, tmp_path / "out")).folder)
    assert found and [(finding.kind, finding.serious) for finding in found] == [
        ("apex repaired", False),
        ("audit lost", True),
    ]
    assert found[1].where == str(two[1])


def test_nothing_else_is_overwritten(two: list[Path], tmp_path: Path) -> None:
    save_concatenated(concatenate(two, tmp_path / "out"))
    with pytest.raises(OutputTaken, match="differs in inputs"):
        save_concatenated(concatenate(two[::-1], tmp_path / "out"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.doc").touch()
    with pytest.raises(OutputTaken, match="something else"):
        save_concatenated(concatenate(two, tmp_path / "mine"))


def test_one_folder_is_opened_as_it_is(two: list[Path], tmp_path: Path) -> None:
    for one in (two[0], [two[0]]):
        assert open_datasets(one, tmp_path / "out").folder == two[0]
    assert isinstance(open_datasets(two, tmp_path / "out"), ConcatDataset)
    with pytest.raises(LearnetError, match="nothing to concatenate"):
        open_datasets([], tmp_path / "out")


# ---- studies


def bytes_of(study: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(study)): p.read_bytes()
        for p in sorted(study.rglob("*"))
        if p.is_file() and p.name != "run.json"
    }


def test_a_study_over_two_databases_counts_each_by_itself(two: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "study"
    summary = run_study(two, out, SVM, QUICK, ALONE)
    assert json.loads((out / "metrics.json").read_text()) == to_plain(summary)
    found = pd.read_csv(out / "outcomes.csv")
    truth = {
        row["clip"]: row["emotion"] for folder in two for row in rows_of(folder) if row["emotion"] != "others"
    }
    named = {"happiness": "positive", "surprise": "surprise", "disgust": "negative", "repression": "negative"}
    assert dict(zip(found["clip"], found["truth"], strict=True)) == {
        clip: named[word] for clip, word in truth.items()
    }
    assert list(summary.datasets) == ["casme2", "samm"]
    macro = {"average": "macro", "labels": list(MEGC), "zero_division": 0}
    for name, mine in found.groupby("dataset"):
        said, told = summary.datasets[name], (mine["truth"], mine["prediction"])
        expected = [accuracy_score(*told), f1_score(*told, **macro), recall_score(*told, **macro)]
        assert [said.mean[measure].value for measure in ("accuracy", "uf1", "uar")] == pytest.approx(expected)
        assert (said.clips, said.people) == (len(mine), mine["person"].nunique())
        assert said.absent == [word for word in MEGC if word not in set(mine["truth"])]
    record = json.loads((out / "study.json").read_text())
    assert record["prepared"]["folders"] == [str(folder) for folder in two] and record["prepared"][
        "folder"
    ] == str(out / "pooled")
    people = {person for fold in record["folds"] for person in fold["test_people"]}
    assert all(set(fold["train_people"]) == people - set(fold["test_people"]) for fold in record["folds"])


def test_the_pooled_study_is_that_of_its_plain_folder(two: list[Path], tmp_path: Path) -> None:
    """Whatever reads prepared folders reads OUT/pooled: a study over it gives the same answers."""
    run_study(two, tmp_path / "study", SVM, QUICK, ALONE)
    run_study(tmp_path / "study" / "pooled", tmp_path / "again" / "study", SVM, QUICK, ALONE)
    for file in ("outcomes.csv", "metrics.json", "megc.log", "trainings.csv"):
        assert (tmp_path / "again" / "study" / file).read_bytes() == (tmp_path / "study" / file).read_bytes()


class Killed(BaseException):
    """What no code catches."""


def test_a_killed_study_goes_on_and_a_complete_one_does_nothing(
    two: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole" / "study", tmp_path / "killed" / "study"
    run_study(two, whole, SVM, QUICK, ALONE)

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):  # while the folders are pooled
        patch.setattr(study_module, "save_concatenated", kill)
        run_study(two, out, SVM, QUICK, ALONE)
    (out / ".pooled.4711").mkdir()  # as a kill leaves it
    (out / ".pooled.4711" / "images.npy").write_bytes(b"torn")
    with pytest.raises(Killed):  # after the second training
        run_study(two, out, SVM, QUICK, ALONE, progress=lambda done, total: kill() if done == 2 else None)
    steps: list[int] = []
    run_study(two, out, SVM, QUICK, ALONE, progress=lambda done, total: steps.append(done))
    assert steps == [3, 4, 5, 6]
    placed = [
        {k: v.replace(str(home.parent).encode(), b"") for k, v in bytes_of(home).items()}
        for home in (whole, out)
    ]
    assert placed[0] == placed[1]
    before = {path: path.stat().st_mtime_ns for path in (out / "pooled").iterdir()}
    monkeypatch.setattr(study_module, "run_jobs", kill)
    run_study(two, out, SVM, QUICK, ALONE)
    assert before == {path: path.stat().st_mtime_ns for path in (out / "pooled").iterdir()}


def test_the_parts_may_move(two: list[Path], tmp_path: Path) -> None:
    run_study(two, tmp_path / "study", SVM, QUICK, ALONE)
    before = bytes_of(tmp_path / "study")
    moved = [folder.rename(tmp_path / f"elsewhere-{folder.name}") for folder in two]
    run_study(moved, tmp_path / "study", SVM, QUICK, ALONE)
    after = bytes_of(tmp_path / "study")
    assert {name for name in before if before[name] != after[name]} == {"study.json"}
    assert json.loads(after["study.json"])["prepared"]["folders"] == [str(folder) for folder in moved]


def test_mistakes_leave_nothing_behind(two: list[Path], tmp_path: Path) -> None:
    wrong = {
        "Did you mean": Study(network="linear-swm"),
        "There is no class scheme": Study(network="majority", classes="megc"),
        "6 people are not enough": Study(network="majority", protocol="groups", groups=40),
    }
    for says, study in wrong.items():
        with pytest.raises(LearnetError, match=says):
            run_study(two, tmp_path / "study", study, QUICK, ALONE)
    change(two[1], images_kind="flow")
    with pytest.raises(LearnetError, match="made otherwise"):
        run_study(two, tmp_path / "study", SVM, QUICK, ALONE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_another_study_is_not_overwritten(two: list[Path], tmp_path: Path) -> None:
    run_study(two, tmp_path / "study", SVM, QUICK, ALONE)
    before = bytes_of(tmp_path / "study")
    third = part(tmp_path / "c", "smic", 5)
    for folders in (two[0], two[::-1], [*two, third]):
        with pytest.raises(OutputTaken, match="another study is there already"):
            run_study(folders, tmp_path / "study", SVM, QUICK, ALONE)
    with pytest.raises(
        OutputTaken, match="The last argument is the study folder"
    ):  # forgotten: SAMM would be written to
        run_study(two[0], two[1], SVM, QUICK, ALONE)
    assert bytes_of(tmp_path / "study") == before


def test_a_database_that_would_vanish_is_refused(two: list[Path], tmp_path: Path) -> None:
    third = part(tmp_path / "c", "mine", 5)
    neutral = rewritten(third, tmp_path / "neutral", emotion="none")
    with pytest.raises(BadInput, match="no clip of mine has a class of casme2-5"):
        run_study(
            [*two, neutral], tmp_path / "study", Study(network="majority", classes="casme2-5"), QUICK, ALONE
        )


def test_weights_of_two_databases(two: list[Path], tmp_path: Path) -> None:
    trained = train_on_all(two, SVM, QUICK)
    trained.save(tmp_path / "w.safetensors")
    save_concatenated(concatenate(two, tmp_path / "pooled-by-hand"))
    train_on_all(tmp_path / "pooled-by-hand", SVM, QUICK).save(tmp_path / "v.safetensors")
    assert (tmp_path / "w.safetensors").read_bytes() == (tmp_path / "v.safetensors").read_bytes()
    assert len(set(trained.data.people)) == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a",
        "b",
        "pooled-by-hand",
        "v.safetensors",
        "w.safetensors",
    ]
    assert load_checkpoint(tmp_path / "w.safetensors")[1].data["synthetic"] == "no"


def test_weights_that_learned_from_real_people_among_synthetic_ones_are_leaky_on_them(
    two: list[Path], tmp_path: Path
) -> None:
    made = write_prepared(
        tmp_path / "made", people=3, clips=4, synthetic=True, seed=5, dataset=lambda _: "smic"
    )
    train_on_all([two[0], made], SVM, QUICK).save(tmp_path / "w.safetensors")
    assert load_checkpoint(tmp_path / "w.safetensors")[1].data["synthetic"] == "partly"
    for folder, protocol in (
        (two[0], "leaky-evaluation"),
        (made, "leaky-evaluation"),
        (two[1], "evaluation"),
    ):
        evaluate(folder, tmp_path / "w.safetensors", tmp_path / folder.name / "e", classes="megc-3")
        assert json.loads((tmp_path / folder.name / "e" / "study.json").read_text())["protocol"] == protocol
