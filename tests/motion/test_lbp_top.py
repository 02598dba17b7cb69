"""LBP-TOP codes by hand, by loops and by scikit-image, of known movements, and as the network reads them."""

import math

import cv2
import numpy as np
import pytest
import torch
from skimage.feature import local_binary_pattern
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from learnet.core.errors import LearnetError, TooFewFrames
from learnet.motion.lbp_top import interpolate_frames, lbp_codes, lbp_histograms, lbp_top
from learnet.motion.normalise import unit
from learnet.networks import NETWORKS, as_input
from learnet.networks.lbp_top import TOPHistogramSVM

XY, XT, YT = range(3)


def coloured(grey: np.ndarray) -> np.ndarray:
    """Return the clip in three equal channels, which every conversion to grey restores."""
    return np.repeat(grey[..., None], 3, axis=-1)


def by_loops(grey: np.ndarray) -> dict[tuple[int, int, int, int], float]:
    """Return shares by (block row, block column, plane, code), point by point from the definition."""
    frames, size, _ = grey.shape
    counts: dict[tuple[int, int, int, int], int] = {}
    for t in range(4, frames - 4):
        for y in range(1, size - 1):
            for x in range(1, size - 1):
                centre = int(grey[t, y, x])
                right, left = grey[t, y, x + 1] >= centre, grey[t, y, x - 1] >= centre
                below, above = grey[t, y + 1, x] >= centre, grey[t, y - 1, x] >= centre
                later, before = grey[t + 4, y, x] >= centre, grey[t - 4, y, x] >= centre
                around = {
                    XY: (right, below, left, above),
                    XT: (right, later, left, before),
                    YT: (below, later, above, before),
                }
                for plane, bits in around.items():
                    key = (
                        math.floor(5 * y / size),
                        math.floor(5 * x / size),
                        plane,
                        sum(2**i for i, bit in enumerate(bits) if bit),
                    )
                    counts[key] = counts.get(key, 0) + 1
    wholes: dict[tuple[int, int, int], int] = {}
    for key, count in counts.items():
        wholes[key[:3]] = wholes.get(key[:3], 0) + count
    return {key: count / wholes[key[:3]] for key, count in counts.items()}


def read_back(picture: np.ndarray) -> np.ndarray:
    """Return shares (block row, block column, plane, code) as the network reads them from an image."""
    cells = TOPHistogramSVM(2, len(picture)).features(as_input(picture[None]))[0].double().numpy()
    return cells.reshape(3, 5, 4, 5, 4).transpose(1, 3, 0, 2, 4).reshape(5, 5, 3, 16)


# ---- codes


def test_one_place_by_hand() -> None:
    """Centre 100. Right 101, below 99, left 100, above 0; four frames later 100, before 200."""
    grey = np.full((9, 3, 3), 50, np.uint8)
    grey[4, 1] = [100, 100, 101]
    grey[4, 0, 1], grey[4, 2, 1] = 0, 99
    grey[8, 1, 1], grey[0, 1, 1] = 100, 200
    assert lbp_codes(grey).ravel().tolist() == [1 + 4, 1 + 2 + 4 + 8, 2 + 8]


@pytest.mark.parametrize("size", [40, 43])
def test_a_clip_by_three_loops(rng: np.random.Generator, size: int) -> None:
    grey = rng.integers(
        0, 8, (12, size, size), dtype=np.uint8
    )  # few levels, so that many neighbours are equal
    result, expected = lbp_histograms(lbp_codes(grey), size), by_loops(grey)
    assert {key: result[key] for key in expected} == pytest.approx(expected)
    assert np.count_nonzero(result) == len(expected)
    np.testing.assert_allclose(result.sum(axis=-1), 1)


def test_the_plane_xy_is_scikit_images(rng: np.random.Generator) -> None:
    """Its bits are right, above, left, below; ours right, below, left, above. Otherwise the codes agree."""
    grey = rng.integers(0, 30, (9, 50, 50), dtype=np.uint8)
    theirs = local_binary_pattern(grey[4], P=4, R=1)[1:-1, 1:-1].astype(int)
    swapped = (theirs & 0b0101) | (theirs & 0b0010) << 2 | (theirs & 0b1000) >> 2
    np.testing.assert_array_equal(lbp_codes(grey)[XY, 0], swapped)


# ---- known movements


def test_in_a_still_clip_nothing_changes_along_time(rng: np.random.Generator) -> None:
    """Both neighbours in time equal the point, so bits 2 and 8 are set; along x and y as on XY."""
    face = rng.integers(0, 256, (50, 50), dtype=np.uint8)
    for frames in (2, 9, 23):
        result = lbp_codes(interpolate_frames(np.repeat(face[None], frames, axis=0)))
        np.testing.assert_array_equal(result[XT], result[XY] & 0b0101 | 0b1010)
        np.testing.assert_array_equal(result[YT], (result[XY] & 0b1010) >> 1 | 0b1010)
    shares = read_back(unit(lbp_top(coloured(np.repeat(face[None], 23, axis=0)))))
    mirrored = np.array([code & 0b1010 == 0b1010 for code in range(16)])
    assert (shares[..., [XT, YT], :][..., ~mirrored] == 0).all() and (shares[..., XT, mirrored] > 0).any()


@pytest.mark.parametrize(("step", "xt", "yt"), [(1, 1 + 8, 1 + 4 + 8), (-1, 1 + 2, 1 + 4 + 2)])
def test_a_slope_that_moves_by_a_pixel_a_frame(step: int, xt: int, yt: int) -> None:
    """A ramp moves by a pixel a frame, so every point of a plane has one code, and one cell contains all.

    It is brighter to the right, darker to the left, equal above and below. Where it moves to the right, later
    is what was four pixels to the left, darker, and before is brighter.
    """
    grey = np.broadcast_to(
        50 + 2 * (np.arange(40) - step * np.arange(10)[:, None, None]), (10, 40, 40)
    ).astype(np.uint8)
    shares = read_back(unit(lbp_top(coloured(grey))))
    expected = np.zeros((5, 5, 3, 16))
    for plane, code in ((XY, 1 + 2 + 8), (XT, xt), (YT, yt)):
        expected[..., plane, code] = 1
    np.testing.assert_allclose(shares, expected, atol=1e-6)


def test_a_pattern_that_moves_by_a_pixel_a_frame(rng: np.random.Generator) -> None:
    """XT is the sheared line of the pattern: later at x is now at x - 4, so one line gives every code."""
    line = rng.integers(0, 256, 40 + 12, dtype=np.uint8)
    grey = np.stack([np.broadcast_to(line[10 - t : 50 - t], (40, 40)) for t in range(10)])
    for t in (4, 5):
        at = np.arange(1, 39) + 10 - t  # of places 1..38 on the line
        bits = [line[at + shift] >= line[at] for shift in (1, -4, -1, 4)]  # right, later, left, before
        expected = sum(2**i * bit.astype(int) for i, bit in enumerate(bits))
        np.testing.assert_array_equal(lbp_codes(grey)[XT, t - 4], np.broadcast_to(expected, (38, 38)))


def test_a_mirrored_face_has_other_blocks_and_other_codes(rng: np.random.Generator) -> None:
    """The picture cannot be mirrored: blocks change sides, and within a block left and right of each code."""
    grey = rng.integers(0, 256, (10, 40, 40), dtype=np.uint8)
    here, mirrored = (lbp_histograms(lbp_codes(clip), 40) for clip in (grey, grey[:, :, ::-1]))
    turned = [code & 0b1010 | (code & 1) << 2 | (code & 4) >> 2 for code in range(16)]
    np.testing.assert_allclose(mirrored[:, ::-1, :YT], here[..., :YT, turned])
    np.testing.assert_allclose(mirrored[:, ::-1, YT], here[..., YT, :])


def test_at_112_pixels_the_histograms_of_a_mirrored_face_are_no_permutation(rng: np.random.Generator) -> None:
    """Columns of blocks are 23, 22, 23, 22 and 22 pixels wide; those of a mirrored face are cut elsewhere."""
    columns = np.arange(112) * 5 // 112
    assert np.bincount(columns).tolist() == [23, 22, 23, 22, 22]
    grey = rng.integers(0, 256, (10, 112, 112), dtype=np.uint8)
    here, mirrored = (lbp_histograms(lbp_codes(clip), 112) for clip in (grey, grey[:, :, ::-1]))
    assert np.abs(mirrored[:, ::-1, YT] - here[..., YT, :]).max() > 1e-4


# ---- temporal interpolation


def tim(grey: np.ndarray, count: int) -> np.ndarray:
    """The temporal interpolation model as published: a linear map from the eigenvectors of a path graph."""
    frames = len(grey)
    flat = grey.reshape(frames, -1).T.astype(float)
    mean = flat.mean(axis=1, keepdims=True)
    base, values, rows = np.linalg.svd(flat - mean, full_matrices=False)
    base, seen = base[:, :-1], (values[:, None] * rows)[:-1]  # the mean is removed, so one dimension is empty
    path = np.eye(frames, k=1) + np.eye(frames, k=-1)
    _, vectors = np.linalg.eigh(np.diag(path.sum(axis=0)) - path)
    to_curve = np.linalg.solve(seen @ seen.T, seen @ vectors[:, 1:])
    waves = np.arange(1, frames)

    def curve(time: float) -> np.ndarray:
        return np.sin(np.pi * waves * time + np.pi * (frames - waves) / (2 * frames))

    height = (seen[:, 0] @ to_curve) / curve(1 / frames)
    points = np.stack([height * curve(time) for time in np.linspace(1 / frames, 1, count)], axis=1)
    interpolated = base @ np.linalg.solve(to_curve @ to_curve.T, to_curve @ points) + mean
    return interpolated.T.reshape(count, *grey.shape[1:])


@pytest.mark.parametrize("frames", [3, 4, 9, 11, 28])
def test_interpolation_is_the_published_model(rng: np.random.Generator, frames: int) -> None:
    soft = cv2.GaussianBlur(
        rng.integers(0, 256, (20, 20, frames)).astype(np.float32), (0, 0), 1.5
    )  # stays within 0..255 between frames
    grey = np.rint(soft).astype(np.uint8).transpose(2, 0, 1)
    expected = tim(grey, 10)
    assert np.abs(interpolate_frames(grey) - np.clip(expected, 0, 255)).max() <= 0.5 + 1e-6


def test_interpolation_keeps_the_frames_that_it_meets(rng: np.random.Generator) -> None:
    grey = rng.integers(0, 256, (28, 6, 6), dtype=np.uint8)
    np.testing.assert_array_equal(interpolate_frames(grey), grey[::3])  # 28 = 1 + 9 * 3
    np.testing.assert_array_equal(interpolate_frames(grey[:10]), grey[:10])
    np.testing.assert_array_equal(interpolate_frames(grey[:4])[::3], grey[:4])  # 10 = 1 + 3 * 3
    two = interpolate_frames(np.uint8([[[10]], [[250]]])).ravel()
    assert two[0] == 10 and two[-1] == 250 and (np.diff(two.astype(int)) > 0).all()
    np.testing.assert_array_equal(interpolate_frames(grey[:1]), np.repeat(grey[:1], 10, axis=0))


def test_a_clip_at_twice_the_rate_is_nearly_the_same(rng: np.random.Generator) -> None:
    """A slow movement in 19 and in 37 frames has nearly the same histograms; a static clip has others."""
    face = cv2.GaussianBlur(rng.integers(0, 256, (60, 60)).astype(np.float32), (0, 0), 2)
    face = cv2.normalize(face, None, 0, 255, cv2.NORM_MINMAX)

    def moving(count: int) -> np.ndarray:
        """Return the face moving by 3 pixels in a number of frames."""
        frames = []
        for shift in np.linspace(0, 3, count):
            transform = np.float32([[1, 0, shift], [0, 1, 0]])
            frames.append(
                cv2.warpAffine(
                    face, transform, (60, 60), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
                )
            )
        return np.clip(np.rint(frames), 0, 255).astype(np.uint8)

    def histograms(clip: np.ndarray) -> np.ndarray:
        return lbp_histograms(lbp_codes(interpolate_frames(clip)), 60)

    slow, fast, still = histograms(moving(19)), histograms(moving(37)), histograms(moving(19)[:1])
    assert (
        np.abs(slow - fast).sum(axis=-1).mean()
        < 0.05
        < 0.5
        < np.abs(slow - still)[..., XT, :].sum(axis=-1).mean()
    )


# ---- picture


@pytest.mark.parametrize("size", [*range(40, 62), 112, 120, 333])
def test_the_network_reads_the_shares_out_of_the_picture(rng: np.random.Generator, size: int) -> None:
    """Within the rounding to 1/255 of the root: sqrt(p) / 255, and a little for the smallest."""
    colour = rng.integers(0, 256, (10, size, size, 3), dtype=np.uint8)
    grey = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in colour])
    exact = lbp_histograms(lbp_codes(grey), size)
    picture = lbp_top(colour)
    assert picture.shape == (size, size, 3) and picture.dtype == np.float32
    cells = (
        np.sqrt(exact)
        .reshape(5, 5, 3, 4, 4)
        .transpose(2, 0, 3, 1, 4)
        .reshape(1, 3, 20, 20)
        .astype(np.float32)
    )
    drawn = torch.nn.functional.interpolate(torch.from_numpy(cells), size, mode="nearest-exact")[
        0
    ].numpy()  # another library's
    clear = [
        pixel for pixel in range(size) if (2 * pixel + 1) * 20 % (2 * size)
    ]  # its middle is not on an edge, where floats decide
    np.testing.assert_array_equal(
        picture.transpose(2, 0, 1)[:, clear][..., clear], drawn[:, clear][..., clear]
    )
    result = read_back(unit(picture))
    assert (np.abs(result - exact) <= np.sqrt(exact) / 255 + 1 / 510**2 + 1e-6).all()
    assert np.unique(result).size > 20


def test_where_a_code_is_drawn() -> None:
    """Code 9 of XT in the third row, second column of each block; 4 pixels a cell, green, with share 1."""
    grey = np.broadcast_to(50 + 2 * (np.arange(80) - np.arange(10)[:, None, None]), (10, 80, 80)).astype(
        np.uint8
    )
    green = unit(lbp_top(coloured(grey)))[..., XT]
    expected = np.zeros((5, 4, 4, 5, 4, 4), np.uint8)  # block, cell, pixel; twice
    expected[:, 2, :, :, 1, :] = 255
    np.testing.assert_array_equal(green, expected.reshape(80, 80))


def test_the_machine_is_scikit_learns_on_the_shares(rng: np.random.Generator) -> None:
    """Three textures. A cell is 3x3 pixels, so its centre is read here without the network."""
    labels = np.arange(60) % 3
    noise = rng.integers(0, 256, (60, 60, 60, 30)).astype(np.float32)
    soft = [
        cv2.GaussianBlur(frames, (0, 0), 0.5 + 0.04 * label)
        for label, frames in zip(labels, noise, strict=True)
    ]
    clips = np.rint(soft).astype(np.uint8).reshape(60, 60, 60, 10, 3).transpose(0, 3, 1, 2, 4)
    pictures = np.stack([unit(lbp_top(clip)) for clip in clips])
    shares = ((pictures[:, 1::3, 1::3] / 255) ** 2).reshape(60, -1)
    train, test = slice(0, 40), slice(40, 60)
    net = NETWORKS["lbp-top"](3, 60)
    net.fit(as_input(pictures[train]), torch.from_numpy(labels[train]))
    reference = make_pipeline(
        StandardScaler(), SVC(kernel="linear", C=1e-3, class_weight="balanced", break_ties=True)
    )
    reference.fit(shares[train], labels[train])
    scores = net(as_input(pictures[test])).numpy()
    np.testing.assert_allclose(scores, reference.decision_function(shares[test]), atol=1e-4)
    assert 0.5 < (scores.argmax(axis=1) == labels[test]).mean() < 1, "too easy or too hard to tell anything"


def test_what_has_no_histograms(rng: np.random.Generator) -> None:
    crops = rng.integers(0, 256, (5, 20, 20, 3), dtype=np.uint8)
    assert np.isfinite(lbp_top(crops)).all()
    with pytest.raises(TooFewFrames):
        lbp_top(crops[:1])
    with pytest.raises(LearnetError, match="a crop of 19 pixels"):
        lbp_top(crops[:, :19, :19])
