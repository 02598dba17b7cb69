"""Read a study folder for a report.

Only files are read, so studies of other people can be reported as well. Only `outcomes.csv` is required;
whatever else is missing is named."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from learnet.core.csv_files import parse_csv
from learnet.core.errors import BadInput, LearnetError, counted
from learnet.core.files import absolute_path, as_paths, shortened_list
from learnet.core.network_info import NetworkInfo, network_info
from learnet.core.records import Outcome
from learnet.core.serialisation import parse_json
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import PreparedDataset, load_prepared
from learnet.metrics.study_metrics import DatasetMetrics, StudyMetrics
from learnet.metrics.summary import average_seeds, summarise
from learnet.study.candidates import Selection
from learnet.study.description import (
    EvaluationSettings,
    FoldDescription,
    StudyDescription,
    read_description,
)
from learnet.study.outcomes import COLUMNS, parse_outcomes, read_outcomes


@dataclass(frozen=True)
class StudyRecord:
    """A study on disk, as far as its files exist."""

    folder: Path
    name: str  # of the folder; with its parent if two studies share a name
    description: StudyDescription | None  # study.json; None if it is missing
    run: dict  # run.json: seconds, machine; empty if it is missing
    classes: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    summary: StudyMetrics  # scores, recomputed from the outcomes
    prepared: PreparedDataset | None  # the images of the study, if they still exist
    missing: tuple[str, ...]  # sentences: what could not be read, and its consequences

    @property
    def protocol(self) -> str:
        """Name of the protocol, or "unknown"."""
        return self.description.protocol if self.description else "unknown"

    @property
    def network_name(self) -> str:
        """Name of the network, or "unknown"."""
        return self.description.network if self.description else "unknown"

    @property
    def scheme_name(self) -> str:
        """Name of the class scheme, or "unknown"."""
        return self.description.scheme.name if self.description else "unknown"

    @property
    def folds(self) -> Sequence[FoldDescription]:
        """The folds; empty if study.json is missing."""
        return self.description.folds if self.description else ()

    def dataset_metrics(self, name: str) -> DatasetMetrics:
        """Return the scores of the clips of one dataset, where there are several."""
        assert self.summary.datasets is not None
        return self.summary.datasets[name]

    @property
    def settings(self) -> dict[str, object]:
        """The settings of the study by name; empty if they are unknown."""
        settings = self.description.settings if self.description else None
        return asdict(settings) if settings else {}

    @property
    def training_settings(self) -> dict[str, object]:
        """The training settings by name: with a selection only the seed; empty if nothing was trained."""
        training = self.description.training if self.description else None
        if training is None:
            return {}
        return {"seed": training.seed} if self.selection else asdict(training)

    @property
    def evaluated(self) -> bool:
        """Whether existing weights were evaluated, without training."""
        return bool(self.description and isinstance(self.description.settings, EvaluationSettings))

    @property
    def selection(self) -> Selection | None:
        """The selection of settings on other people, if there was one."""
        return self.description.choice if self.description else None

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the packages on which the numbers depend; empty if they are unknown."""
        return self.description.versions if self.description else {}

    @property
    def left_out(self) -> dict[str, int]:
        """The number of clips of each emotion without a class."""
        return self.description.left_out if self.description else {}

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds with predictions."""
        return tuple(sorted({outcome.seed for outcome in self.outcomes}))

    @property
    def answers(self) -> list[Outcome]:
        """One prediction per clip; with several seeds that of the scores averaged over them."""
        if len(self.seeds) == 1:
            return list(self.outcomes)
        return average_seeds(self.outcomes, self.classes)

    @property
    def network(self) -> NetworkInfo:
        """Properties of the network; defaults if the files do not name it."""
        return network_info(self.network_name)

    @property
    def looks(self) -> bool:
        """Whether the predictions depend on the images."""
        return self.network.uses_image and len({outcome.prediction for outcome in self.answers}) > 1

    @property
    def leaky(self) -> bool:
        """Whether test people were trained on, by the name of the protocol or by the lists of people."""
        return bool(self.leak)

    @property
    def leak(self) -> str:
        """The reason why the scores are too high; empty where nothing leaks, as far as the files tell."""
        return self.description.leak if self.description else ""

    @property
    def progress(self) -> str:
        """How many predictions there are, and how many the complete study has."""
        return f"{len(self.outcomes)} of {self.expected} predictions"

    @property
    def unfinished(self) -> bool:
        """Whether predictions are missing that the complete study has."""
        return self.expected not in (None, len(self.outcomes))

    @property
    def synthetic(self) -> bool:
        """Whether some or all of the clips are computer-generated."""
        return bool(self.prepare_record and self.prepare_record.synthetic)

    @property
    def all_synthetic(self) -> bool:
        """Whether every clip is computer-generated."""
        return bool(self.prepare_record and self.prepare_record.synthetic_extent == "yes")

    @property
    def synthetic_databases(self) -> tuple[str, ...]:
        """The computer-generated databases, if there are recorded ones beside them."""
        record = self.prepare_record
        if record is None or record.synthetic_extent != "partly":
            return ()
        names: set[str] = set()
        for folder in record.pooled or ():
            if folder.about.synthetic:
                names.update(folder.datasets)
        return tuple(sorted(names))

    @property
    def prepare_record(self) -> PrepareRecord | None:
        """The record of the prepared folder, from the folder itself or from study.json."""
        if self.prepared:
            return self.prepared.record
        return self.description.prepared.about if self.description else None

    @property
    def expected(self) -> int | None:
        """The number of predictions of the complete study; None if it is unknown."""
        if self.description is None or not self.description.folds:
            return None
        return self.description.expected_outcomes


def read_records(folders: str | Path | Sequence[str | Path]) -> list[StudyRecord]:
    """Read studies for a comparison.

    Raises:
        LearnetError: no study, a repeated study, or studies over different clips or classes.
        BadInput: a folder without readable outcomes.
    """
    paths = as_paths(folders)
    if not paths:
        raise LearnetError("No study was given.", "Name at least one study folder.")
    for path, times in Counter(absolute_path(folder) for folder in paths).items():
        if times > 1:
            raise LearnetError(f"{path} was given twice.", "Name each study once.")
    records = _distinct_names([read_record(folder) for folder in paths])
    for other in records[1:]:
        refuse_different(records[0], other)
    return records


def reference_of(records: Sequence[StudyRecord]) -> StudyRecord:
    """Return the study with which the others are compared: the first that does not leak, if there is one.

    It depends on the order in which the studies are named, and not on their scores: choosing the best one by
    its scores on test people would make its score too high.
    """
    return next((record for record in records if not record.leaky), records[0])


def _distinct_names(records: list[StudyRecord]) -> list[StudyRecord]:
    """Add parent folders to names that several studies share."""
    with_parent = [f"{absolute_path(record.folder).parent.name}/{record.name}" for record in records]
    full_path = [str(absolute_path(record.folder)) for record in records]
    for longer_names in (with_parent, full_path):
        counts = Counter(record.name for record in records)
        for index, record in enumerate(records):
            if counts[record.name] > 1:
                records[index] = replace(record, name=longer_names[index])
    return records


def read_record(folder: Path) -> StudyRecord:
    """Read one study folder.

    Raises:
        BadInput: no folder, no outcomes, or a damaged file.
    """
    if not folder.is_dir():
        raise BadInput(folder, "there is no such folder", "Name a study folder; `learnet study` makes one.")
    description = read_description(folder) if (folder / "study.json").is_file() else None
    run = read_json_object(folder / "run.json")
    classes, outcomes, unfinished = _read_outcomes(folder, description is not None)
    if description and description.scheme.classes != classes:
        raise BadInput(
            folder, "study.json and outcomes.csv list different classes", "They belong to different studies."
        )
    missing = []
    if description is None:
        missing.append(
            "study.json is missing: protocol, folds, settings and versions are unknown, "
            "so nothing shows that the study does not leak."
        )
    prepared, reasons = _find_prepared(folder, description)
    missing += [*unfinished, *reasons]
    summary = summarise(outcomes, classes)
    name = absolute_path(folder).name
    return StudyRecord(
        folder, name, description, run, classes, tuple(outcomes), summary, prepared, tuple(missing)
    )


def _read_outcomes(folder: Path, described: bool) -> tuple[tuple[str, ...], list[Outcome], list[str]]:
    """Read the outcomes of a study that may be unfinished.

    Args:
        folder: study folder.
        described: whether there is a study.json; only then a cut-off last line is accepted.

    Returns:
        Classes; the outcomes of all seeds that cover every clip; sentences on what is left out.
    """
    file = folder / "outcomes.csv"
    text = _read_text(file) if file.is_file() else ""
    notes = []
    if described and text and not text.endswith("\n"):
        text = text[: text.rfind("\n") + 1]
        notes.append(
            "The last prediction in outcomes.csv is cut off and left out: the study is running, or stopped."
        )
    outcomes = parse_outcomes(file, text) if text else read_outcomes(folder)
    if not outcomes:
        raise BadInput(
            folder,
            "this study has no predictions yet",
            "Let it continue: the same `learnet study` command continues where it stopped.",
        )
    outcomes, incomplete = _complete_seeds(outcomes)
    if incomplete:
        notes.append(f"Seeds that do not cover every clip are left out: {incomplete}.")
    if not outcomes:
        raise BadInput(
            folder,
            "no seed covers every clip that another seed covers",
            "Let the study finish, or run it again in a new folder.",
        )
    columns = parse_csv(file, text)[0]
    return tuple(columns[len(COLUMNS) :]), outcomes, notes


def _complete_seeds(outcomes: list[Outcome]) -> tuple[list[Outcome], str]:
    """Return the outcomes of the seeds that cover every clip, and a list of the other seeds."""
    clips: dict[int, set[str]] = {}
    for outcome in outcomes:
        clips.setdefault(outcome.seed, set()).add(outcome.clip)
    all_clips = set().union(*clips.values())
    incomplete = [seed for seed in sorted(clips) if clips[seed] != all_clips]
    complete = [outcome for outcome in outcomes if outcome.seed not in incomplete]
    texts = [f"{seed} ({len(clips[seed])} of {len(all_clips)} clips)" for seed in incomplete]
    return complete, ", ".join(texts)


def refuse_different(one: StudyRecord, other: StudyRecord) -> None:
    """Refuse to compare studies over different clips, true classes, databases, people or class lists.

    Raises:
        LearnetError: with the differences.
    """
    hint = "Report them separately, or run both on the same prepared folder with the same classes."
    unfinished = [record.name for record in (one, other) if record.unfinished]
    if unfinished:
        verb = "is" if len(unfinished) == 1 else "are"
        names = " and ".join(unfinished)
        hint = f"{names} {verb} not finished: run the same study command again, then compare."
    if one.classes != other.classes:
        first, second = (", ".join(record.classes) for record in (one, other))
        raise LearnetError(f"{one.name} has the classes {first}, and {other.name} has {second}.", hint)
    truth, other_truth = ({o.clip: o.truth for o in record.outcomes} for record in (one, other))
    if truth.keys() != other_truth.keys():
        first = _only_in(one, truth.keys() - other_truth.keys())
        second = _only_in(other, other_truth.keys() - truth.keys())
        raise LearnetError(f"{one.name} and {other.name} cover different clips: {first}, {second}.", hint)
    for name, field in (("true class", "truth"), ("database", "dataset"), ("person", "person")):
        here, there = ({o.clip: getattr(o, field) for o in record.outcomes} for record in (one, other))
        different = sorted(clip for clip in here if here[clip] != there[clip])
        if different:
            clip = different[0]
            verb = "has" if len(different) == 1 else "have"
            number = counted(len(different), "clip")
            which = f"{clip} is {here[clip]!r} and {there[clip]!r}"
            what = f"{number} {verb} another {name} in {one.name} than in {other.name}: {which}."
            raise LearnetError(what, hint)


def _only_in(record: StudyRecord, clips: Collection[str]) -> str:
    """Return how many clips only one study covers, and the first of them."""
    text = f"{len(clips)} only in {record.name}"
    return f"{text} ({shortened_list(sorted(clips))})" if clips else text


def _find_prepared(
    folder: Path, description: StudyDescription | None
) -> tuple[PreparedDataset | None, list[str]]:
    """Return the prepared folder of a study, or None and the reason.

    It is searched at its recorded path, in the study folder and beside it, as it may have moved along.
    """
    consequence = "so motion images and the data audit are not shown"
    if description is None:
        return None, [f"The prepared folder is unknown, {consequence}."]
    recorded = Path(description.prepared.folder)
    home = absolute_path(folder)
    candidates = (recorded, home / recorded.name, home.parent / recorded.name)
    existing = [path for path in candidates if path.is_dir()]
    if not existing:
        return None, [f"The prepared folder {recorded} is gone, {consequence}."]
    try:
        prepared = load_prepared(existing[0])
    except LearnetError as error:
        return None, [f"The prepared folder cannot be read, {consequence}: {error}"]
    if prepared.record.fingerprint != description.prepared.fingerprint:
        return None, [f"The prepared folder {existing[0]} has changed since the study, {consequence}."]
    return prepared, []


def read_json_object(file: Path) -> dict:
    """Read a JSON object; empty if there is no such file.

    Raises:
        BadInput: it is not a JSON object.
    """
    if not file.is_file():
        return {}
    try:
        content = parse_json(_read_text(file))
    except ValueError as error:
        raise BadInput(
            file, f"this is not JSON ({error})", "Restore the file, or remove it to report without it."
        ) from None
    if not isinstance(content, dict):
        raise BadInput(
            file, "this is not a JSON object", "Restore the file, or remove it to report without it."
        )
    return content


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadInput(file, "this is not UTF-8 text", "Restore the file.") from None
