"""Numbers over the epochs for TensorBoard, where it is installed; learnet itself does not need it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from learnet.core.errors import LearnetError


def writer(folder: Path) -> Any:  # tensorboard.summary.Writer
    """What writes event files to FOLDER, made before a training, so that it is known in time that nothing can be written.

    Raises:
        LearnetError: TensorBoard is not installed.
    """
    try:
        from tensorboard.summary import Writer
    except ImportError as error:
        raise LearnetError(
            f"TensorBoard cannot be loaded ({error}).",
            "`pip install 'learnet[tensorboard]'` installs it, or leave --tensorboard out.",
        ) from None
    return Writer(str(folder))


def write_losses(events: Any, losses: Sequence[float]) -> None:
    """Write the mean training loss of each epoch as `loss/train`, epochs counted from 1, and close the file."""
    for epoch, loss in enumerate(losses, start=1):
        events.add_scalar("loss/train", loss, epoch)
    events.close()
