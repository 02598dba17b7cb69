"""learnet: a video of a face becomes one picture of its motion, and LEARNet names the micro-expression in it.

The public names are loaded on first use, so that `import learnet` costs nothing and pulls in no heavy library.
"""

from importlib import import_module

__version__ = "0.1.0"

# The public functions, and all that is needed to call them. No module directly under `learnet` may have one of
# these names: Python puts a module in the place of the name as soon as something imports it.
_HOME = {
    "Choice": "learnet.candidates",
    "Clip": "learnet.clip",
    "DATASETS": "learnet.datasets",
    "Finding": "learnet.clip",
    "Fold": "learnet.clip",
    "Frame": "learnet.video",
    "LearnetError": "learnet.errors",
    "Live": "learnet.settings",
    "LiveRecogniser": "learnet.live",
    "NETWORKS": "learnet.networks",
    "Outcome": "learnet.clip",
    "Preparation": "learnet.settings",
    "Reading": "learnet.clip",
    "Recogniser": "learnet.predict",
    "Resources": "learnet.settings",
    "Selection": "learnet.settings",
    "Study": "learnet.settings",
    "Training": "learnet.settings",
    "Windows": "learnet.settings",
    "dynamic_image": "learnet.motion.dynamic",
    "open_video": "learnet.video",
    "prepare": "learnet.preparing",
    "read_dataset": "learnet.datasets",
    "run_study": "learnet.study",
    "write_report": "learnet.report",
}

__all__ = [*sorted(_HOME), "__version__"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'learnet' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
