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


NOT_FOR_HELP = {
    "torch",
    "cv2",
    "av",
    "sklearn",
    "scipy",
    "skimage",
    "pandas",
    "matplotlib",
    "jinja2",
    "joblib",
    "numpy",
}
NOT_FOR_AN_ANSWER = {"sklearn", "scipy", "skimage", "pandas", "openpyxl", "matplotlib", "jinja2", "joblib"}


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh Python has loaded once it has run CODE."""
    told = f"{code}\nimport sys; print('LOADED', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return set(done.stdout.split("LOADED ")[1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import learnet",
        "import learnet.cli",
        "import learnet.cli; learnet.cli.app(['--help'], result_action='return_value')",
    ],
)
def test_nothing_heavy_is_loaded_for_help(code: str) -> None:
    assert not NOT_FOR_HELP & loaded_by(code)


def test_what_only_studies_need_is_not_loaded_for_an_answer() -> None:
    """These take as long to load as torch; a video waits for none of them."""
    code = """
import numpy as np
from learnet.predict import Recogniser
from learnet.shipped import answering
recogniser = Recogniser.load(answering("flow", 28))
assert recogniser.score(np.full((1, 28, 28, 3), 127, np.uint8)).shape == (1, 4)
"""
    found = loaded_by(code)
    assert "torch" in found
    assert not NOT_FOR_AN_ANSWER & found


def test_the_two_lines_of_code_that_the_readme_promises() -> None:
    from learnet.motion.dynamic import dynamic_image
    from learnet.networks import NETWORKS

    frames = np.zeros((5, 4, 4, 3), dtype=np.uint8)
    assert dynamic_image(frames).shape == (4, 4, 3)
    assert sum(p.numel() for p in NETWORKS["learnet"](5).parameters()) == 1_866_053
