"""How a flow field becomes an image: as the many published programs crop, resize and scale it.

Two laboratories that process the same clip get images whose pixels correlate at 0.5 or less. A network for
both must be trained on many ways of processing. Each image is therefore processed in a way of its own; all
ranges are ours, around what published programs do.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8

from learnet.motion.normalise import per_channel
from learnet.simulation.geometry import View
from learnet.simulation.imitated_flow import Crop

SAMPLES = 3  # of the flow field per pixel of the image, along each axis
CROP_WIDTH = (0.85, 1.35)  # face widths: from cheek to cheek, to a head with hair
CROP_HEIGHT = (0.95, 1.6)
EYE_HEIGHT = (0.22, 0.45)  # distance of the eyes from the top, share of the height
OFFSET_SD = 0.04  # of the centre of the crop to the side, face widths
ROTATION_SD_DEG = 3.0
SUBSAMPLED_SHARE = 0.5  # images resized by picking single pixels; the others are area means
STRAIN_AT_SIZE_SHARE = 0.25  # images whose strain is computed from the small image, not from the flow field
SHEAR_SQUARED_SHARE = 0.5  # sqrt(exx^2 + eyy^2 + 2 exy^2) and sqrt(exx^2 + eyy^2 + 4 exy^2) are in use
SQUARED_STRAIN_SHARE = 0.25  # images that show the square of the strain
NO_STRAIN_SHARE = 0.3  # images without strain
SPECKLE_SD = 1.1  # largest standard deviation of the logarithm of the speckle of a subsampled strain
PIXEL_NOISE = 0.25  # largest standard deviation of the noise of u and v, share of that of the channel
SATURATED_SHARE = 0.2  # channels scaled by a constant and cut off, instead of by their own range
JPEG_SHARE = 0.25  # images that were stored as JPEG
JPEG_QUALITY = (50, 96)  # range, last excluded
SATURATION = (0.3, 2.0)  # grey levels at the ends of the scale, in 98th percentiles of the movement


@dataclass(frozen=True)
class FlowProcessing:
    """One way to make an image of a flow field."""

    crop: Crop
    rotation_deg: float
    subsampled: bool
    strain_at_size: bool
    shear_weight: float  # of the squared shear du/dy + dv/dx: 1/2 or 1
    squared_strain: bool
    no_strain: bool
    speckle_sd: float
    noise: float
    saturation: tuple[float | None, float | None]  # of u and of v; None: scaled by their own range
    jpeg_quality: int | None  # 0..100; None: stored without loss


def draw_processing(rng: np.random.Generator) -> FlowProcessing:
    """Draw a way to make an image of a flow field."""
    crop = Crop(
        width=rng.uniform(*CROP_WIDTH),
        height=rng.uniform(*CROP_HEIGHT),
        eye_height=rng.uniform(*EYE_HEIGHT),
        offset=rng.normal(0, OFFSET_SD),
    )
    return FlowProcessing(
        crop=crop,
        rotation_deg=rng.normal(0, ROTATION_SD_DEG),
        subsampled=rng.random() < SUBSAMPLED_SHARE,
        strain_at_size=rng.random() < STRAIN_AT_SIZE_SHARE,
        shear_weight=1.0 if rng.random() < SHEAR_SQUARED_SHARE else 0.5,
        squared_strain=rng.random() < SQUARED_STRAIN_SHARE,
        no_strain=rng.random() < NO_STRAIN_SHARE,
        speckle_sd=rng.uniform(0, SPECKLE_SD),
        noise=PIXEL_NOISE * rng.random() ** 2,
        saturation=(_draw_saturation(rng), _draw_saturation(rng)),
        jpeg_quality=int(rng.integers(*JPEG_QUALITY)) if rng.random() < JPEG_SHARE else None,
    )


def _draw_saturation(rng: np.random.Generator) -> float | None:
    return rng.uniform(*SATURATION) if rng.random() < SATURATED_SHARE else None


def process_flow(
    flow: Float32[np.ndarray, "H W 2"],
    view: View,
    processing: FlowProcessing,
    size: int,
    rng: np.random.Generator,
) -> UInt8[np.ndarray, "S S 3"]:
    """Make the image of a flow field: u, v and strain, 0..255.

    Args:
        flow: in any unit, on the grid of `view`.
        view: position of the face in the grid.
        processing: from `draw_processing`.
        size: height and width of the image in pixels.
        rng: source of speckle and noise.
    """
    fine = _cut_out(flow, view, processing, size)
    small = _picked(fine) if processing.subsampled else _area_means(fine)
    strain = _draw_strain(fine, small, processing, rng)
    deviation = small.std(axis=(0, 1))
    noisy = small + processing.noise * deviation * rng.normal(size=small.shape)
    image = per_channel(np.dstack([noisy, strain]).astype(np.float32))
    for channel, saturation in enumerate(processing.saturation):
        if saturation is not None:
            image[..., channel] = _saturate(noisy[..., channel], saturation)
    if processing.no_strain:
        image[..., 2] = 0
    if processing.jpeg_quality is not None:
        image = _through_jpeg(image, processing.jpeg_quality)
    return image


def _through_jpeg(image: UInt8[np.ndarray, "S S 3"], quality: int) -> UInt8[np.ndarray, "S S 3"]:
    """Return an RGB image after it was stored as JPEG, which also halves the resolution of its colours."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _cut_out(
    flow: Float32[np.ndarray, "H W 2"], view: View, processing: FlowProcessing, size: int
) -> Float32[np.ndarray, "F F 2"]:
    """Return the rotated crop of the flow field with SAMPLES x SAMPLES vectors per pixel of the image."""
    side = SAMPLES * size
    crop = processing.crop
    angle = np.deg2rad(processing.rotation_deg)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    steps = np.array([crop.width, crop.height]) * view.face_px / side
    first = (0.5 - np.array([0.5, crop.eye_height]) * side) * steps
    first[0] += crop.offset * view.face_px
    corner = rotation @ first + np.array(view.origin)
    to_grid = np.column_stack([rotation * steps, corner])
    cut = cv2.warpAffine(
        flow,
        to_grid,
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return (cut @ rotation).astype(np.float32)


def _picked(fine: Float[np.ndarray, "F F *C"]) -> Float[np.ndarray, "S S *C"]:
    """Return the vector in the middle of each pixel."""
    return fine[SAMPLES // 2 :: SAMPLES, SAMPLES // 2 :: SAMPLES]


def _area_means(fine: Float[np.ndarray, "F F *C"]) -> Float[np.ndarray, "S S *C"]:
    size = len(fine) // SAMPLES
    blocks = fine.reshape(size, SAMPLES, size, SAMPLES, *fine.shape[2:])
    return blocks.mean(axis=(1, 3))


def _draw_strain(
    fine: Float32[np.ndarray, "F F 2"],
    small: Float32[np.ndarray, "S S 2"],
    processing: FlowProcessing,
    rng: np.random.Generator,
) -> Float64[np.ndarray, "S S"]:
    """Return the strain channel; subsampled strain is speckled."""
    if processing.no_strain:
        return np.zeros(small.shape[:2])
    if processing.strain_at_size:
        squared = _squared_strain(small, processing.shear_weight)
    elif processing.subsampled:
        squared = _picked(_squared_strain(fine, processing.shear_weight))
    else:
        squared = _area_means(_squared_strain(fine, processing.shear_weight))
    if processing.subsampled:
        squared = squared * np.exp(2 * processing.speckle_sd * rng.normal(size=squared.shape))
    return squared if processing.squared_strain else np.sqrt(squared)


def _squared_strain(flow: Float32[np.ndarray, "H W 2"], shear_weight: float) -> Float64[np.ndarray, "H W"]:
    du_dy, du_dx = np.gradient(flow[..., 0].astype(np.float64))
    dv_dy, dv_dx = np.gradient(flow[..., 1].astype(np.float64))
    shear = du_dy + dv_dx
    return np.square(du_dx) + np.square(dv_dy) + shear_weight * np.square(shear)


def _saturate(channel: Float64[np.ndarray, "S S"], saturation: float) -> UInt8[np.ndarray, "S S"]:
    """Scale a channel around mid-grey by a constant and cut it off."""
    limit = saturation * np.percentile(np.abs(channel), 98)
    levels = 127.5 + 127 * channel / max(limit, 1e-9)
    return np.rint(levels).clip(0, 255).astype(np.uint8)
