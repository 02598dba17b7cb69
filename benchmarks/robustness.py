"""How weights for flow images score when the same images are made in another way: one change in each row.

    python benchmarks/robustness.py PREPARED WEIGHTS... [--phases PHASES]

PREPARED is a folder of flow images of 28 pixels with emotions, and action units where they are known
(`learnet import`). Each row changes all images in one way, as other programs might have made them. UF1 is
that of the classes negative, positive and surprise; weights of action units are scored by the mean area under
the ROC curve of the units that five clips or more show. PHASES are flow images of other pairs of frames of
the same clips; their files are named like those of PREPARED, followed by `_1`, `_2` or `_3`. Nothing is
trained or chosen here. Written to benchmarks/results/robustness.json.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from measure import RESULTS
from sklearn.metrics import f1_score, roc_auc_score

from learnet.core.labels import SCHEMES
from learnet.datasets.prepared.store import load_prepared
from learnet.inference.action_units import ActionUnitRecogniser
from learnet.inference.weights import load_scorer
from learnet.metrics.action_units import annotated_sides
from learnet.motion.detrend import StoredImages

CLASSES = ("negative", "positive", "surprise")
LEAST_CLIPS = 5  # that show a unit
CENTRE = 13.5  # of an image of 28 pixels
Change = Callable[[np.ndarray], np.ndarray]  # an image (28, 28, 3), uint8, to a changed one


def crop(
    wider: float = 1.0, taller: float = 1.0, right: float = 0.0, down: float = 0.0, turn_deg: float = 0.0
) -> Change:
    """Return a change of the crop: the face becomes wider and taller, moves, and turns clockwise."""
    angle = np.deg2rad(turn_deg)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = rotation * (wider, taller)
    shift = np.array([CENTRE + right, CENTRE + down]) - linear @ (CENTRE, CENTRE)
    matrix = np.column_stack([linear, shift])

    def change(image: np.ndarray) -> np.ndarray:
        moved = cv2.warpAffine(
            image, matrix, image.shape[:2], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        if not turn_deg:
            return moved
        vectors = (moved[..., :2].astype(float) - 127.5) @ rotation.T + 127.5
        return np.dstack([vectors.round().clip(0, 255), moved[..., 2]]).astype(np.uint8)

    return change


def smoother(image: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), 1.0)


def noisier(image: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(int(image.astype(np.int64).sum()))
    sd = 0.2 * image.std(axis=(0, 1))
    return (image + rng.normal(size=image.shape) * sd).round().clip(0, 255).astype(np.uint8)


def coarser(image: np.ndarray) -> np.ndarray:
    """Store 16 grey levels."""
    return (image // 16 * 17).astype(np.uint8)


def jpeg(image: np.ndarray) -> np.ndarray:
    _, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 75])
    return cv2.imdecode(content, cv2.IMREAD_COLOR)


def saturated(image: np.ndarray) -> np.ndarray:
    """Scale u and v by half of their range and cut them off."""
    vectors = image[..., :2].astype(float)
    middle = np.median(vectors, axis=(0, 1))
    spread = np.percentile(np.abs(vectors - middle), 98, axis=(0, 1)) / 2
    cut = 127.5 + 127.5 * (vectors - middle) / np.maximum(spread, 1)
    return np.dstack([cut.round().clip(0, 255), image[..., 2]]).astype(np.uint8)


def without_strain(image: np.ndarray) -> np.ndarray:
    return np.dstack([image[..., :2], np.zeros_like(image[..., 2])])


def strain_from_image(image: np.ndarray, power: float = 0.5) -> np.ndarray:
    """Replace the strain by that of u and v as they are in the image."""
    u_y, u_x = np.gradient(image[..., 0].astype(float))
    v_y, v_x = np.gradient(image[..., 1].astype(float))
    strain = (u_x**2 + v_y**2 + (u_y + v_x) ** 2 / 2) ** power
    levels = 255 * strain / max(strain.max(), 1e-9)
    return np.dstack([image[..., :2], levels.round()]).astype(np.uint8)


CHANGES: Mapping[str, Change] = {
    "as they are": lambda image: image,
    "crop 15 % tighter": crop(1.15, 1.15),
    "crop 15 % looser": crop(0.85, 0.85),
    "crop 20 % lower than wide": crop(1.0, 1.2),
    "face 2.5 pixels higher": crop(down=-2.5),
    "face 2.5 pixels lower": crop(down=2.5),
    "face 2 pixels to the right": crop(right=2.0),
    "turned by 5 degrees": crop(turn_deg=5.0),
    "smoothed by 1 pixel": smoother,
    "noise of 20 %": noisier,
    "16 grey levels": coarser,
    "JPEG 75": jpeg,
    "u and v cut off at half of their range": saturated,
    "without strain": without_strain,
    "strain of the small u and v": strain_from_image,
    "the same, squared": lambda image: strain_from_image(image, 1.0),
}
"""What each row changes. Images are changed one by one, without a look at the others."""

PHASES = {"1": True, "2": False, "3": True}
"""Part of a clip -> whether its flow runs backwards, from the apex to rest; it is then reversed."""


def uf1(weights: str, images: np.ndarray, table: pd.DataFrame) -> float:
    scorer, metadata = load_scorer(Path(weights))
    columns = [metadata.classes.index(name) for name in CLASSES]
    truth = [SCHEMES["megc-3"].of[emotion] for emotion in table["emotion"]]
    predicted = scorer.scores(StoredImages(images))[:, columns].argmax(axis=1)
    return float(f1_score(truth, np.array(CLASSES)[predicted], average="macro", labels=CLASSES))


def mean_auc(weights: str, images: np.ndarray, table: pd.DataFrame) -> float:
    recogniser = ActionUnitRecogniser.load(weights)
    known = (table["action_units"] != "").to_numpy()
    codes = table["action_units"][known].tolist()
    truth = annotated_sides(codes, recogniser.units).any(axis=2)
    scores = recogniser.scores(StoredImages(images[known])).present
    areas = []
    for active, unit_scores in zip(truth.T, scores.T, strict=True):
        if active.sum() >= LEAST_CLIPS:
            areas.append(roc_auc_score(active, unit_scores))
    return float(np.mean(areas))


def phase_images(folder: Path, table: pd.DataFrame, part: str, reverse: bool) -> np.ndarray:
    """Return the images of one part in the order of the clips of `table`."""
    prepared = load_prepared(folder)
    rows = {Path(path).stem: row for row, path in enumerate(prepared.clips["path"])}
    wanted = [rows[f"{Path(path).stem}_{part}"] for path in table["path"]]
    images = np.array(prepared.images[wanted])
    if reverse:
        images[..., :2] = 255 - images[..., :2]
    return images


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("prepared", type=Path)
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--phases", type=Path)
    arguments = parser.parse_args()
    prepared = load_prepared(arguments.prepared)
    table = prepared.clips
    stored = np.array(prepared.images)
    versions = {name: np.stack([change(image) for image in stored]) for name, change in CHANGES.items()}
    if arguments.phases:
        for part, reverse in PHASES.items():
            versions[f"phase {part}"] = phase_images(arguments.phases, table, part, reverse)
    results: dict[str, dict[str, float]] = {}
    for name, images in versions.items():
        results[name] = {}
        for weights in arguments.weights:
            measure = mean_auc if load_scorer(Path(weights))[1].action_units else uf1
            results[name][Path(weights).stem] = round(measure(weights, images, table), 3)
    changed = [results[name] for name in list(CHANGES)[1:]]
    results["mean of the changes"] = pd.DataFrame(changed).mean().round(3).to_dict()
    (RESULTS / "robustness.json").write_text(json.dumps(results, indent=1) + "\n")
    print("| change | " + " | ".join(Path(weights).stem for weights in arguments.weights) + " |")
    for name, scores in results.items():
        print(f"| {name} | " + " | ".join(f"{score:.3f}" for score in scores.values()) + " |")


if __name__ == "__main__":
    main()
