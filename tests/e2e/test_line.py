"""From nothing to a named expression: what a user types, and what a user gets."""

import csv
import html.parser
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.commands import learnet


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that everything here is written to."""
    return tmp_path_factory.mktemp("line")


def test_audit_counts_what_was_synthesized(out: Path, synthetic_database: Callable[..., Path]) -> None:
    database = synthetic_database("casme2", people=4, clips=5)
    done = learnet("audit", "casme2", database, "--csv", out / "audit.csv")
    assert "CASME2-coding-20140508.xlsx" in done.stdout
    assert "20 from 20 rows, 4 people" in done.stdout
    kinds = {row["kind"] for row in csv.DictReader((out / "audit.csv").open(newline=""))}
    assert "folder without row" in kinds


def test_study_evaluate_and_report(out: Path, prepared_folder: Path, small_weights: Path) -> None:
    for network in ("linear-svm", "majority", "learnet"):
        learnet(
            "study",
            prepared_folder,
            out / network,
            "--network",
            network,
            "--epochs",
            2,
            "--classes",
            "casme2-7",
        )
    rows = list(csv.DictReader((out / "learnet" / "outcomes.csv").open(newline="")))
    assert len(rows) == 20
    assert list(rows[0])[:8] == ["study", "fold", "seed", "clip", "dataset", "person", "truth", "prediction"]
    assert {"happiness", "fear"} <= set(rows[0])
    learnet("report", out / "learnet", out / "linear-svm", out / "majority", "--out", out / "report.html")
    page = (out / "report.html").read_text()
    assert page.lower().count("synthetic") >= 1
    links: list[str] = []
    parser = html.parser.HTMLParser()
    parser.handle_starttag = lambda tag, attributes: links.extend(
        v for k, v in attributes if k in ("src", "href") and v
    )  # type: ignore[method-assign]
    parser.feed(page)
    assert not [link for link in links if not link.startswith(("#", "data:"))]
    learnet("evaluate", prepared_folder, out / "again", "--weights", small_weights)
    assert json.loads((out / "again" / "study.json").read_text())["protocol"] == "leaky-evaluation"


def test_predict_a_stranger(out: Path, small_weights: Path) -> None:
    from learnet.datasets.synthetic.databases import synthetic_video

    synthetic_video(out / "stranger.mp4", seed=99, emotion="surprise")
    done = learnet(
        "predict",
        out / "stranger.mp4",
        "--weights",
        small_weights,
        "--csv",
        out / "s.csv",
        "--picture",
        out / "s.png",
    )
    said = json.loads(done.stdout)
    assert said["label"] in {"happiness", "disgust", "repression", "surprise", "others"}
    assert sum(said["answers"][0]["scores"].values()) == pytest.approx(1, abs=1e-3)
    assert (out / "s.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(list(csv.DictReader((out / "s.csv").open(newline="")))) == len(said["events"])


def test_predict_the_real_video_end_to_end(small_weights: Path, shared: Path) -> None:
    film = shared / "real" / "face_pexels.mp4"
    spotted = json.loads(learnet("predict", film, "--weights", small_weights).stdout)
    assert len(spotted["events"]) <= 3 and len(spotted["unjudged"]) > 5
    done = learnet("predict", film, "--windows", "--weights", small_weights)
    said = json.loads(done.stdout)
    assert said["fps"] == pytest.approx(24000 / 1001, abs=0.01)
    assert 75 <= len(said["answers"]) <= 80  # 19.7 s in windows of 0.5 s, half overlapping
    assert any("60" in warning for warning in said["warnings"])  # 24 frames a second are too few


def test_import_and_study_ready_images(out: Path, shared: Path) -> None:
    flow = shared / "real" / "megc2019_flow"
    learnet("import", flow / "images", flow / "labels.csv", out / "flow", "--size", 28, "--kind", "flow")
    plain = ("--network", "linear-svm", "--mirror", "none", "--no-detrend")
    learnet("study", out / "flow", out / "flow-svm", *plain, "--no-keep-weights")
    found = json.loads((out / "flow-svm" / "metrics.json").read_text())["mean"]
    assert found["uf1"]["value"] == pytest.approx(
        0.7293, abs=0.003
    )  # measured with scikit-learn alone, see peers of the field
    assert found["uar"]["value"] == pytest.approx(0.7407, abs=0.003)


def test_help_reads_and_lists_every_command() -> None:
    said = learnet("--help").stdout
    commands = [
        "demo",
        "synthesize",
        "audit",
        "prepare",
        "import",
        "study",
        "train",
        "evaluate",
        "export",
        "predict",
        "report",
        "datasets",
        "face-model",
    ]
    for command in commands:
        assert command in said
        assert f"Usage: learnet {command}" in learnet(command, "--help").stdout
    assert learnet("--version").stdout.strip() == "0.1.0"
    assert "casme2" in learnet("datasets").stdout
