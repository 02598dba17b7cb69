"""The scorer against scores computed by hand, and PyTorch against ONNX."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from learnet.inference.onnx_inference import load_onnx
from learnet.motion.detrend import StoredImages, detrend
from learnet.networks import as_input
from learnet.training import augment
from learnet.training.checkpoint import load_checkpoint
from learnet.training.scorer import BATCH_SIZE, Scorer, mirror_images, scale, softmax

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "written_by_0_1_0"
SIZE = 8
CLASSES = 3


class SoftmaxRegression(nn.Module):
    """Logits are sums of all values of an image times weights that are known."""

    def __init__(self, weights: np.ndarray) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.from_numpy(weights).float())

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) @ self.weights


@pytest.fixture
def weights(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(0, 0.1, (3 * SIZE * SIZE, CLASSES))


def random_images(rng: np.random.Generator, count: int, size: int = SIZE) -> np.ndarray:
    return rng.integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def scores_by_hand(images: np.ndarray, weights: np.ndarray, mirror: str) -> np.ndarray:
    """One image after the other, in float64: channels first, -1..1, weights, exponentials, mean."""
    rows = []
    for image in images:
        scaled = np.array([[[image[y, x, c] for x in range(SIZE)] for y in range(SIZE)] for c in range(3)])
        versions = [scaled / 127.5 - 1]
        if mirror != "none":
            mirrored = versions[0][:, :, ::-1].copy()
            if mirror == "flow":
                mirrored[0] = -mirrored[0]
            versions.append(mirrored)
        probabilities = []
        for version in versions:
            powers = np.exp(version.ravel() @ weights)
            probabilities.append(powers / powers.sum())
        rows.append(sum(probabilities) / len(probabilities))
    return np.array(rows)


@pytest.mark.parametrize("mirror", ["none", "image", "flow"])
@pytest.mark.parametrize("percentile", [0, 90])
def test_scores_by_hand(mirror: str, percentile: int, rng: np.random.Generator, weights: np.ndarray) -> None:
    """Of more images than pass through the network at a time, for a function and for a module."""
    images = random_images(rng, BATCH_SIZE + 6)
    expected = scores_by_hand(detrend(images, percentile), weights, mirror)

    def network(batch: np.ndarray) -> np.ndarray:
        return batch.reshape(len(batch), -1) @ weights.astype(np.float32)

    for scorer in (
        Scorer(network, mirror, percentile),
        Scorer.from_module(SoftmaxRegression(weights).eval(), mirror, percentile),
    ):
        scores = scorer.scores(StoredImages(images))
        assert scores.dtype == np.float64
        np.testing.assert_allclose(scores, expected, atol=1e-5)
        np.testing.assert_array_equal(
            scorer.scores(StoredImages(images).for_evaluation(percentile)), scores
        )  # the trend is removed once
    assert np.ptp(expected, axis=0).min() > 0.3  # the images differ


def test_logits_are_those_of_the_images_alone(rng: np.random.Generator, weights: np.ndarray) -> None:
    images = random_images(rng, BATCH_SIZE + 6)
    scorer = Scorer.from_module(SoftmaxRegression(weights).eval(), "flow", 90)
    rows = (detrend(images, 90) / 127.5 - 1).transpose(0, 3, 1, 2).reshape(len(images), -1)
    np.testing.assert_allclose(scorer.logits(StoredImages(images)), rows @ weights, atol=1e-4)


def test_scaled_and_mirrored_to_the_bits_of_torch(rng: np.random.Generator) -> None:
    images = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)  # all pixel values
    expected = as_input(images)
    np.testing.assert_array_equal(scale(images), expected.numpy())
    batch = random_images(rng, 3)
    assert (
        scale(batch).strides == as_input(batch).numpy().strides
    )  # another layout, other kernels, other rounding
    for kind in ("image", "flow"):
        mirrored = mirror_images(scale(batch), kind)
        np.testing.assert_array_equal(mirrored, augment.mirror(as_input(batch), kind).numpy())
        assert mirrored.strides == scale(batch).strides


def test_softmax_of_large_logits() -> None:
    logits = np.array([[1000, 999, -1000], [0, 0, 0]], dtype=np.float32)
    expected = [[1 / (1 + np.exp(-1)), 1 / (1 + np.e), 0], [1 / 3, 1 / 3, 1 / 3]]
    np.testing.assert_allclose(softmax(logits), expected, rtol=1e-12)


def test_scores_of_an_onnx_file_are_those_of_its_checkpoint(rng: np.random.Generator) -> None:
    """The same network written in both forms by learnet 0.1.0."""
    module, metadata = load_checkpoint(FIXTURES / "ststnet.safetensors")
    scorer, onnx_metadata = load_onnx(FIXTURES / "ststnet.onnx")
    assert onnx_metadata == metadata
    assert metadata.mirror == "image"
    images = StoredImages(random_images(rng, 9, metadata.size))
    expected = Scorer.from_module(module, metadata.mirror, metadata.detrend_percentile)
    np.testing.assert_allclose(scorer.scores(images), expected.scores(images), atol=1e-6)
    np.testing.assert_allclose(scorer.logits(images), expected.logits(images), atol=1e-4)


def test_no_images_no_scores() -> None:
    scorer, metadata = load_onnx(FIXTURES / "ststnet.onnx")
    none = np.empty((0, metadata.size, metadata.size, 3), np.uint8)
    assert scorer.scores(StoredImages(none)).shape == (0, len(metadata.classes))


def test_onnx_files_are_scored_without_torch() -> None:
    code = f"""
import sys
from pathlib import Path
import numpy as np
from learnet.inference.onnx_inference import load_onnx
from learnet.motion.detrend import StoredImages
scorer, metadata = load_onnx(Path({str(FIXTURES / "ststnet.onnx")!r}))
images = np.zeros((2, metadata.size, metadata.size, 3), np.uint8)
print(scorer.scores(StoredImages(images)).shape == (2, len(metadata.classes)), "torch" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "False"]


def shifted_by_hand(image: np.ndarray, right: int, down: int) -> np.ndarray:
    """Pixel by pixel: from where it comes, or from the nearest pixel of the edge."""
    size = len(image)
    shifted = np.empty_like(image)
    for y in range(size):
        for x in range(size):
            source_y = min(max(y - down, 0), size - 1)
            source_x = min(max(x - right, 0), size - 1)
            shifted[y, x] = image[source_y, source_x]
    return shifted


@pytest.mark.parametrize("percentile", [0, 98])
def test_scores_are_averaged_over_views(
    rng: np.random.Generator, weights: np.ndarray, percentile: int
) -> None:
    """17 shifts; of images that are detrended, at two clipping percentiles."""
    images = random_images(rng, 3)
    scorer = Scorer.from_module(SoftmaxRegression(weights).eval(), "flow", percentile, "many")
    clipped = [images]
    if percentile:
        clipped = [detrend(images, 95), detrend(images, 100)]
        for version in clipped:
            version[..., 2] = detrend(images, 98)[..., 2]
    expected = []
    for version in clipped:
        for distance in (0, 1, 2):
            for right in {-distance, 0, distance}:
                for down in {-distance, 0, distance}:
                    if distance and not (right or down):
                        continue
                    shifted = np.stack([shifted_by_hand(image, right, down) for image in version])
                    expected.append(scores_by_hand(shifted, weights, "flow"))
    assert len(expected) == 17 * len(clipped)
    np.testing.assert_allclose(scorer.scores(StoredImages(images)), np.mean(expected, axis=0), atol=1e-6)
