"""Check that the images of a prepared folder are like those that weights were trained on."""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from learnet.core.errors import BadCheckpoint
from learnet.core.people import known_people
from learnet.core.settings import Preparation
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import CHANNELS_SEEN_IN, ImageSource, check_flow_channels
from learnet.training.metadata import CheckpointMetadata


def check_compatible(prepared: ImageSource, weights: Path, metadata: CheckpointMetadata) -> None:
    """Refuse images of another size or preparation than the training images (`CheckpointMetadata.accepts`).

    Args:
        prepared: images.
        weights: file of the weights, for error messages.
        metadata: of the weights.

    Raises:
        BadCheckpoint: another size, preparation, or kind of image.
        BadInput: flow images with their channels in another order.
    """
    if metadata.size != prepared.size:
        raise BadCheckpoint(
            weights,
            f"accepts images of {metadata.size} pixels, and these have {prepared.size}",
            "Prepare them with the size of the weights.",
        )
    kind = prepared.record.images_kind
    preparation = prepared.record.preparation
    trained_kind = metadata.data.get("images_kind")
    if trained_kind != kind or not metadata.accepts(preparation):
        trained_on = _describe_images(metadata.preparation, preparation, trained_kind)
        these = _describe_images(preparation, metadata.preparation, kind)
        raise BadCheckpoint(
            weights,
            f"was trained on {trained_on}, and these are {these}",
            "Prepare the clips with the settings of the weights.",
        )
    if kind == "flow" and preparation is None:
        first_images = prepared.take(range(min(len(prepared.clips), CHANNELS_SEEN_IN)))
        check_flow_channels(prepared.folder, first_images)


def _describe_images(preparation: Preparation | None, other: Preparation | None, kind: object) -> str:
    """Return how images were made, as far as it differs from how others were made.

    Args:
        preparation: None for images that were imported or simulated.
        other: of the images they are compared with.
        kind: of the images.
    """
    if preparation is None:
        return "imported images" if kind == "image" else f"{kind} images"
    if other is None:
        return f"{preparation.motion} images (normalise {preparation.normalise})"
    differing = []
    for field in fields(Preparation):
        value = getattr(preparation, field.name)
        if value != getattr(other, field.name):
            differing.append(f"{field.name} {value}")
    return f"images with {', '.join(differing)}"


def people_seen(metadata: CheckpointMetadata, record: PrepareRecord, people: Iterable[str]) -> list[str]:
    """Return the people of a prepared folder who were in the training of the weights, by their names, however
    they are spelled.

    Synthetic people are not the real people of the same names.

    Args:
        metadata: of the weights.
        record: of the prepared folder.
        people: some people in it.
    """
    extents = {metadata.data.get("synthetic"), record.synthetic_extent}
    if extents == {"yes", "no"}:
        return []
    return known_people(people, metadata.people)
