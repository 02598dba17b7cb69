"""Each public name does what it promises, whatever was imported before; nothing heavy loads before it is
used."""

import inspect
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import cv2
import numpy as np
import pandas
import pytest
from matplotlib.figure import Figure

import learnet
from learnet.datasets.synthetic.databases import synthesize, synthetic_video
from learnet.motion.detrend import StoredImages, detrend
from learnet.study.outcomes import read_outcomes
from tests.builders.shape_checks import REFUSED_EARLIER

QUICK = learnet.Training(epochs=1, mirror="none")
SMALL = learnet.Preparation(size=28, face="none")


def submodules() -> list[str]:
    """The names of all modules of the package, but the one that runs the command line."""
    modules = pkgutil.walk_packages(learnet.__path__, "learnet.")
    return [module.name for module in modules if module.name != "learnet.__main__"]


@pytest.fixture(scope="module", autouse=True)
def everything_imported() -> None:
    """Import every module first: a name that a module takes the place of then fails in its test below."""
    for name in submodules():
        import_module(name)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic CASME II of two people with two clips each."""
    return synthesize(tmp_path_factory.mktemp("database") / "casme2", "casme2", 2, 2, jobs=1)


@pytest.fixture(scope="module")
def reading(database: Path) -> learnet.DatasetIndex:
    return learnet.read_dataset("casme2", str(database))


@pytest.fixture(scope="module")
def prepared(reading: learnet.DatasetIndex, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepared") / "prepared"
    learnet.prepare(reading, str(out), SMALL, jobs=1)
    return out


@pytest.fixture(scope="module")
def study(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "study"
    asked = learnet.Study(network="learnet", protocol="loso", classes="auto", keep_weights=False)
    metrics = learnet.run_study(str(prepared), str(out), asked, QUICK, learnet.Resources(jobs=1))
    assert isinstance(metrics, learnet.StudyMetrics)
    return out


@pytest.fixture(scope="module")
def recogniser() -> learnet.Recogniser:
    """The shipped weights, for clips that are face crops already."""
    return replace(learnet.Recogniser.load("learnet-image-112"), finder=None)


# ---------------------------------------------------------------- names


def test_no_module_takes_the_place_of_a_public_name() -> None:
    modules = {module.name for module in pkgutil.iter_modules(learnet.__path__)}
    assert not modules & set(learnet.__all__)


@pytest.mark.parametrize("order", ["sorted", "reversed"])
def test_public_names_are_no_modules_whatever_was_imported(order: str) -> None:
    """In a fresh process, since everything is imported here; by attribute and by `from learnet import`."""
    code = f"""
import importlib, types
for name in {order}({submodules()}):
    importlib.import_module(name)
import learnet
for name in learnet.__all__:
    scope = {{}}
    exec(f"from learnet import {{name}}", scope)
    assert scope[name] is getattr(learnet, name) and not isinstance(scope[name], types.ModuleType), name
print("done")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "done\n"


def test_every_public_name_is_used_below() -> None:
    below = Path(__file__).read_text(encoding="utf-8").split("# ---", 1)[1]
    used = set(re.findall(r"\blearnet\.(\w+)", below))
    assert set(learnet.__all__) <= used


def callables_of(name: str) -> Iterator[tuple[str, Callable[..., object]]]:
    """Yield a public function, or the constructor, methods and properties of a public class, and its name."""
    value = getattr(learnet, name)
    if not isinstance(value, type):
        if callable(value):
            yield name, value
        return
    for member, attribute in inspect.getmembers(value):
        function = getattr(attribute, "fget", None) or getattr(attribute, "func", None) or attribute
        own = str(getattr(function, "__module__", "")).startswith("learnet")
        if not callable(function) or not own:
            continue
        if member in ("__init__", "__call__") or not member.startswith("_"):
            yield f"{name}.{member}", function


def classes_in(annotation: object) -> set[type]:
    """Return the classes of learnet that an annotation names, at any depth."""
    if isinstance(annotation, list):  # the arguments of a Callable
        return {part for inner in annotation for part in classes_in(inner)}
    arguments = get_args(annotation)
    if arguments and get_origin(annotation) is not Literal:
        return {part for inner in arguments for part in classes_in(inner)}
    own = isinstance(annotation, type) and annotation.__module__.startswith("learnet")
    return {annotation} if own else set()


@REFUSED_EARLIER
def test_every_public_signature_can_be_resolved_to_public_types() -> None:
    """What a function takes and returns is public; the types of members are in the reference."""
    pages = (Path(__file__).resolve().parents[1] / "docs" / "reference").glob("*.md")
    reference = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    members = {name for line in re.findall(r"members: \[(.*)\]", reference) for name in line.split(", ")}
    loaded_late = {"pd": pandas, "Figure": Figure}  # annotations that only type checkers import
    public = {id(getattr(learnet, name)) for name in learnet.__all__}
    walked, private = 0, []
    for name in learnet.__all__:
        for label, function in callables_of(name):
            walked += 1
            for parameter, annotation in get_type_hints(function, localns=loaded_late).items():
                for kind in classes_in(annotation):
                    in_reference = "." in label and kind.__name__ in members
                    if id(kind) not in public and not in_reference:
                        private.append(f"{label}({parameter}: {kind.__module__}.{kind.__name__})")
    assert walked > 70
    assert not private


def test_unknown_names_are_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="lernet"):
        learnet.lernet  # noqa: B018


def test_the_version_is_that_of_the_package() -> None:
    assert learnet.__version__ == version("learnet")


# ---------------------------------------------------------------- databases and clips


def test_a_database_is_read(reading: learnet.DatasetIndex, database: Path) -> None:
    assert len(reading.clips) == 4
    assert all(isinstance(clip, learnet.Clip) and clip.path.is_dir() for clip in reading.clips)
    assert {clip.person for clip in reading.clips} == {"casme2/01", "casme2/02"}
    assert learnet.DATASETS["casme2"].read(database, learnet.DatasetSubset()).clips == reading.clips
    assert learnet.DATASETS["casme2"].fps == 200
    assert all(isinstance(entry, learnet.Dataset) for entry in learnet.DATASETS.values())


def test_a_database_or_network_that_is_not_there_is_a_learnet_error() -> None:
    with pytest.raises(learnet.LearnetError, match="no dataset called 'casm2'. Did you mean 'casme2'"):
        learnet.DATASETS["casm2"]
    with pytest.raises(learnet.LearnetError, match="no network called 'lernet'. Did you mean 'learnet'"):
        learnet.NETWORKS["lernet"]
    assert "lernet" not in learnet.NETWORKS and learnet.NETWORKS.get("lernet") is None


def test_a_selection_that_the_database_does_not_have_is_refused(database: Path) -> None:
    with pytest.raises(learnet.LearnetError, match="has no part"):
        learnet.read_dataset("casme2", database, learnet.DatasetSubset(part="HS"))


def test_a_clip_names_its_person_and_refuses_marks_out_of_order() -> None:
    clip = learnet.Clip(Path("a"), "smic-e", "s01", "c1", "positive", 3, 5, 9, 100.0)
    assert (clip.person, clip.key) == ("smic/s01", "smic-e/s01/c1")
    with pytest.raises(learnet.LearnetError, match="out of order"):
        replace(clip, apex=10)


def test_frames_of_a_clip_are_the_pictures_of_its_folder(reading: learnet.DatasetIndex) -> None:
    folder = reading.clips[0].path
    with learnet.open_video(str(folder), 200.0) as video:
        frames = list(video)
    assert isinstance(video, learnet.Video) and isinstance(video.info, learnet.VideoInfo)
    assert (video.info.fps, video.info.frames) == (200, len(frames))
    files = {int(re.findall(r"\d+", file.stem)[-1]): file for file in folder.iterdir()}
    assert [frame.number for frame in frames] == sorted(files)
    for frame in (frames[0], frames[-1]):
        assert isinstance(frame, learnet.Frame)
        np.testing.assert_array_equal(frame.pixels, cv2.imread(str(files[frame.number]))[..., ::-1])


# ---------------------------------------------------------------- motion images


def test_a_dynamic_image_follows_from_its_definition(rng: np.random.Generator) -> None:
    """Sum V_q - V_t over all t < q, where V_t is the mean of the first t frames (Bilen et al.)."""
    frames = rng.integers(0, 256, (6, 4, 5, 3), dtype=np.uint8)
    means = [frames[:t].mean(axis=0) for t in range(1, 7)]
    expected = sum(means[q] - means[t] for q in range(6) for t in range(q))
    np.testing.assert_allclose(learnet.dynamic_image(frames), expected, rtol=1e-6, atol=1e-3)


def test_a_dynamic_image_is_the_same_of_a_list_and_of_a_tensor(rng: np.random.Generator) -> None:
    import torch

    frames = rng.integers(0, 256, (6, 4, 5, 3), dtype=np.uint8)
    image = learnet.dynamic_image(frames)
    np.testing.assert_array_equal(learnet.dynamic_image(list(frames)), image)
    np.testing.assert_array_equal(learnet.dynamic_image(torch.from_numpy(frames)), image)
    in_unit_range = torch.from_numpy(frames).double() / 255
    np.testing.assert_allclose(learnet.dynamic_image(in_unit_range), image / 255, rtol=1e-5, atol=1e-6)
    with pytest.raises(learnet.LearnetError, match="channels last"):
        learnet.dynamic_image(in_unit_range.permute(0, 3, 1, 2))


def test_a_motion_image_is_shown_on_grey() -> None:
    still = np.full((5, 4, 4, 3), 7, dtype=np.uint8)
    (picture,) = learnet.show_motion(learnet.dynamic_image(still)).get_images()
    assert (picture.get_array() == 128).all()


def test_a_database_is_prepared(prepared: Path, reading: learnet.DatasetIndex) -> None:
    """The range of an image is the whole of 0..255, by the definition of the joint normalisation."""
    images = np.load(prepared / "images.npy")
    assert images.shape == (4, 28, 28, 3) and images.dtype == np.uint8
    assert all((image.min(), image.max()) == (0, 255) for image in images)
    rows = (prepared / "clips.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [row.split(",")[1] for row in rows] == [clip.key for clip in reading.clips]
    opened = learnet.load_prepared(str(prepared))
    assert isinstance(opened, learnet.PreparedDataset)
    assert opened.size == 28 and opened.clips["clip"].tolist() == [clip.key for clip in reading.clips]
    np.testing.assert_array_equal(opened.images, images)
    about = json.loads((prepared / "prepare.json").read_text(encoding="utf-8"))
    assert about["preparation"]["size"] == SMALL.size and about["synthetic"] is True


def test_a_clip_that_cannot_be_prepared_is_a_finding(reading: learnet.DatasetIndex, tmp_path: Path) -> None:
    """No frames in the one folder, a real clip in the other."""
    (tmp_path / "empty").mkdir()
    lost = replace(reading.clips[0], path=tmp_path / "empty")
    found = [learnet.Finding("note", "all", "made by hand")]
    both = learnet.DatasetIndex([lost, reading.clips[1]], found)
    prepared = learnet.prepare(both, tmp_path / "out", learnet.Preparation(size=30, face="none"), jobs=1)
    assert prepared.images.shape == (1, 30, 30, 3)
    audit = (tmp_path / "out" / "audit.csv").read_text(encoding="utf-8")
    assert "note,all,made by hand" in audit and f"clip not usable,{lost.key}," in audit


# ---------------------------------------------------------------- studies


def test_a_study_answers_every_clip_once(study: Path, reading: learnet.DatasetIndex) -> None:
    outcomes = read_outcomes(study)
    assert sorted(outcome.clip for outcome in outcomes) == sorted(clip.key for clip in reading.clips)
    emotions = {clip.key: clip.emotion for clip in reading.clips}
    for outcome in outcomes:
        assert isinstance(outcome, learnet.Outcome)
        assert outcome.truth == emotions[outcome.clip] and outcome.fold == outcome.person
        assert sum(outcome.scores) == pytest.approx(1, abs=1e-5)  # six decimals are written
    record = json.loads((study / "study.json").read_text(encoding="utf-8"))
    training = replace(QUICK, detrend=False, clipping_percentile=100)  # no flow images
    assert learnet.Training(**record["training"]) == training and record["network"] == "learnet"


def test_a_study_of_chosen_settings(prepared: Path, study: Path, tmp_path: Path) -> None:
    """Each person gets the candidate that is best for the group: three epochs the first, one the second."""
    people = ["casme2/01", "casme2/02"]
    asked = learnet.Study(network="learnet", classes="auto", keep_weights=False)
    record = json.loads((study / "study.json").read_text(encoding="utf-8"))
    classes, fingerprint = record["scheme"]["classes"], record["prepared"]["fingerprint"]
    selection = learnet.Selection(
        network="learnet",
        classes=classes,
        fingerprint=fingerprint,
        seeds=[0],
        candidates={"short": QUICK, "long": replace(QUICK, epochs=3)},
        groups={"a": [people[0]], "b": [people[1]]},
        scores={"a": {"short": 0.2, "long": 0.4}, "b": {"short": 0.5, "long": 0.4}},
        selected={"a": "long", "b": "short"},
    )
    out = tmp_path / "chosen"
    resources = learnet.Resources(jobs=1)
    learnet.run_study(prepared, out, asked, learnet.SelectedTraining(selection), resources)
    lines = (out / "trainings.csv").read_text(encoding="utf-8").splitlines()
    columns = lines[0].split(",")
    rows = [dict(zip(columns, line.split(","), strict=True)) for line in lines[1:]]
    assert {row["fold"]: row["epochs"] for row in rows} == {people[0]: "3", people[1]: "1"}


def test_given_weights_are_evaluated(prepared: Path, tmp_path: Path) -> None:
    """Weights that were fitted to these very images, which are distinct: each is recognised."""
    from learnet.study.train_on_all import train_on_all

    weights = tmp_path / "svm.safetensors"
    train_on_all(prepared, learnet.Study(network="linear-svm"), learnet.Training()).save(weights)
    metrics = learnet.evaluate(str(prepared), str(weights), str(tmp_path / "evaluation"))
    assert isinstance(metrics, learnet.StudyMetrics)
    assert metrics.mean["accuracy"].value == 1


def test_images_in_memory_are_cross_validated(rng: np.random.Generator) -> None:
    """Each person shows one class in black and one in white, which a linear SVM separates."""
    images = np.zeros((6, 28, 28, 3), dtype=np.uint8)
    images[1::2] = 255
    result = learnet.cross_validate(
        images, ["sad", "happy"] * 3, [1, 1, 2, 2, 3, 3], "linear-svm", resources=learnet.Resources(jobs=1)
    )
    assert isinstance(result, learnet.CrossValidation)
    assert result.predictions["prediction"].tolist() == ["sad", "happy"] * 3
    assert (result.uf1, result.uar, result.accuracy) == (1, 1, 1)


def test_the_classifier_works_with_the_folds_of_scikit_learn() -> None:
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

    images = np.zeros((6, 28, 28, 3), dtype=np.uint8)
    images[1::2] = 255
    labels, people = ["sad", "happy"] * 3, [1, 1, 2, 2, 3, 3]
    classifier = learnet.LEARNetClassifier("linear-svm")
    predictions = cross_val_predict(classifier, images, labels, groups=people, cv=LeaveOneGroupOut())
    assert predictions.tolist() == labels


def test_a_fold_refuses_a_person_on_both_sides() -> None:
    people = ("d/1", "d/1", "d/2")
    assert learnet.Fold("d/2", (0, 1), (2,), people).learned == ["d/1"]
    with pytest.raises(learnet.LearnetError, match="d/1 on both sides"):
        learnet.Fold("d/2", (0,), (1, 2), people)


def test_a_report_is_one_page(study: Path, tmp_path: Path) -> None:
    page = learnet.write_report(str(study), str(tmp_path / "report.html"), explained=0)
    text = page.read_text(encoding="utf-8")
    assert page == tmp_path / "report.html" and text.startswith("<!doctype html>")
    assert "UF1" in text and "casme2/01" in text
    assert "http://" not in re.sub(r"http://www\.w3\.org\S*", "", text)  # only names of the SVG standard


def test_a_network_has_the_size_of_the_paper_and_answers() -> None:
    import torch

    network = learnet.NETWORKS["learnet"](5)
    assert sum(p.numel() for p in network.parameters()) == 1_866_053
    assert network.eval()(torch.zeros(2, 3, 112, 112)).shape == (2, 5)


def test_shipped_weights_are_a_module_that_answers_as_the_recogniser() -> None:
    import torch

    from learnet.networks import as_input

    network = learnet.load_network("ststnet-flow-28")
    metadata = network.metadata
    assert isinstance(network, torch.nn.Module) and not network.training
    assert isinstance(metadata, learnet.CheckpointMetadata)
    assert (metadata.network, metadata.size) == ("ststnet", 28) and "surprise" in metadata.classes
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 3), dtype=np.uint8)
    with torch.inference_mode():
        prepared = as_input(detrend(images, metadata.detrend_percentile))
        shares = network(prepared).softmax(dim=1)
    scorer = replace(learnet.Recogniser.load("ststnet-flow-28").scorer, mirror="none")
    np.testing.assert_allclose(shares, scorer.scores(StoredImages(images)), atol=1e-6)


# ---------------------------------------------------------------- videos


def test_a_video_is_answered_window_by_window(
    recogniser: learnet.Recogniser, reading: learnet.DatasetIndex
) -> None:
    """Windows of 0.1 s without overlap, 200 frames per second: one for every 20 frames, one for a rest."""
    folder = reading.clips[0].path
    windows = learnet.Windows(window_s=0.1, overlap=0.0, whole_s=0.0)
    told = replace(recogniser, margin=0.0)(folder, windows, fps=200.0)
    count = len(list(folder.iterdir()))
    assert told.frames == count and len(told.predictions) in (count // 20, -(-count // 20))
    assert [answer.frames for answer in told.predictions[:2]] == [20, 20]
    moving = [answer for answer in told.predictions if answer.scores]
    assert moving
    for answer in moving:
        assert tuple(answer.scores) == recogniser.metadata.classes
        assert sum(answer.scores.values()) == pytest.approx(1)
        assert answer.label == max(answer.scores, key=answer.scores.get)
    rest = [answer for answer in told.predictions if not answer.scores]
    assert {answer.label for answer in rest} <= {"none", None} and all(answer.reason for answer in rest)


def test_frames_file_and_folder_are_predicted_alike(tmp_path: Path) -> None:
    """Default weights; a synthetic smile, stored without loss."""
    path = tmp_path / "smile.mkv"
    shown = synthetic_video(path, seed=6, emotion="happiness", codec="ffv1")
    of_file = learnet.predict(str(path))
    assert isinstance(of_file, learnet.Recognition) and isinstance(of_file.predictions[0], learnet.Prediction)
    frames = np.stack([frame.pixels for frame in learnet.open_video(path)])
    of_frames = learnet.predict(frames, fps=200.0, weights="mlp-cnn-flow-28")
    assert of_frames.source == "array"
    assert of_frames.predictions == of_file.predictions
    (event,) = of_frames.events
    assert all(isinstance(stretch, learnet.UnjudgedStretch) for stretch in of_frames.unjudged)
    assert isinstance(event, learnet.Event) and event.label == "positive" and event.kind == "micro"
    units = [unit for prediction in of_frames.predictions for unit in prediction.action_units]
    assert all(isinstance(unit, learnet.ActionUnitScore) and 0 < unit.score <= 1 for unit in units)
    true_marks = [shown.onset, shown.apex, shown.offset]
    assert np.abs(np.subtract([event.onset, event.apex, event.offset], true_marks)).max() <= 5  # 25 ms
    table = of_frames.to_dataframe()
    assert table.loc[0, ["onset", "apex", "offset", "label"]].tolist() == [
        *(event.onset, event.apex, event.offset),
        "positive",
    ]
    assert table.loc[0, list(of_frames.metadata.classes)].sum() == pytest.approx(1, abs=1e-5)
    assert len(of_frames.to_dataframe(windows=True)) == len(of_frames.predictions)
    assert of_frames.plot()._repr_png_()[:4] == b"\x89PNG"  # what a notebook shows
    assert "<svg" in of_frames._repr_html_() and "positive" in of_frames._repr_html_()
    assert repr(of_frames) == "<Recognition of array, 1.00 s: 1 event, nothing unjudged>"
    with pytest.raises(learnet.LearnetError, match="An array has no frame rate"):
        learnet.predict(frames)


def test_frames_may_be_a_list_or_a_tensor_and_others_are_refused() -> None:
    import torch

    frames = np.full((12, 100, 100, 3), 90, dtype=np.uint8)
    of_frames = learnet.predict(frames, fps=50.0, face="none")
    for same in (list(frames), torch.from_numpy(frames), frames.astype(float)):
        assert learnet.predict(same, fps=50.0, face="none") == of_frames
    for wrong, says in (
        (frames[0], r"frames must have the shape \(T, H, W, 3\), and this is \(100, 100, 3\)"),
        (frames / 255, "frames must be whole numbers 0..255.* Multiply by 255"),
        (torch.from_numpy(frames).permute(0, 3, 1, 2), r"channels last.*frames.permute\(0, 2, 3, 1\)"),
        (frames[:0], "are no video. Give at least one frame"),
    ):
        with pytest.raises(learnet.LearnetError, match=says):
            learnet.predict(wrong, fps=50.0, face="none")


def test_frames_are_answered_as_they_come(recogniser: learnet.Recogniser, rng: np.random.Generator) -> None:
    """A window of 10 frames and an answer every 5 of 25 frames: after 10, 15, 20 and 25."""
    settings, answered = learnet.LiveSettings(every=5, window_s=0.1), {}
    with learnet.LiveRecogniser(recogniser, settings, fps=100.0) as live:
        for number in range(25):
            pixels = rng.integers(0, 256, (120, 120, 3), dtype=np.uint8)
            if answer := live.add(learnet.Frame(number, number / 100, pixels)):
                answered[number + 1] = answer
    assert list(answered) == [10, 15, 20, 25]
    for answer in answered.values():
        assert isinstance(answer, learnet.LivePrediction) and answer.label in recogniser.metadata.classes


def test_movements_are_told_as_frames_come(recogniser: learnet.Recogniser, rng: np.random.Generator) -> None:
    """Noise is no face that keeps still."""
    spotter = learnet.LiveSpotter(recogniser, fps=30.0)
    results: list[learnet.LiveEvent | learnet.LiveStretch] = []
    for number in range(60):
        pixels = rng.integers(0, 256, (120, 120, 3), dtype=np.uint8)
        results += spotter.add(learnet.Frame(number, number / 30, pixels))
    results += spotter.finish()
    assert results and all(isinstance(result, learnet.LiveStretch) for result in results)
    assert "latency_s" in json.loads(results[0].to_json())


# ---------------------------------------------------------------- what is loaded when


NOT_FOR_HELP = {
    "torch",
    "cv2",
    "av",
    "sklearn",
    "scipy",
    "skimage",
    "pandas",
    "matplotlib",
    "jinja2",
    "joblib",
    "numpy",
}
NOT_FOR_AN_ANSWER = {
    "torch",
    "sklearn",
    "scipy",
    "skimage",
    "pandas",
    "openpyxl",
    "matplotlib",
    "jinja2",
    "joblib",
}


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh Python has loaded once it has run CODE."""
    told = f"{code}\nimport sys; print('LOADED', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return set(done.stdout.split("LOADED ")[1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import learnet",
        "import learnet.cli",
        "import learnet.cli; learnet.cli.app(['--help'], result_action='return_value')",
    ],
)
def test_nothing_heavy_is_loaded_for_help(code: str) -> None:
    assert not NOT_FOR_HELP & loaded_by(code)


def test_what_only_studies_need_is_not_loaded_for_an_answer() -> None:
    """These take seconds to load, and torch as long as all others; a video waits for none of them."""
    code = """
import numpy as np
from learnet import Recogniser
from learnet.motion.detrend import StoredImages
from learnet.training.pretrained import default_weights
recogniser = Recogniser.load(default_weights("flow", 28))
assert recogniser.scorer.scores(StoredImages(np.full((1, 28, 28, 3), 127, np.uint8))).shape == (1, 4)
"""
    found = loaded_by(code)
    assert "onnxruntime" in found
    assert not NOT_FOR_AN_ANSWER & found
