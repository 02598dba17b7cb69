"""Libraries that are no part of the core installation, and the extra that installs each.

Code imports them where it needs them and reports nothing: the command line and `learnet.__getattr__` turn
the error of an import into one line, here.
"""

from learnet.core.errors import LearnetError

EXTRAS = {
    "torch": ("PyTorch", "train"),
    "sklearn": ("scikit-learn", "train"),
    "scipy": ("SciPy", "train"),
    "skimage": ("scikit-image", "train"),
    "captum": ("Captum", "train"),
    "safetensors": ("safetensors", "train"),
    "onnx": ("ONNX", "onnx"),
    "onnxscript": ("ONNX Script", "onnx"),
    "distributed": ("Dask", "cluster"),
    "tensorboard": ("TensorBoard", "tensorboard"),
}
"""Module -> name of its library, and the extra of `pip install 'learnet[EXTRA]'` that installs it."""


class MissingLibrary(LearnetError, ImportError):
    """A library that something needs, and that is in an extra."""

    def __init__(self, user: str, library: str, extra: str) -> None:
        what = f"{user} needs {library}, which is not installed."
        super().__init__(what, f"Install it: pip install 'learnet[{extra}]'")


def missing_library(error: ModuleNotFoundError, user: str) -> MissingLibrary:
    """Return the error for a library that is not installed.

    Args:
        error: of the import.
        user: what needs the library, to begin a sentence with: "learnet study".

    Raises:
        ModuleNotFoundError: `error` itself, if no extra contains the module.
    """
    module = (error.name or "").partition(".")[0]
    if module not in EXTRAS:
        raise error
    library, extra = EXTRAS[module]
    return MissingLibrary(user, library, extra)
