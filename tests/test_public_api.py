"""The public names: they all load, nothing heavy loads before it is used, and the promises of the docs hold."""

import subprocess
import sys

import numpy as np
import pytest

import learnet


@pytest.mark.parametrize("name", learnet.__all__)
def test_every_public_name_loads(name: str) -> None:
    assert getattr(learnet, name) is not None


def test_unknown_names_are_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="lernet"):
        learnet.lernet  # noqa: B018


@pytest.mark.parametrize(
    "code", ["import learnet", "import learnet.cli", "import learnet.cli; learnet.cli.app(['--help'], result_action='return_value')"]
)
def test_nothing_heavy_is_loaded_for_help(code: str) -> None:
    heavy = "{'torch', 'cv2', 'av', 'sklearn', 'skimage', 'pandas', 'matplotlib', 'jinja2', 'joblib', 'numpy'}"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('HEAVY', {heavy} & set(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "HEAVY set()" in done.stdout


def test_the_two_lines_of_code_that_the_readme_promises() -> None:
    from learnet.motion.dynamic import dynamic_image
    from learnet.networks import NETWORKS

    frames = np.zeros((5, 4, 4, 3), dtype=np.uint8)
    assert dynamic_image(frames).shape == (4, 4, 3)
    assert sum(p.numel() for p in NETWORKS["learnet"](5).parameters()) == 1_866_053
