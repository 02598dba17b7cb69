"""What evaluations of given weights share, whether they score classes or action units."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from pathlib import Path

from learnet.datasets.prepared.record import PrepareRecord
from learnet.inference.onnx_inference import is_onnx
from learnet.study.describe import versions
from learnet.study.description import FoldDescription
from learnet.training.compatibility import people_seen
from learnet.training.metadata import CheckpointMetadata

Progress = Callable[[int, int], None]  # images done, images in all

FOLD = "given-weights"
BATCH_SIZE = 64  # images


def batches(number: int, progress: Progress | None) -> Iterator[range]:
    """Yield the positions of images in batches, and call `progress` after each batch."""
    for start in range(0, number, BATCH_SIZE):
        positions = range(start, min(start + BATCH_SIZE, number))
        yield positions
        if progress:
            progress(positions.stop, number)


def scoring_threads(weights: Path) -> AbstractContextManager[None]:
    """Limit PyTorch to one thread, as ONNX networks are, so that scores do not depend on the cores."""
    if is_onnx(weights):
        return nullcontext()
    from learnet.training.device import one_thread  # loads PyTorch, like the weights

    return one_thread()


def weights_versions(weights: Path) -> dict[str, str]:
    """Return the versions of the packages on which the scores of these weights depend."""
    if is_onnx(weights):
        return {**versions(), "onnxruntime": version("onnxruntime")}
    return versions()


def seen_in_training(
    metadata: CheckpointMetadata, record: PrepareRecord, people: Collection[str]
) -> list[str]:
    """Return the tested people who were in the training of the weights.

    Weights name the people they were trained on, but for simulated images, each of which shows somebody else.
    All of them count as seen where the weights were trained on images of this very folder.
    """
    if record.simulated and record.fingerprint in metadata.folders:
        return sorted(set(people))
    return people_seen(metadata, record, people)


def evaluation_protocol(seen: Collection[str]) -> str:
    """Return the name of the protocol: a leaky one if people of the training are tested."""
    return "leaky-evaluation" if seen else "evaluation"


def evaluation_fold(
    metadata: CheckpointMetadata, seen: Collection[str], people: Sequence[str]
) -> FoldDescription:
    """Return the only fold of an evaluation.

    Args:
        metadata: of the weights.
        seen: people of `seen_in_training`.
        people: person of each tested clip.
    """
    return FoldDescription(
        name=FOLD,
        train_people=sorted(metadata.people.union(seen)) if seen else [],
        test_people=sorted(set(people)),
        train_clips=int(metadata.data.get("clips", 0)),
        test_clips=len(people),
    )
