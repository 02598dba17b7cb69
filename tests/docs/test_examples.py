"""The scripts of the gallery run, say what their pages say, and draw the pictures that are shown."""

import re
import subprocess
import sys
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
GALLERY = ROOT / "docs" / "gallery"
LARGEST = 150_000  # bytes of a picture in the repository

COUNTS = r" +\d+ +\d+ +\d+"

# Script -> a pattern of what it prints.
EXAMPLES = {
    "one_video": r"recognised: surprise with score 0\.\d\d from 0\.\d\d to 1\.\d\d s",
    "own_clips": r"^6 clips, 0 findings of the audit$",
    "study_in_python": r"majority: UF1 0\.\d+ .*\nlinear-svm: UF1 0\.\d+ .*\nststnet: UF1 0\.\d+ ",
    "own_network": r"two-layers minus linear-svm: UF1 -?0\.\d+, p [01]\.\d+",
    "outcomes_in_pandas": rf"negative{COUNTS}\npositive{COUNTS}\nsurprise{COUNTS}",
}
SLOW = ("study_in_python", "own_network", "outcomes_in_pandas")  # train networks
CASES = [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in EXAMPLES]


@pytest.mark.parametrize("name", CASES)
def test_the_script_runs_and_draws_its_picture(name: str, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples" / f"{name}.py"), "picture.png"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert re.search(EXAMPLES[name], done.stdout, re.MULTILINE), done.stdout
    drawn, shown = (cv2.imread(str(file)) for file in (tmp_path / "picture.png", GALLERY / f"{name}.png"))
    if matplotlib.__version_info__[:2] < (3, 11):  # lays out text in another way
        assert np.abs(np.subtract(drawn.shape, shown.shape)).max() <= 2
    else:  # fonts and rounding may differ between machines, the content may not
        assert drawn.shape == shown.shape
        assert abs(drawn.astype(float) - shown).mean() < 8


def test_every_example_has_a_page() -> None:
    notebooks = {notebook.stem for notebook in GALLERY.glob("*.ipynb")}
    pages = {page.stem for page in GALLERY.glob("*.md")} - {"index"} - notebooks
    scripts = {script.stem for script in (ROOT / "examples").glob("*.py")} - {"dynamic_image_of_a_video"}
    assert pages == scripts == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_page_says_synthetic_and_shows_script_and_picture(name: str) -> None:
    page = (GALLERY / f"{name}.md").read_text(encoding="utf-8")
    assert "**synthetic**" in page
    assert f"\n[SCRIPT {name}]\n" in page
    assert f"]({name}.png)" in page
    assert (GALLERY / f"{name}.png").stat().st_size < LARGEST
