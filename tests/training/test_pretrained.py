"""Shipped weights are small, contain no person, and score on real images what their documentation states."""

import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pandas as pd
import pytest
from safetensors import safe_open

from learnet.core.errors import BadCheckpoint, BadInput, LearnetError
from learnet.core.settings import Preparation
from learnet.datasets.prepared.importing import import_images
from learnet.datasets.prepared.store import check_flow_channels, load_prepared, save_prepared
from learnet.datasets.synthetic.dynamic_images import simulate_dynamic
from learnet.inference.onnx_inference import load_onnx
from learnet.inference.weights import load_scorer
from learnet.motion.detrend import StoredImages
from learnet.study.description import read_description
from learnet.study.evaluate import evaluate
from learnet.study.outcomes import read_outcomes
from learnet.training.checkpoint import load_checkpoint
from learnet.training.compatibility import check_compatible
from learnet.training.pretrained import (
    FOLDER,
    default_weights,
    pretrained_weights,
    resolve_checkpoint,
    resolve_weights,
)
from learnet.training.scorer import Scorer
from tests.builders.scores import predict_scores
from tests.study.test_run import write_prepared
from tests.training.test_initial_weights import METADATA, write_initial

FILES = sorted(FOLDER.glob("*.safetensors"))
SHIPPED = [file for file in FILES if not file.stem.startswith("action-units-")]  # those that score classes
FLOW = [file for file in SHIPPED if "-flow-" in file.stem]
CARD = Path(__file__).resolve().parents[2] / "docs" / "pretrained.md"


def test_there_are_some() -> None:
    assert SHIPPED


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_each_is_small_and_says_what_it_is(file: Path) -> None:
    assert file.stat().st_size < 4e6
    with safe_open(file, "pt") as handle:
        names = [name for name in handle.keys() if "num_batches" not in name]  # noqa: SIM118
        assert {handle.get_tensor(name).dtype.itemsize for name in names} == {2}
    _, metadata = load_checkpoint(file)
    network, kind, size = file.stem.rsplit("-", 2)
    assert (metadata.network, metadata.data["images_kind"], str(metadata.size)) == (network, kind, size)
    assert (
        metadata.data["synthetic"] == "yes" and "people" not in metadata.data and "none" in metadata.classes
    )
    assert pretrained_weights(network, kind, int(size)) == file


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_onnx_file_has_the_weights_of_the_checkpoint(file: Path) -> None:
    """The same numbers in 16 bits, under the same names, and the same metadata."""
    onnx_file = file.with_suffix(".onnx")
    assert onnx_file.stat().st_size < file.stat().st_size + 20_000
    module, metadata = load_checkpoint(file)
    assert load_onnx(onnx_file)[1] == metadata
    stored = {}
    for tensor in onnx.load(onnx_file).graph.initializer:
        stored[tensor.name.removesuffix(".float16")] = onnx.numpy_helper.to_array(tensor)
    for name, tensor in module.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert stored[name].dtype == np.float16
            np.testing.assert_array_equal(stored[name], tensor.numpy())


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_the_onnx_file_scores_images_as_pytorch_does(file: Path, rng: np.random.Generator) -> None:
    module, metadata = load_checkpoint(file)
    noise = rng.integers(0, 256, (20, metadata.size, metadata.size, 3), dtype=np.uint8)
    smooth = np.stack([cv2.GaussianBlur(image, (0, 0), metadata.size / 8) for image in noise])
    images = StoredImages(np.concatenate([noise, smooth]))
    scores = load_scorer(Path(file.stem))[0].scores(images)
    torch_scorer = Scorer.from_module(module, metadata.mirror, metadata.detrend_percentile, metadata.views)
    expected = torch_scorer.scores(images)
    np.testing.assert_allclose(scores, expected, atol=2e-6)
    assert np.ptp(scores, axis=0).max() > 0.1


@pytest.mark.parametrize("file", FLOW, ids=lambda file: file.stem)
def test_the_onnx_file_gives_every_real_image_the_label_of_pytorch(
    file: Path, shared: Path, tmp_path: Path
) -> None:
    folder = shared / "real" / "megc2019_flow"
    import_images(folder / "images", folder / "labels.csv", tmp_path / "flow", 28, "flow")
    evaluate(tmp_path / "flow", file, tmp_path / "torch")
    evaluate(tmp_path / "flow", Path(file.stem), tmp_path / "onnx")
    by_torch, by_onnx = (read_outcomes(tmp_path / name) for name in ("torch", "onnx"))
    assert len(by_torch) == 309
    assert [one.prediction for one in by_onnx] == [one.prediction for one in by_torch]
    assert "onnxruntime" in read_description(tmp_path / "onnx").versions


@pytest.mark.parametrize("file", FLOW, ids=lambda file: file.stem)
def test_on_real_images_each_scores_what_its_card_says(file: Path, shared: Path, tmp_path: Path) -> None:
    folder = shared / "real" / "megc2019_flow"
    import_images(folder / "images", folder / "labels.csv", tmp_path / "flow", 28, "flow")
    metrics = evaluate(tmp_path / "flow", Path(file.stem), tmp_path / "study")
    card_scores = re.search(
        rf"`{file.stem}`: accuracy.*?UF1 (0\.\d+).*?UAR (0\.\d+)", CARD.read_text(), re.DOTALL
    )
    assert card_scores, "the card names no score"
    score = metrics.seeds["0"].measures
    assert [round(score[name].value, 3) for name in ("uf1", "uar")] == pytest.approx(
        [float(card_scores[1]), float(card_scores[2])], abs=2e-3
    )


def test_on_simulated_clips_those_for_dynamic_images_score_what_their_card_says(tmp_path: Path) -> None:
    """On the first 80 of the held-out images. They are used only if they are named."""
    prepared = simulate_dynamic(tmp_path / "clips", 80, ("negative", "positive", "surprise", "none"), seed=1)
    weights = Path("learnet-image-112")
    with pytest.raises(LearnetError, match="No weights are used by default for dynamic images"):
        evaluate(tmp_path / "clips", None, tmp_path / "refused", "megc-4")
    metrics = evaluate(tmp_path / "clips", weights, tmp_path / "study", "megc-4")
    right = round(metrics.seeds["0"].accuracy.value * len(prepared.clips))
    card_scores = re.search(
        rf"`{weights.stem}`.*?(\d+) of the first 80\s+are\s+correct", CARD.read_text(), re.DOTALL
    )
    assert card_scores and abs(right - int(card_scores[1])) <= 1


def test_clips_in_which_nothing_moves_are_answered_none(tmp_path: Path) -> None:
    """Two clips are said to be still: they are answered `none`, and named in the description."""
    prepared = simulate_dynamic(tmp_path / "clips", 12, ("negative", "positive", "surprise", "none"), seed=1)
    table = pd.read_csv(tmp_path / "clips" / "clips.csv", dtype=str, keep_default_na=False)
    assert set(table["still"]) == {""}  # simulated images: not measured
    table.loc[[3, 7], "still"] = "nothing moves"
    table.to_csv(tmp_path / "clips" / "clips.csv", index=False)
    evaluate(tmp_path / "clips", "learnet-image-112", tmp_path / "study", "megc-4")
    outcomes = read_outcomes(tmp_path / "study")
    for row in (3, 7):
        assert outcomes[row].prediction == "none" and max(outcomes[row].scores) == 1.0
    assert sum(max(outcome.scores) == 1.0 for outcome in outcomes) == 2
    settings = read_description(tmp_path / "study").settings
    assert settings.still_clips == prepared.clips["clip"].iloc[[3, 7]].tolist()  # type: ignore[union-attr]


def test_weights_are_asked_only_for_the_classes_of_the_clips(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    weights, prepared = write_initial(tmp_path), write_prepared(tmp_path / "prepared", rng, dataset="own")
    evaluate(prepared, weights, tmp_path / "study")
    module, metadata = load_checkpoint(weights)
    scores = predict_scores(module, load_prepared(prepared).images)
    classes = ["disgust", "happiness", "sadness", "surprise"]
    expected = scores[:, [metadata.classes.index(name) for name in classes]]
    outcomes = read_outcomes(tmp_path / "study")
    np.testing.assert_allclose(
        [o.scores for o in outcomes], expected / expected.sum(axis=1, keepdims=True), atol=1e-6
    )
    assert [o.prediction for o in outcomes] == [classes[i] for i in expected.argmax(axis=1)]
    with pytest.raises(
        BadCheckpoint, match="scheme as-labelled has disgust, happiness, sadness too. Name other weights"
    ):
        evaluate(
            prepared, write_initial(tmp_path, replace(METADATA, classes=("surprise",))), tmp_path / "other"
        )
    # The scheme that the weights know is chosen where one fits best.
    of_three = write_initial(tmp_path, replace(METADATA, classes=("negative", "positive", "surprise")))
    evaluate(prepared, of_three, tmp_path / "other")
    assert read_description(tmp_path / "other").scheme.name == "megc-3"


def test_weights_of_simulated_flow_take_flow_of_any_making_and_nothing_else(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    made = {"images_kind": "flow", "synthetic": "yes"}
    metadata = replace(METADATA, data=made)

    def folder(name: str, kind: str, preparation: Preparation | None):
        prepared = load_prepared(write_prepared(tmp_path / name, rng, kind=kind))
        return replace(prepared, record=replace(prepared.record, preparation=preparation))

    check_compatible(folder("imported", "flow", None), Path("w"), metadata)
    check_compatible(
        folder("tvl1", "flow", Preparation(motion="flow-tvl1", size=28).settled), Path("w"), metadata
    )
    with pytest.raises(
        BadCheckpoint, match=r"trained on flow images, and these are flow-tvl1 images \(normalise signed"
    ):
        check_compatible(
            folder("signed", "flow", Preparation(motion="flow-tvl1", size=28, normalise="signed")),
            Path("w"),
            metadata,
        )
    with pytest.raises(BadCheckpoint, match="trained on flow images, and these are dynamic images"):
        check_compatible(folder("dynamic", "image", Preparation(size=28).settled), Path("w"), metadata)
    assert metadata.resolve_for_video().preparation == Preparation(
        motion="flow-dis", size=28, normalise="per-channel"
    )
    assert replace(metadata, data={**made, "synthetic": "no"}).resolve_for_video().preparation is None


def test_weights_of_simulated_clips_take_dynamic_images_whoever_found_the_face(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    preparation = Preparation(size=28).settled
    metadata = replace(METADATA, preparation=preparation, data={"images_kind": "image", "synthetic": "yes"})

    def folder(name: str, kind: str, preparation: Preparation | None):
        prepared = load_prepared(write_prepared(tmp_path / name, rng, kind=kind))
        return replace(prepared, record=replace(prepared.record, preparation=preparation))

    for face in ("auto", "haar", "yunet", "none"):
        check_compatible(folder(face, "image", replace(preparation, face=face)), Path("w"), metadata)
    for message, other in {
        "images with normalise joint-minmax, and these are images with normalise signed. ": replace(
            preparation, normalise="signed"
        ),
        "with motion dynamic, and these are images with motion dynamic-released. ": replace(
            preparation, motion="dynamic-released"
        ),
        "with stabilise False, and these are images with stabilise True. ": replace(
            preparation, stabilise=True
        ),
        r"dynamic images \(normalise joint-minmax\), and these are imported images": None,
    }.items():
        name = f"folder-{len(list(tmp_path.iterdir()))}"
        with pytest.raises(BadCheckpoint, match=message):
            check_compatible(folder(name, "image", other), Path("w"), metadata)
    flow = folder("flow", "flow", Preparation(motion="flow-dis", size=28).settled)
    with pytest.raises(
        BadCheckpoint,
        match="with motion dynamic.*, and these are images with motion flow-dis",
    ):
        check_compatible(flow, Path("w"), metadata)
    assert metadata.resolve_for_video() == metadata and metadata.simulated
    trained = replace(
        metadata, data={**metadata.data, "people": "casme2/01"}
    )  # on a synthetic database, whose faces were found by yunet
    with pytest.raises(BadCheckpoint, match="trained on"):
        check_compatible(folder("found", "image", replace(preparation, face="haar")), Path("w"), trained)


@pytest.mark.parametrize(
    ("order", "channel"), [((2, 1, 0), "first \\(red\\)"), ((0, 2, 1), "second \\(green\\)")]
)
def test_channels_in_another_order_are_noticed_on_real_images(
    shared: Path, tmp_path: Path, order: tuple, channel: str
) -> None:
    folder = shared / "real" / "megc2019_flow"
    flow = import_images(folder / "images", folder / "labels.csv", tmp_path / "flow", 28, "flow")
    check_flow_channels(Path("flow"), flow.images[:20])
    with pytest.raises(BadInput, match=f"strain.* in the {channel} channel"):
        check_flow_channels(Path("flow"), flow.images[:20][..., list(order)])
    turned = save_prepared(tmp_path / "turned", flow.images[..., list(order)], flow.clips, flow.record, [])
    with pytest.raises(BadInput, match="Put the channels in this order"):
        evaluate(turned.folder, SHIPPED[0], tmp_path / "study")


def test_noise_has_no_order_to_be_noticed(rng: np.random.Generator) -> None:
    check_flow_channels(Path("noise"), rng.integers(0, 256, (30, 28, 28, 3), dtype=np.uint8))


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(LearnetError, match="for resnet18 on flow images of 28 pixels.*learnet-flow-28"):
        pretrained_weights("resnet18", "flow", 28)


def test_shipped_weights_go_by_their_name_unless_a_file_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in SHIPPED:
        assert resolve_checkpoint(Path(file.stem)) == file
        assert resolve_weights(Path(file.stem)) == file.with_suffix(".onnx")
    assert (
        load_checkpoint(Path("learnet-flow-28"))[1]
        == load_checkpoint(FOLDER / "learnet-flow-28.safetensors")[1]
    )
    with pytest.raises(
        BadCheckpoint, match="there is no such file.*learnet-flow-28, learnet-image-112, mlp-cnn-flow-28"
    ):
        load_checkpoint(Path("learnet-flow-29"))
    for other in ("learnet-flow-29", "folder/learnet-flow-28", "../weights/learnet-flow-28"):
        assert resolve_weights(Path(other)) == resolve_checkpoint(Path(other)) == Path(other)
    (tmp_path / "learnet-flow-28").write_text("mine")
    assert resolve_weights(Path("learnet-flow-28")) == Path("learnet-flow-28")


def test_all_commands_have_the_same_default() -> None:
    assert default_weights() == default_weights("flow", 28) == FOLDER / "mlp-cnn-flow-28.onnx"
    with pytest.raises(LearnetError, match="dynamic images"):
        default_weights("image", 112)
    with pytest.raises(LearnetError, match="for mlp-cnn on flow images of 45 pixels"):
        default_weights("flow", 45)
