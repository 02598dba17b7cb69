"""Training losses for TensorBoard, which is optional."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from learnet.core.extras import missing_library


def writer(folder: Path) -> Any:  # tensorboard.summary.Writer
    """Return a writer of event files; made before a training, so that a missing library is reported at once.

    Args:
        folder: for the event files.

    Raises:
        MissingLibrary: TensorBoard is not installed.
    """
    try:
        from tensorboard.summary import Writer
    except ModuleNotFoundError as error:
        raise missing_library(error, "--tensorboard") from None
    return Writer(str(folder))


def write_losses(events: Any, losses: Sequence[float]) -> None:
    """Write the mean training loss of each epoch as `loss/train`, with epochs from 1, and close the file.

    Args:
        events: from `writer`.
        losses: of the epochs.
    """
    for epoch, loss in enumerate(losses, start=1):
        events.add_scalar("loss/train", loss, epoch)
    events.close()
