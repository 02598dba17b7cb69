"""learnet: a video of a face becomes one picture of its motion, and LEARNet names the micro-expression in it.

The public names are loaded on first use, so that `import learnet` is instant and loads no heavy library.
"""

from importlib import import_module

__version__ = "0.1.0"

# The public functions, and everything needed to call them. No module directly under `learnet` may have one of
# these names: importing the module would replace the function.
_HOME = {
    "ActionUnitScore": "learnet.core.records",
    "CheckpointMetadata": "learnet.training.metadata",
    "Clip": "learnet.core.records",
    "CrossValidation": "learnet.study.cross_validation",
    "DATASETS": "learnet.datasets",
    "Dataset": "learnet.datasets",
    "DatasetIndex": "learnet.core.records",
    "DatasetSubset": "learnet.core.settings",
    "Event": "learnet.core.records",
    "Finding": "learnet.core.records",
    "Fold": "learnet.core.records",
    "Frame": "learnet.video.base",
    "LEARNetClassifier": "learnet.training.classifier",
    "LearnetError": "learnet.core.errors",
    "LiveEvent": "learnet.inference.live",
    "LivePrediction": "learnet.inference.live.recogniser",
    "LiveRecogniser": "learnet.inference.live",
    "LiveSettings": "learnet.core.live_settings",
    "LiveSpotter": "learnet.inference.live",
    "LiveStretch": "learnet.inference.live",
    "NETWORKS": "learnet.networks",
    "Outcome": "learnet.core.records",
    "Prediction": "learnet.inference.prediction",
    "Preparation": "learnet.core.settings",
    "PreparedDataset": "learnet.datasets.prepared.store",
    "Recogniser": "learnet.inference.recogniser",
    "Recognition": "learnet.inference.recognition",
    "Resources": "learnet.core.settings",
    "SelectedTraining": "learnet.study.candidates",
    "Selection": "learnet.study.candidates",
    "Study": "learnet.core.settings",
    "StudyMetrics": "learnet.metrics.study_metrics",
    "Training": "learnet.core.settings",
    "UnjudgedStretch": "learnet.core.records",
    "Video": "learnet.video.base",
    "VideoInfo": "learnet.video.base",
    "Windows": "learnet.core.settings",
    "cross_validate": "learnet.study.cross_validation",
    "dynamic_image": "learnet.motion.dynamic",
    "evaluate": "learnet.study.evaluate",
    "load_network": "learnet.training.checkpoint",
    "load_prepared": "learnet.datasets.prepared.store",
    "open_video": "learnet.video.reader",
    "predict": "learnet.inference.recogniser",
    "prepare": "learnet.datasets.prepared.prepare",
    "read_dataset": "learnet.datasets",
    "run_study": "learnet.study.run",
    "show_motion": "learnet.report.motion_figure",
    "write_report": "learnet.report.page",
}

__all__ = [*sorted(_HOME), "__version__"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'learnet' has no attribute {name!r}")
    try:
        return getattr(import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        from learnet.core.extras import missing_library

        raise missing_library(error, f"learnet.{name}") from None


def __dir__() -> list[str]:
    return sorted(__all__)
