"""LBP-FIP: vertices and uniform patterns by loops, by hand and by scikit-image, and as they are read."""

import numpy as np
import pytest
from skimage.feature import local_binary_pattern

from learnet.core.errors import LearnetError, TooFewFrames
from learnet.motion.lbp_fip import UNIFORM, VERTICES, lbp_fip, vertex_patterns
from learnet.motion.lbp_top import interpolate_frames, lbp_codes, lbp_histograms
from learnet.motion.normalise import unit
from learnet.networks import as_input
from learnet.networks.lbp_fip import FIPHistogramSVM


def uniform_by_words() -> list[int]:
    """Number the codes whose bits are one run of ones around the circle; all others are pattern 58."""
    patterns, found = [], 0
    for code in range(256):
        bits = f"{code:08b}"
        turned = [bits[start:] + bits[:start] for start in range(8)]
        is_one_run = any("01" not in text for text in turned)
        patterns.append(found if is_one_run else 58)
        found += is_one_run
    return patterns


def by_loops(grey: np.ndarray) -> np.ndarray:
    """Return the pattern of each point, vertex by vertex."""
    frames, height, width = grey.shape
    patterns = uniform_by_words()
    result = np.zeros((frames - 8, height - 2, width - 2), int)
    for t in range(4, frames - 4):
        for y in range(1, height - 1):
            for x in range(1, width - 1):
                code = 0
                for bit, (later, below, right) in enumerate(VERTICES):
                    if grey[t + 4 * later, y + below, x + right] >= grey[t, y, x]:
                        code += 2**bit
                result[t - 4, y - 1, x - 1] = patterns[code]
    return result


def test_uniform_patterns_are_those_of_one_run_of_ones() -> None:
    assert UNIFORM.tolist() == uniform_by_words()
    assert UNIFORM.max() == 58 and len(set(UNIFORM.tolist())) == 59


def test_uniform_patterns_group_codes_as_scikit_image_does(rng: np.random.Generator) -> None:
    """Its codes of an image, once as they are and once as uniform patterns: the same groups, in any order."""
    image = rng.integers(0, 6, (200, 200), dtype=np.uint8)
    codes = local_binary_pattern(image, 8, 1).astype(int)
    theirs = local_binary_pattern(image, 8, 1, method="nri_uniform").astype(int)
    pairs = set(zip(UNIFORM[codes].ravel().tolist(), theirs.ravel().tolist(), strict=True))
    assert len(pairs) == len({ours for ours, _ in pairs}) == len({other for _, other in pairs}) == 59


def test_patterns_by_loops(rng: np.random.Generator) -> None:
    grey = rng.integers(0, 8, (11, 7, 9), dtype=np.uint8)
    np.testing.assert_array_equal(vertex_patterns(grey), by_loops(grey))


def test_the_vertices_lie_on_two_oblique_planes() -> None:
    """On the first, later is below; on the second, above. Neighbours around a plane share an edge."""
    assert len(set(VERTICES)) == 8
    assert all(later == below for later, below, _ in VERTICES[:4])
    assert all(later == -below for later, below, _ in VERTICES[4:])
    for plane in (VERTICES[:4], VERTICES[4:]):
        for vertex, following in zip(plane, plane[1:] + plane[:1], strict=True):
            differs = [a != b for a, b in zip(vertex, following, strict=True)]
            assert differs in ([False, False, True], [True, True, False])


def test_one_point_by_hand() -> None:
    """Centre 100. Only the vertex four frames later, below and to the right is brighter: bit 1, code 2."""
    grey = np.full((9, 3, 3), 50, np.uint8)
    grey[4, 1, 1], grey[8, 2, 2] = 100, 100
    assert vertex_patterns(grey).tolist() == [[[2]]]  # codes 0, 1 and 2 are uniform


@pytest.mark.parametrize("size", [40, 45, 112])
def test_the_network_reads_the_shares_out_of_the_picture(rng: np.random.Generator, size: int) -> None:
    grey = rng.integers(0, 256, (10, size, size), dtype=np.uint8)
    picture = lbp_fip(np.repeat(grey[..., None], 3, axis=-1))
    read = FIPHistogramSVM(2, size).features(as_input(unit(picture)[None]))[0].double().numpy()
    blocks = read.reshape(3, 5, 8, 5, 8).transpose(1, 3, 0, 2, 4).reshape(5, 5, 3, 64)
    frames = interpolate_frames(grey)
    orthogonal = lbp_histograms(lbp_codes(frames), size).reshape(5, 5, 48)
    oblique = np.zeros((5, 5, 59))
    block = np.arange(1, size - 1) * 5 // size
    for patterns in by_loops(frames) if size < 100 else vertex_patterns(frames):
        np.add.at(oblique, (block[:, None], block[None], patterns), 1)
    oblique /= oblique.sum(axis=-1, keepdims=True)
    for found, expected in ((blocks[:, :, 0, :48], orthogonal), (blocks[:, :, 1, :59], oblique)):
        assert (np.abs(found - expected) <= np.sqrt(expected) / 255 + 1 / 510**2 + 1e-6).all()
    assert not blocks[:, :, 0, 48:].any() and not blocks[:, :, 1, 59:].any() and not blocks[:, :, 2].any()


def test_what_has_no_histograms() -> None:
    with pytest.raises(TooFewFrames):
        lbp_fip(np.zeros((1, 40, 40, 3), np.uint8))
    with pytest.raises(LearnetError, match="a crop of 39 pixels"):
        lbp_fip(np.zeros((5, 39, 39, 3), np.uint8))
