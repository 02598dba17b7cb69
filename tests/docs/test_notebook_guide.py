"""The code of the guide to notebooks runs as it stands there, in its order."""

import re
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

from learnet import CrossValidation, Recognition
from learnet.datasets.synthetic.databases import synthetic_video
from learnet.datasets.synthetic.flow_images import simulate_flow

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "notebook.md"


def test_the_blocks_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A synthetic smile, and flow images of twelve people with one epoch of training."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")  # in this process
    synthetic_video("video.mp4", seed=6, emotion="happiness")
    simulate_flow("prepared", images=12, jobs=1)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names = []
    with mpl.rc_context({"backend": "agg"}):
        for block in blocks:
            scope: dict[str, object] = {}
            exec(compile(block.replace("epochs=40", "epochs=1"), PAGE.name, "exec"), scope)
            names.append(scope)
        plt.close("all")
    videos, motion, arrays, estimator, torch = names
    assert isinstance(videos["recognition"], Recognition)
    assert len(videos["table"]) == len(videos["recognition"].events) == 1
    assert videos["same"].predictions == videos["recognition"].predictions
    assert motion["image"].shape == (480, 640, 3)
    assert isinstance(arrays["result"], CrossValidation)
    assert len(arrays["result"].predictions) == len(estimator["predictions"]) == 12
    assert torch["network"].metadata.size == 28
