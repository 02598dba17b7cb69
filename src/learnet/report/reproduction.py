"""The commands that run a study again."""

import shlex
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from learnet.core.automatic_settings import resolve_detrend
from learnet.core.files import absolute_path
from learnet.core.settings import Study, Training
from learnet.report.study_record import StudyRecord
from learnet.study.description import EvaluationSettings, ImagesDescription
from learnet.training.pretrained import resolve_weights

SUFFIX = "-again"  # of the folder of the repeated study: the first one remains for a comparison


def command(record: StudyRecord) -> str:
    """Return the command that runs a study again, with every option that differs from its default.

    Its paths are those under which the study and its images were found. Empty if study.json is missing.
    """
    if record.description is None:
        return ""
    settings = record.description.settings
    prepared = _prepared_folders(record, record.description.prepared)
    out = f"{absolute_path(record.folder).name}{SUFFIX}"
    if isinstance(settings, EvaluationSettings):
        options = ["--weights", _weights(settings.weights), "--classes", record.scheme_name]
        return shlex.join(["learnet", "evaluate", *prepared, out, *options])
    options = _options(record.settings, Study())
    options += _options(record.training_settings, _default_training(record.description.prepared))
    if record.selection:  # study.json holds what was selected
        options += ["--selection", str(record.folder)]
    return shlex.join(["learnet", "study", *prepared, out, *options])


def comparison_command(record: StudyRecord) -> str:
    """Return the command that shows whether the repeated study gives the same predictions."""
    if record.description is None:
        return ""
    return shlex.join(
        ["learnet", "compare", str(record.folder), f"{absolute_path(record.folder).name}{SUFFIX}"]
    )


def _prepared_folders(record: StudyRecord, images: ImagesDescription) -> list[str]:
    """Return the prepared folders of a study: those that were pooled, if they are still there."""
    folders = images.folders or [images.folder]
    if record.prepared is None or all(Path(folder).is_dir() for folder in folders):
        return folders
    return [str(record.prepared.folder)]


def _default_training(images: ImagesDescription) -> Training:
    """Return the settings of a study of these images for which no option of training was given."""
    return resolve_detrend(Training(), images.about.images_kind) if images.about else Training()


def _weights(name: str) -> str:
    """Return weights as `--weights` takes them: those that come with learnet by their name."""
    stem = Path(name).stem
    is_shipped = Path(name).name == name and resolve_weights(Path(stem)) != Path(stem)
    return stem if is_shipped else name


def _options(values: Mapping[str, object], defaults: Study | Training) -> list[str]:
    """Return the command-line options of the settings that differ from their defaults."""
    options: list[str] = []
    for setting in fields(defaults):
        value = values.get(setting.name)
        if value is None or value == getattr(defaults, setting.name):
            continue
        option = setting.name.rstrip("_").replace("_", "-")
        if isinstance(value, bool):
            options.append(f"--{option}" if value else f"--no-{option}")
        elif isinstance(value, list | tuple):
            for item in value:
                options += [f"--{option}", str(item)]
        else:
            options += [f"--{option}", str(value)]
    return options
