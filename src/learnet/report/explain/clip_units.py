"""Action units of an explained clip: those that the network of action units names, and the annotated ones."""

from dataclasses import replace

import numpy as np
import pandas as pd

from learnet.core.settings import Preparation
from learnet.datasets.prepared.store import ImageSource
from learnet.inference.action_unit_text import long_text, short_text
from learnet.inference.action_units import ActionUnitRecogniser
from learnet.inference.emotion_criteria import criteria_sentence, emotions_from_units
from learnet.inference.window_units import NOT_TRUSTED, WindowUnits, head_obstacle
from learnet.motion.detrend import StoredImages
from learnet.report.explain.clips import ExplainedClip

LONG_TEXT_UNITS = 4  # that fit into a line with their sides in words


def add_units(
    clip: ExplainedClip, prepared: ImageSource, recogniser: ActionUnitRecogniser | None
) -> ExplainedClip:
    """Return the clip with notes about its action units, which then belong to every figure.

    Args:
        clip: to be explained.
        prepared: that has its image.
        recogniser: None: only annotated units are named.
    """
    clips = prepared.clips
    row = clips[clips["clip"] == clip.clip].iloc[0]
    units = None
    if recogniser is not None and _fits(prepared, recogniser):
        units = _units_of(row, prepared, recogniser)
    return replace(clip, notes=(*clip.notes, *_notes(units, row["action_units"])))


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


def _notes(units: WindowUnits | None, annotated: str) -> list[str]:
    """Return what is known about the action units of a clip; each is a line of a title."""
    notes = []
    if units is not None:
        text = long_text if len(units.named) <= LONG_TEXT_UNITS else short_text
        notes.append(text(units.named) or units.reason or "no action unit is named")
        notes.append(criteria_sentence(emotions_from_units(units.named)))
    if annotated:
        notes.append(f"annotated action units: {annotated}")
    return [note for note in notes if note]
