"""What is fuzzed: for each kind of input, how it is read and what must not get fewer without a word."""

import io
import json
import random
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from learnet import cli
from learnet.core.settings import DatasetSubset, Resources, Study, Training
from learnet.datasets import read_dataset
from learnet.datasets.annotations.files import read_annotations
from learnet.datasets.annotations.record import Recording
from learnet.datasets.prepared.importing import import_images
from learnet.datasets.prepared.store import load_prepared
from learnet.inference.weights import load_scorer
from learnet.metrics.score import score
from learnet.metrics.spotting.score import score_spotting
from learnet.motion.detrend import StoredImages
from learnet.report.comparison.compare import compare
from learnet.study.candidates import read_candidates
from learnet.study.experiments.recipe_files import read_recipe
from learnet.study.outcomes import read_outcomes
from learnet.study.run import run_study
from learnet.video.reader import open_video
from tests.builders.written_study import write_prepared
from tests.fuzz import seeds
from tests.fuzz.mutations import OF_BYTES, Mutator, mutate
from tests.fuzz.structures import (
    VIDEO_STRUCTURES,
    mutate_npy_header,
    mutate_png_chunk,
    mutate_safetensors_header,
    mutate_safetensors_values,
    mutate_zip_member,
)
from tests.fuzz.texts import TEXT_STRUCTURES, hostile_word

TEXTS = (".csv", ".txt", ".log", ".vtt")
"""Formats in which nothing shows that whole lines are missing."""

STRUCTURES: dict[str, tuple[Mutator, ...]] = {
    **{suffix: (mutator,) for suffix, mutator in {**VIDEO_STRUCTURES, **TEXT_STRUCTURES}.items()},
    ".png": (mutate_png_chunk,),
    ".xlsx": (mutate_zip_member,),
    ".npy": (mutate_npy_header,),
    ".safetensors": (mutate_safetensors_header, mutate_safetensors_values),
}
"""Mutators that know the format of a file, by its suffix."""


@dataclass(frozen=True)
class Reading:
    """What was read from a case."""

    count: int | None = None  # frames, clips, rows or events; None where nothing can be counted
    told: bool = False  # whether a finding, note or loss says that something is missing
    digest: str = ""  # of the result, where any difference from that of the good input is wrong


@dataclass(frozen=True)
class Target:
    """One kind of input."""

    name: str
    weight: int  # share of the cases
    build: Callable[[Path], None]  # writes the good input into an empty folder
    read: Callable[[Path], Reading]  # reads the folder of a case
    files: tuple[str, ...]  # patterns of the files that are mutated
    structured: float = 0.5  # share of the mutations that know the format

    def change(self, folder: Path, rng: random.Random) -> str:
        """Mutate one file of a case; return its name."""
        files = []
        for pattern in self.files:
            files.extend(path for path in folder.glob(pattern) if path.is_file())
        file = rng.choice(sorted(files))
        by_format = STRUCTURES.get(file.suffix.lower(), ())
        mutators = by_format if by_format and rng.random() < self.structured else OF_BYTES
        file.write_bytes(mutate(file.read_bytes(), rng, mutators))
        return str(file.relative_to(folder))

    def lacks_lines(self, folder: Path, good: Path) -> bool:
        """Return whether a text of a case has fewer lines than in the good input."""
        for pattern in self.files:
            for file in folder.glob(pattern):
                before, after = (good / file.relative_to(folder)).read_bytes(), file.read_bytes()
                if before == after or file.suffix not in TEXTS:
                    continue
                return after.count(b"\n") < before.count(b"\n")
        return False


def read_video(folder: Path) -> Reading:
    """Read every frame of a video."""
    (file,) = folder.iterdir()
    with open_video(file) as video:
        count = sum(1 for _ in video)
        return Reading(count, told=bool(video.losses or video.notes))


def predict_video(folder: Path) -> Reading:
    """Run `learnet predict` on a video, as a user does."""
    (file,) = folder.iterdir()
    _command("predict", file, "--face", "none", "--output", folder / "out.json")
    json.loads((folder / "out.json").read_text(encoding="utf-8"))
    return Reading()


def import_folder(folder: Path) -> Reading:
    """Import images with their labels."""
    prepared = import_images(folder / "images", folder / "labels.csv", folder / "out", kind="image")
    return Reading(len(prepared.clips))


def read_own_clips(folder: Path) -> Reading:
    """Read labelled clips of a folder."""
    return _index("folder", folder)


def read_casme2(folder: Path) -> Reading:
    """Read a database by its workbook."""
    return _index("casme2", folder)


def _index(dataset: str, folder: Path) -> Reading:
    index = read_dataset(dataset, folder, DatasetSubset())
    return Reading(len(index.clips), told=bool(index.findings))


def read_prepared(folder: Path) -> Reading:
    """Load a prepared folder and run a study over it."""
    prepared = load_prepared(folder / "prepared")
    run_study(folder / "prepared", folder / "out", Study(network="majority"), Training(), Resources(jobs=1))
    return Reading(min(len(prepared.clips), len(read_outcomes(folder / "out"))))


def read_scores(folder: Path) -> Reading:
    """Score a table of predictions and a log."""
    count, told = 0, False
    for name in ("table.csv", "log.txt"):
        report = score(folder / name)
        count += report.whole.clips
        told |= bool(report.repeated)
    return Reading(count, told)


def read_spotting(folder: Path) -> Reading:
    """Score a spotting log."""
    report = score_spotting(folder / "log.csv")
    return Reading(len(report.log.rows), told=bool(report.findings or report.log.notes))


def read_events(folder: Path) -> Reading:
    """Read annotations in every format."""
    count, told = 0, False
    for file in sorted(folder.iterdir()):
        annotations = read_annotations(file, Recording(fps=200.0, frames=1000))
        count += len(annotations.events)
        told |= bool(annotations.notes)
    return Reading(count, told)


def read_toml(folder: Path) -> Reading:
    """Read a recipe and candidates."""
    read_recipe(folder / "recipe.toml")
    return Reading(len(read_candidates(folder / "candidates.toml", Training()).settings))


def read_studies(folder: Path) -> Reading:
    """Compare two studies."""
    comparison = compare([folder / "majority", folder / "linear-svm"])
    return Reading(sum(len(record.outcomes) for record in comparison.records))


def continue_study(folder: Path) -> Reading:
    """Continue an interrupted study; it must end with the outcomes of one that was not interrupted."""
    run_study(folder / "prepared", folder / "study", Study(network="majority"), Training(), Resources(jobs=1))
    return Reading(len(read_outcomes(folder / "study")))


def read_checkpoint(folder: Path) -> Reading:
    """Load weights and score an image with each."""
    scores = []
    for file in sorted(folder.iterdir()):
        scorer, _ = load_scorer(file)
        scores.append(scorer.scores(StoredImages(seeds.image(0)[None])))
    values = np.concatenate(scores)
    if not np.isfinite(values).all():
        raise AssertionError("scores that are not finite")
    return Reading(digest=np.round(values, 4).tobytes().hex())


def run_command(folder: Path) -> Reading:
    """Run the command line of the file `words`."""
    words = json.loads((folder / "words").read_text(encoding="utf-8"))
    _command(*(word.replace("FOLDER", str(folder)) for word in words))
    return Reading()


def _command(*words: object) -> None:
    """Run a command; exit codes other than 0, 1 and 2 are faults."""
    try:
        cli.main(list(map(str, words)))
    except SystemExit as end:
        if end.code == 2:
            raise Refused from None
        if end.code not in (None, 0, 1):
            raise AssertionError(f"exit code {end.code}") from None


class Refused(Exception):
    """A command ended with exit code 2."""


COMMANDS = (
    "audit casme2 FOLDER/casme2 --csv FOLDER/a.csv",
    "audit folder FOLDER/own --csv FOLDER/b.csv",
    "prepare folder FOLDER/own FOLDER/out --face none --motion dynamic --size 28 --jobs 1",
    "predict FOLDER/video.mp4 --face none --output FOLDER/p.json --csv FOLDER/p.csv --fps 30",
    "predict FOLDER/video.mp4 --face none --windows --window-s 0.4 --overlap 0.5",
    "score FOLDER/table.csv --classes auto --csv FOLDER/s.csv",
    "score-spotting FOLDER/log.csv --fps 200",
    "compare FOLDER/st --csv FOLDER/c.csv --html FOLDER/c.html",
    "import FOLDER/images FOLDER/labels.csv FOLDER/imported --kind image --size 28",
    "study FOLDER/prepared FOLDER/new --network majority --protocol groups --groups 2 --jobs 1",
    "study FOLDER/prepared FOLDER/nets --network ststnet --epochs 1 --learning-rate 0.1 --jobs 1",
    "show FOLDER/video.mp4 --face none --out FOLDER/show.png --onset 2 --apex 5 --offset 9 --size 28",
    "simulate FOLDER/sim --images 4 --seed 1 --jobs 1",
    "datasets",
)
PATHS = (
    "",
    "/nowhere",
    "FOLDER",
    "FOLDER/none",
    "FOLDER/loop",
    "a\0b",
    "\udcff",
    "-",
    "--",
    "x" * 5000,
    "http://127.0.0.1:9/x",
)


def write_command_inputs(folder: Path) -> None:
    """Write what COMMANDS read."""
    for name, write in (("casme2", seeds.write_casme2), ("own", seeds.write_own_clips)):
        (folder / name).mkdir()
        write(folder / name)
    seeds.write_labelled_images(folder)
    seeds.write_predictions(folder)
    seeds.write_spotting_log(folder)
    seeds.write_container(folder, seeds.CONTAINERS[0])
    (folder / seeds.CONTAINERS[0].file).rename(folder / "video.mp4")
    (folder / "loop").symlink_to("loop")
    write_prepared(folder / "prepared", people=3, clips=3)
    with redirect_stdout(io.StringIO()):
        _command("study", folder / "prepared", folder / "st", "--network", "majority", "--jobs", "1")
    (folder / "words").write_text(json.dumps(["datasets"]))


class CommandTarget(Target):
    """Command lines with hostile values; no file is changed."""

    def change(self, folder: Path, rng: random.Random) -> str:
        """Write the words of a command of which one or two are replaced."""
        words = shlex.split(rng.choice(COMMANDS))
        for _ in range(rng.choice((1, 1, 2))):
            position = rng.randrange(1, len(words)) if len(words) > 1 else 0
            is_path = "/" in words[position]
            words[position] = rng.choice(PATHS) if is_path else hostile_word(rng)
        (folder / "words").write_text(json.dumps(words))
        return shlex.join(words)


def _videos() -> list[Target]:
    targets = []
    for container in seeds.CONTAINERS:

        def build(folder: Path, container: seeds.Container = container) -> None:
            seeds.write_container(folder, container)

        targets.append(Target(f"video {container.file}", 30, build, read_video, ("*",), structured=0.4))
    for container in (seeds.CONTAINERS[0], seeds.CONTAINERS[7]):

        def build_for_command(folder: Path, container: seeds.Container = container) -> None:
            seeds.write_container(folder, container)

        targets.append(Target(f"predict {container.file}", 15, build_for_command, predict_video, ("*",)))
    return targets


TARGETS: Sequence[Target] = (
    *_videos(),
    Target("images", 260, seeds.write_images, import_folder, ("images/*",)),
    Target("workbook", 140, seeds.write_casme2, read_casme2, ("*.xlsx",), structured=0.8),
    Target(
        "labels of images", 60, seeds.write_labelled_images, import_folder, ("labels.csv",), structured=0.8
    ),
    Target("labels of clips", 60, seeds.write_own_clips, read_own_clips, ("labels.csv",), structured=0.8),
    Target("predictions", 80, seeds.write_predictions, read_scores, ("*",), structured=0.8),
    Target("spotting log", 40, seeds.write_spotting_log, read_spotting, ("*",), structured=0.8),
    Target("annotations", 80, seeds.write_annotations, read_events, ("*",), structured=0.7),
    Target("recipes", 60, seeds.write_toml, read_toml, ("*",), structured=0.8),
    Target(
        "prepared folder", 170, seeds.write_prepared_folder, read_prepared, ("prepared/*",), structured=0.7
    ),
    Target("studies", 100, seeds.write_studies, read_studies, ("majority/*", "linear-svm/*"), structured=0.7),
    Target(
        "study continued", 80, seeds.write_interrupted_study, continue_study, ("study/*",), structured=0.7
    ),
    Target("weights", 200, seeds.write_checkpoints, read_checkpoint, ("*",), structured=0.6),
    CommandTarget("command line", 100, write_command_inputs, run_command, ("words",)),
)
GROUPS: Mapping[str, str] = {"video": "videos", "predict": "videos"}
"""First word of the names of targets that are one line of the table -> name of the line."""


def line_of(target: Target) -> str:
    """Return the line of the table that counts a target."""
    return GROUPS.get(target.name.split()[0], target.name)


def copy_case(seed: Path, folder: Path) -> None:
    """Copy a good input to the folder of a case; links stay links."""
    shutil.copytree(seed, folder, symlinks=True)
