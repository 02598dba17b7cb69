"""Check that the images of a prepared folder are like those that weights were trained on."""

from collections.abc import Iterable
from pathlib import Path

from learnet.core.errors import BadCheckpoint
from learnet.core.people import known_people
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
        trained_on = metadata.preparation or trained_kind
        raise BadCheckpoint(
            weights,
            f"was trained on {trained_on}, and these images are {preparation or kind}",
            "Prepare the clips with the settings of the weights.",
        )
    if kind == "flow" and preparation is None:
        first_images = prepared.take(range(min(len(prepared.clips), CHANNELS_SEEN_IN)))
        check_flow_channels(prepared.folder, first_images)


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
