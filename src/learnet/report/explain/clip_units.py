"""Action units of an explained clip: those that the network of action units names, and the annotated ones."""

from dataclasses import replace

import numpy as np
import pandas as pd

from learnet.core.settings import Preparation
from learnet.datasets.prepared.store import ImageSource
from learnet.inference.action_unit_text import long_text
from learnet.inference.action_units import ActionUnitRecogniser
from learnet.inference.emotion_criteria import criteria_sentence, emotions_from_units
from learnet.inference.window_units import NOT_TRUSTED, WindowUnits, head_obstacle
from learnet.motion.detrend import StoredImages
from learnet.report.explain.clips import ExplainedClip


def add_units(
    clip: ExplainedClip, prepared: ImageSource, recogniser: ActionUnitRecogniser | None
) -> ExplainedClip:
    """Return the clip with a note about its action units, which then belongs to every figure.

    Args:
        clip: to be explained.
        prepared: that has its image.
        recogniser: None: only annotated units are told.
    """
    clips = prepared.clips
    row = clips[clips["clip"] == clip.clip].iloc[0]
    units = None
    if recogniser is not None and _fits(prepared, recogniser):
        units = _units_of(row, prepared, recogniser)
    note = _note(units, row["action_units"])
    return replace(clip, notes=(*clip.notes, note)) if note else clip


def _fits(prepared: ImageSource, recogniser: ActionUnitRecogniser) -> bool:
    """Return whether the images are like those that the network of action units was trained on."""
    record, metadata = prepared.record, recogniser.metadata
    same_kind = record.images_kind == metadata.data.get("images_kind")
    return same_kind and prepared.size == metadata.size and metadata.accepts(record.preparation)


def _units_of(row: pd.Series, prepared: ImageSource, recogniser: ActionUnitRecogniser) -> WindowUnits:
    obstacle = row["still"] or _obstacle(row, prepared.record.preparation)
    if obstacle:
        return WindowUnits(reason=obstacle)
    scores = recogniser.scores(StoredImages(prepared.take([int(row.name)])))
    return WindowUnits(recogniser.named(scores, 0))


def _obstacle(row: pd.Series, preparation: Preparation | None) -> str:
    """Return why the units of a clip are not to be trusted; empty if they are, or nothing is known."""
    obstacle = row.get("obstacle", "")
    if obstacle:
        return f"{obstacle}, so {NOT_TRUSTED}"
    head_px = row.get("head_px", np.nan)
    if preparation is None or pd.isna(head_px):
        return ""
    return head_obstacle(float(head_px), preparation)


def _note(units: WindowUnits | None, annotated: str) -> str:
    """Return what is known about the action units of a clip; empty if nothing is."""
    parts = []
    if units is not None:
        parts.append(long_text(units.named) or units.reason or "no action unit is named")
        parts.append(criteria_sentence(emotions_from_units(units.named)))
    if annotated:
        parts.append(f"annotated action units: {annotated}")
    return "; ".join(filter(None, parts))
