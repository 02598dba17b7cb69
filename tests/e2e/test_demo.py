"""The demo finds what its film shows, and writes what it says; the study of the demo gives a report."""

from pathlib import Path

import pytest

from tests.builders.commands import learnet
from tests.builders.read_page import Page


@pytest.mark.slow
def test_demo_finds_the_three_expressions_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    said = learnet("demo", out).stdout
    summary = "3 of 3 micro-expressions were found, with their class; nothing else was taken for one."
    assert summary in " ".join(said.split())
    assert "synthetic" in said
    assert sorted(path.name for path in out.iterdir()) == [
        *("events.html", "film.html", "film.mp4", "timeline.png")
    ]
    for path in out.iterdir():
        assert f"-> {path}" in said
    page = Page(out / "film.html")
    rows = page.table("shown", "seconds", "found")
    assert len(rows) == 5 and {row[-1] for row in rows} == {"✓"}
    kinds = [row[0].split(" (")[0] for row in rows]
    assert sorted(kinds) == ["blink", "head turn", "negative", "positive", "surprise"]
    for row, kind in zip(rows, kinds, strict=True):
        if kind in ("negative", "positive", "surprise"):
            assert row[2].split()[0] == kind
        elif kind == "blink":
            assert row[2] == "blink"
        else:
            assert row[2] == "not judged: the head turns or moves too far"


@pytest.mark.slow
def test_demo_of_a_study_writes_a_report(tmp_path: Path) -> None:
    said = learnet("demo", tmp_path / "demo", "--study", "--people", 3, "--epochs", 1).stdout
    for command in ("synthesize", "audit", "prepare", "study", "report"):
        assert f"$ learnet {command} " in said
    assert "Pooled over all folds" in said and "synthetic" in said
    Page(tmp_path / "demo" / "report.html")


def test_demo_keeps_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert "not empty" in learnet("demo", tmp_path, code=2).stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_interrupted_demo_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it wrote is its own, a draft too; nothing else is."""
    called: list[Path] = []
    monkeypatch.setattr("learnet.cli.demo._demonstrate_film", lambda out, seed: called.append(out))
    out = tmp_path / "demo"
    out.mkdir()
    for name in ("film.mp4", "timeline.png", ".film.html.learnet-0123456789abcdef.part"):
        (out / name).touch()
    learnet("demo", out)
    assert called == [out]
    (out / "film.html.part").touch()
    assert "not empty" in learnet("demo", out, code=2).stderr and called == [out]


@pytest.mark.slow
def test_an_interrupted_demo_of_a_study_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("demo", tmp_path / "demo", "--study", "--people", 3, "--epochs", 1)

    def stop(*arguments: object, **settings: object) -> None:
        raise KeyboardInterrupt

    for step in ("data.prepare", "studies.report"):
        with monkeypatch.context() as patch:
            patch.setattr(f"learnet.cli.{step}", stop)
            learnet(*words, code=130)
    learnet(*words)
    Page(tmp_path / "demo" / "report.html")
