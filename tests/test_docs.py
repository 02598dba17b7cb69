"""The papers of the project stay true: the README's commands and code run as they stand there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.commands import HANG_S, learnet

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def blocks(language: str, page: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def run(script: str, place: Path) -> None:
    """Run lines of shell, each of which must succeed, in a folder with an environment like the README's."""
    (place / ".venv").symlink_to(BIN.parent)
    command = ["sh", "-e", "-c", script]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=HANG_S, check=False)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("in_shell", [2, pytest.param(8, marks=pytest.mark.slow)])
def test_the_commands_run_in_the_order_in_which_they_stand(
    in_shell: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first lines run in a shell, as they stand; the others in this process, which loads nothing
    again."""
    lines = [line for block in blocks("sh", COMMANDS) for line in block.splitlines()]
    commands = [line for line in lines if line.startswith("learnet ")]
    assert len(commands) == 8
    (path,) = [line for line in lines if line.startswith("export PATH=")]
    assert lines.index(path) < lines.index(commands[0])
    run("\n".join([path, *commands[:in_shell]]), tmp_path)
    monkeypatch.chdir(tmp_path)
    for command in commands[in_shell:]:
        learnet(*shlex.split(command)[1:])
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


def test_the_examples_run(tmp_path: Path) -> None:
    from learnet.datasets.synthetic.databases import synthetic_video

    synthetic_video(tmp_path / "video.mp4", seed=6, emotion="surprise", duration_s=0.5)
    example = ROOT / "examples" / "dynamic_image_of_a_video.py"
    run(f".venv/bin/python {shlex.quote(str(example))} video.mp4 picture.png", tmp_path)
    assert (tmp_path / "picture.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_the_code_and_the_command_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The film that they name is there, a synthetic smile."""
    from learnet.datasets.synthetic.databases import synthetic_video

    monkeypatch.chdir(tmp_path)
    synthetic_video(tmp_path / "film.mp4", seed=6, emotion="happiness", duration_s=0.6)
    (command,) = [line for block in blocks("sh", README) for line in block.splitlines() if "predict" in line]
    assert "micro, 0.1" in learnet(*shlex.split(command)[1:]).stderr
    (code,) = blocks("python", README)
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "timeline.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_the_readme_is_short() -> None:
    """One and a half screens: 90 lines of at most 160 characters."""
    lines = README.splitlines()
    assert len(lines) <= 90 and max(map(len, lines)) <= 200


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^make ([\w-]+)|`make ([\w-]+)", README, re.MULTILINE))
    targets = {name for pair in targets for name in pair if name}
    assert {"demo", "demo-study", "test"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))],
    ids=lambda p: p.name,
)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)#]+)\)", prose):
        assert link.startswith("https://") or (page.parent / link).exists(), f"{page.name}: {link}"


def test_contributing_is_short() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) < 50


def test_the_version_is_one() -> None:
    import learnet

    assert f'version = "{learnet.__version__}"' in (ROOT / "pyproject.toml").read_text()
    assert f"## {learnet.__version__}" in (ROOT / "CHANGELOG.md").read_text()
    assert f"version: {learnet.__version__}" in (ROOT / "CITATION.cff").read_text()
