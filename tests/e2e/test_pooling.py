"""Several databases at once, as a user types it: imported, pooled, studied, reported, trained, and on a
cluster."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.builders.commands import import_noise, learnet


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared folders of casme2 and samm: subjects 01 to 04 in both, each with one image of each of three
    emotions."""
    place = tmp_path_factory.mktemp("pooled")
    for seed, dataset in enumerate(("casme2", "samm")):
        import_noise(place, dataset, 4, seed, "image")
    return place


def test_clips_without_a_class_are_told_on_the_screen(place: Path) -> None:
    """Of happiness, disgust and surprise the scheme casme-4 has the last two: four people's one clip each has
    no class."""
    words = ("--network", "majority", "--classes", "casme-4")
    assert (
        "4 clips have no class in casme-4: happiness 4."
        in learnet("study", place / "samm", place / "left", *words).stdout.splitlines()
    )
    assert (
        "no class"
        not in learnet("study", place / "samm", place / "all", *words[:2], "--classes", "megc-3").stdout
    )


def test_two_databases_from_the_command_line(place: Path) -> None:
    out = place / "study"
    words = (
        "study",
        place / "casme2",
        place / "samm",
        out,
        "--protocol",
        "loso",
        "--network",
        "linear-svm",
        "--no-keep-weights",
    )
    said = learnet(*words).stdout
    lines = [line.split() for line in said.splitlines()]
    assert (
        {"casme2", "samm"} <= {line[1] for line in lines if len(line) > 3}
        and "24 clips" in said
        and "8 people" in said
    )
    found = pd.read_csv(out / "outcomes.csv")
    assert len(found) == found["clip"].nunique() == 24 and found["person"].nunique() == 8
    assert (found["fold"] == found["person"]).all() and set(found["truth"]) == {
        "positive",
        "negative",
        "surprise",
    }
    numbers = json.loads((out / "metrics.json").read_text())
    for name, part in found.groupby("dataset"):
        mine = numbers["datasets"][name]
        assert mine["mean"]["accuracy"]["value"] == pytest.approx(
            (part["truth"] == part["prediction"]).mean()
        )
        assert (mine["clips"], mine["people"]) == (12, 4)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in out.rglob("*.npy")}
    assert learnet(*words).stdout == said  # nothing new is done
    assert (
        before == {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in out.rglob("*.npy")}
        and len(before) == 1
    )
    learnet("report", out)
    assert f"learnet study {place / 'casme2'} {place / 'samm'} study" in (out / "report.html").read_text()


def test_weights_of_two_databases(place: Path) -> None:
    said = learnet(
        "train", place / "casme2", place / "samm", place / "w.safetensors", "--network", "linear-svm"
    ).stdout
    assert "24 clips of 8 people" in said
    learnet(
        "evaluate",
        place / "samm",
        place / "again",
        "--weights",
        place / "w.safetensors",
        "--classes",
        "megc-3",
    )
    assert json.loads((place / "again" / "study.json").read_text())["protocol"] == "leaky-evaluation"


def test_mistakes_in_one_line(place: Path) -> None:
    cases = {
        ("study", place / "casme2"): "At least two paths are needed",
        ("train", place / "w.safetensors"): "At least two paths are needed",
        (
            "study",
            place / "casme2",
            place / "samm",
        ): "something else is there already. The last argument is the study folder",
        ("study", place / "casme2", place / "casme2", place / "new"): "12 clips are there twice",
        ("study", place / "casme2", place / "nowhere", place / "new"): "there is no such folder",
    }
    for words, says in cases.items():
        error = learnet(*words, code=2).stderr
        assert says in error and error.count("\n") == 1, error
    assert not (place / "new").exists()


@pytest.mark.slow
def test_on_a_cluster(place: Path) -> None:
    """The workers get the pooled folder as they get any other: with the answers of this machine."""
    distributed = pytest.importorskip("distributed")
    options = ("--network", "linear-svm", "--no-keep-weights")
    for home in ("here", "there"):
        (place / home).mkdir()
    learnet("study", place / "casme2", place / "samm", place / "here" / "study", *options)
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as crew:
        address = ("--cluster", crew.scheduler_address)
        learnet("study", place / "casme2", place / "samm", place / "there" / "study", *options, *address)
    for file in ("outcomes.csv", "metrics.json", "pooled/images.npy"):
        assert (place / "here" / "study" / file).read_bytes() == (
            place / "there" / "study" / file
        ).read_bytes()
