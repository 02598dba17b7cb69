"""learnet: a video of a face becomes one picture of its motion, and LEARNet names the micro-expression in it.

The public names are loaded on first use, so that `import learnet` costs nothing and pulls in no heavy library.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "Clip": "learnet.clip",
    "Fold": "learnet.clip",
    "Outcome": "learnet.clip",
    "LearnetError": "learnet.errors",
    "Preparation": "learnet.settings",
    "Training": "learnet.settings",
    "Windows": "learnet.settings",
    "dynamic_image": "learnet.motion.dynamic",
    "NETWORKS": "learnet.networks",
    "DATASETS": "learnet.datasets",
    "prepare": "learnet.prepare",
    "run_study": "learnet.study",
    "Recogniser": "learnet.predict",
    "LiveRecogniser": "learnet.live",
    "write_report": "learnet.report",
}

__all__ = [*sorted(_HOME), "__version__"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'learnet' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
