"""Whether the images of a prepared folder are of the kind that weights were trained on."""

from pathlib import Path

from learnet.core.errors import BadCheckpoint
from learnet.datasets.prepared.store import (
    CHANNELS_SEEN_IN,
    ImageSource,
    check_flow_channels,
)
from learnet.training.metadata import CheckpointMetadata


def check_compatible(prepared: ImageSource, weights: Path, metadata: CheckpointMetadata) -> None:
    """Refuse images that were not made as those which the weights have learned from (`CheckpointMetadata.takes`).

    Raises:
        BadCheckpoint: another size, preparation, or kind of image.
        BadInput: flow images with their channels in another order.
    """
    size, kind = prepared.size, prepared.record.images_kind
    if metadata.size != size:
        raise BadCheckpoint(
            weights,
            f"takes images of {metadata.size} pixels, and these have {size}",
            "Prepare them with the size of the weights.",
        )
    preparation, learned = prepared.record.preparation, metadata.data.get("images_kind")
    if learned != kind or not metadata.accepts(preparation):
        raise BadCheckpoint(
            weights,
            f"learned from {metadata.preparation or learned}, and these images are {preparation or kind}",
            "Prepare the clips with the settings of the weights.",
        )
    if kind == "flow" and preparation is None:
        check_flow_channels(prepared.folder, prepared.take(range(min(len(prepared.clips), CHANNELS_SEEN_IN))))
