"""A study folder read back and checked: its answers, what was asked, and whether the answers can be trusted.

Reads files only, so other people's studies can be judged as well. Only `outcomes.csv` is needed; whatever else is gone is named.
"""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from learnet.core.errors import BadInput, LearnetError
from learnet.core.network_info import NetworkInfo, network_info
from learnet.core.records import Outcome
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import PreparedDataset, load_prepared
from learnet.metrics.scores import MEASURES, average_seeds, summarise
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
    """What is left of a study on disk."""

    folder: Path
    name: str  # as the folder is called; with its parent where two share a name
    description: StudyDescription | None  # study.json; None where it is gone
    run: dict  # run.json: seconds, machine; empty where it is gone
    classes: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    summary: dict  # metrics.summarise, counted anew from the outcomes
    prepared: PreparedDataset | None  # the images it was run on, where they are still there
    missing: tuple[str, ...]  # sentences: what could not be read, and what it would have shown

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
        """The folds; empty where study.json is gone."""
        return self.description.folds if self.description else ()

    @property
    def settings(self) -> dict[str, object]:
        """The settings of the study by name; empty where they are unknown."""
        settings = self.description.settings if self.description else None
        return asdict(settings) if settings else {}

    @property
    def training_settings(self) -> dict[str, object]:
        """The settings of training by name: with a selection only the seed; empty where nothing was trained."""
        training = self.description.training if self.description else None
        if training is None:
            return {}
        return {"seed": training.seed} if self.selection else asdict(training)

    @property
    def evaluated(self) -> bool:
        """Whether given weights were evaluated, and nothing was trained."""
        return bool(self.description and isinstance(self.description.settings, EvaluationSettings))

    @property
    def selection(self) -> Selection | None:
        """The selection of settings on other people, where there was one."""
        return self.description.choice if self.description else None

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the packages on which the numbers depend; empty where they are unknown."""
        return self.description.versions if self.description else {}

    @property
    def left_out(self) -> dict[str, int]:
        """Emotions that have no class, and how many clips have them."""
        return self.description.left_out if self.description else {}

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that have answers."""
        return tuple(sorted({o.seed for o in self.outcomes}))

    @property
    def answers(self) -> list[Outcome]:
        """One answer a clip: the answer given, or with several seeds that of the scores averaged over them."""
        return list(self.outcomes) if len(self.seeds) == 1 else average_seeds(self.outcomes, self.classes)

    @property
    def network(self) -> NetworkInfo:
        """Properties of the network of the study; the defaults where the files do not name it."""
        return network_info(self.network_name)

    @property
    def looks(self) -> bool:
        """Whether the answers depend on the images at all."""
        return self.network.uses_image and len({o.prediction for o in self.answers}) > 1

    @property
    def leaky(self) -> bool:
        """Whether people tested were trained on: by the protocol's own name, or because the folds say so."""
        return self.protocol.startswith("leaky-") or bool(shared_people(self.folds))

    @property
    def leak(self) -> str:
        """What flatters a leaky study."""
        if self.protocol == "leaky-epoch" and not shared_people(self.folds):
            return "the number of epochs was chosen by the answers to the person tested"
        return "people who are tested were also trained on"

    @property
    def synthetic(self) -> bool:
        """Whether the clips, or some of them, were made by a computer."""
        return bool(self.prepare_record and self.prepare_record.synthetic)

    @property
    def synthetic_databases(self) -> tuple[str, ...]:
        """The databases that were made by a computer, where others beside them were not."""
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
        """What is known of the prepared folder: from itself, or from study.json."""
        if self.prepared:
            return self.prepared.record
        return self.description.prepared.about if self.description else None

    @property
    def expected(self) -> int | None:
        """Answers a complete study has; None where nobody can know."""
        if self.description is None or not self.description.folds:
            return None
        return self.description.expected_outcomes


@dataclass(frozen=True)
class Check:
    """A promise, and whether the files keep it."""

    claim: str
    passed: bool | None  # None: the files do not say
    evidence: str


def read_records(folders: Sequence[Path]) -> list[StudyRecord]:
    """Read studies that are to stand side by side.

    Raises:
        LearnetError: none given, one given twice, or studies that did not answer the same clips with the same classes.
        BadInput: a folder without readable answers.
    """
    if not folders:
        raise LearnetError("No study was given.", "Name at least one study folder.")
    repeated = [path for path, times in Counter(folder.resolve() for folder in folders).items() if times > 1]
    if repeated:
        raise LearnetError(f"{repeated[0]} was given twice.", "Name each study once.")
    records = [read_record(folder) for folder in folders]
    for longer in (
        lambda folder: f"{folder.parent.name}/{folder.name}",
        str,
    ):  # names that tell the studies apart
        names = Counter(record.name for record in records)
        records = [replace(r, name=longer(r.folder.resolve())) if names[r.name] > 1 else r for r in records]
    for other in records[1:]:
        refuse_different(records[0], other)
    return records


def read_record(folder: Path) -> StudyRecord:
    """Read one study folder.

    Raises:
        BadInput: no folder, no answers, or a file that is broken.
    """
    if not folder.is_dir():
        raise BadInput(folder, "there is no such folder", "Name a study folder; `learnet study` makes one.")
    description = read_description(folder) if (folder / "study.json").is_file() else None
    run = _read_json(folder / "run.json")
    classes, outcomes, waiting = _read_answers(folder, described=description is not None)
    if description and description.scheme.classes != classes:
        raise BadInput(
            folder, "study.json and outcomes.csv name different classes", "They are not of one study."
        )
    prepared, missing = _find_prepared(folder, description)
    missing = [*waiting, *missing]
    if description is None:
        missing = [
            "study.json is missing: protocol, folds, settings and versions are unknown, so nothing shows that nobody leaked.",
            *missing,
        ]
    summary, name = summarise(outcomes, classes), folder.resolve().name
    return StudyRecord(
        folder, name, description, run, classes, tuple(outcomes), summary, prepared, tuple(missing)
    )


def _read_answers(folder: Path, described: bool) -> tuple[tuple[str, ...], list[Outcome], list[str]]:
    """Classes, the answers that can be counted, and in words what of an unfinished study is left out.

    A study that is at work may be in the middle of a line. With several seeds only those that have answered every clip are counted.
    """
    file, missing = folder / "outcomes.csv", []
    text = _read_text(file) if file.is_file() else ""
    if described and text and not text.endswith("\n"):
        text = text[: text.rfind("\n") + 1]
        missing.append(
            "The last answer in outcomes.csv is cut off and is left out: the study is at work, or was stopped."
        )
    outcomes = parse_outcomes(file, text) if text else read_outcomes(folder)
    if not outcomes:
        raise BadInput(
            folder,
            "this study has no answers yet",
            "Let it run on: the same `learnet study` command goes on where it stopped.",
        )
    clips: dict[int, set[str]] = {}
    for outcome in outcomes:
        clips.setdefault(outcome.seed, set()).add(outcome.clip)
    every = set().union(*clips.values())
    if late := [seed for seed, answered in sorted(clips.items()) if answered != every]:
        outcomes = [outcome for outcome in outcomes if outcome.seed not in late]
        told = ", ".join(f"{seed} ({len(clips[seed])} of {len(every)} clips)" for seed in late)
        missing.append(f"Seeds that have not answered every clip are left out: {told}.")
    if not outcomes:
        raise BadInput(
            folder,
            "none of its seeds has answered every clip that another has",
            "Let the study finish, or run it anew.",
        )
    return tuple(next(csv.reader(text.splitlines()))[len(COLUMNS) :]), outcomes, missing


def refuse_different(one: StudyRecord, other: StudyRecord) -> None:
    """Two studies are compared only over the same clips with the same truth.

    Raises:
        LearnetError: naming what differs.
    """
    hint = "Report them apart, or run both on the same prepared folder with the same classes."
    if late := [
        record.name for record in (one, other) if record.expected not in (None, len(record.outcomes))
    ]:
        hint = f"{' and '.join(late)} {'is' if len(late) == 1 else 'are'} not finished: run the same study command again, then compare."
    if one.classes != other.classes:
        raise LearnetError(
            f"{one.name} has the classes {', '.join(one.classes)}, and {other.name} has {', '.join(other.classes)}.",
            hint,
        )
    truth, truth_of_other = ({o.clip: o.truth for o in record.outcomes} for record in (one, other))
    if truth.keys() != truth_of_other.keys():
        only = [
            f"{len(missing)} only in {record.name}"
            + (f" ({', '.join(missing[:3])}{', …' if len(missing) > 3 else ''})" if missing else "")
            for record, missing in (
                (one, sorted(truth.keys() - truth_of_other.keys())),
                (other, sorted(truth_of_other.keys() - truth.keys())),
            )
        ]
        raise LearnetError(
            f"{one.name} and {other.name} did not answer the same clips: {', '.join(only)}.", hint
        )
    differ = sorted(clip for clip in truth if truth[clip] != truth_of_other[clip])
    if differ:
        first = differ[0]
        raise LearnetError(
            f"{len(differ)} clips have another truth in {one.name} than in {other.name}: "
            f"{first} is {truth[first]!r} and {truth_of_other[first]!r}.",
            hint,
        )


def shared_people(folds: Sequence[FoldDescription]) -> dict[str, list[str]]:
    """Folds that have a person on both sides, and who it is; counted from the lists of people, whatever the protocol is called."""
    both = {fold.name: sorted(set(fold.train_people) & set(fold.test_people)) for fold in folds}
    return {name: people for name, people in both.items() if people}


def check(record: StudyRecord) -> list[Check]:
    """What a reader would have to take on trust, tried against the files."""
    return [
        _nobody_on_both_sides(record),
        _tested_where_said(record),
        _complete(record),
        _same_numbers(record),
        _same_images(record),
    ]


def _nobody_on_both_sides(record: StudyRecord) -> Check:
    claim = "No person is in the training and the test side of one fold"
    folds = record.folds
    if not folds:
        return Check(claim, None, "study.json does not list the folds")
    both = shared_people(folds)
    if both:
        name, people = next(iter(both.items()))
        return Check(
            claim,
            False,
            f"{len(both)} of {len(folds)} folds; fold {name} has {_listed(people)} on both sides",
        )
    if any(fold.train_clips and not fold.train_people for fold in folds):
        return Check(claim, True, "none of the people tested is among those the weights were trained on")
    tested = {person for fold in folds for person in fold.test_people}
    return Check(claim, True, f"lists of people compared in {len(folds)} folds, {len(tested)} people")


def _tested_where_said(record: StudyRecord) -> Check:
    claim = "Every answer comes from a fold that tests its person"
    tested = {fold.name: set(fold.test_people) for fold in record.folds}
    if not tested:
        return Check(claim, None, "study.json does not list the folds")
    strange = [o for o in record.outcomes if o.person not in tested.get(o.fold, ())]
    if strange:
        first = f"{strange[0].clip} in fold {strange[0].fold}"
        return Check(claim, False, f"{len(strange)} of {len(record.outcomes)} answers do not; first: {first}")
    return Check(claim, True, f"all {len(record.outcomes)} answers")


def _complete(record: StudyRecord) -> Check:
    claim = "Every clip is answered, once with each seed"
    if record.expected is None:
        return Check(claim, None, "study.json does not list the folds")
    found = len(record.outcomes)
    return Check(claim, found == record.expected, f"{found} of {record.expected} answers")


def _same_numbers(record: StudyRecord) -> Check:
    claim = "The numbers follow from the answers"
    metrics = _read_json(record.folder / "metrics.json")
    if not metrics:
        return Check(
            claim, True, "counted from outcomes.csv for this page; there is no metrics.json to compare with"
        )
    stored = metrics.get("mean")
    means = stored if isinstance(stored, dict) else {}
    differ = [m for m in MEASURES if not _equal(means.get(m), record.summary["mean"][m]["value"])]
    if differ:
        return Check(
            claim,
            False,
            f"metrics.json says otherwise for {', '.join(differ)}; this page shows what outcomes.csv gives",
        )
    return Check(claim, True, "counted anew from outcomes.csv; metrics.json agrees")


def _equal(stored: object, value: float) -> bool:
    """Whether a measure of metrics.json, which may hold anything, has this value."""
    found = stored.get("value") if isinstance(stored, dict) else None
    return isinstance(found, (int, float)) and abs(found - value) <= 1e-9


def _same_images(record: StudyRecord) -> Check:
    claim = "The images are those the study was run on"
    if record.prepared is None:
        return Check(claim, None, "the prepared folder is not there, or has changed")
    return Check(claim, True, f"fingerprint {record.prepared.record.fingerprint[:12]}")


def _find_prepared(
    folder: Path, description: StudyDescription | None
) -> tuple[PreparedDataset | None, list[str]]:
    """The prepared folder where the study says it is, in the study, or beside it; and why not."""
    lost = "so motion images and the data audit are not shown"
    if description is None:
        return None, [f"Where the prepared folder is, is unknown, {lost}."]
    said = Path(description.prepared.folder)
    home = folder.resolve()
    places = [
        place for place in (said, home / said.name, home.parent / said.name) if place.is_dir()
    ]  # it may have moved along
    if not places:
        return None, [f"The prepared folder {said} is gone, {lost}."]
    try:
        prepared = load_prepared(places[0])
    except LearnetError as error:
        return None, [f"The prepared folder cannot be read, {lost}: {error}"]
    if prepared.record.fingerprint != description.prepared.fingerprint:
        return None, [f"The prepared folder {places[0]} has changed since the study, {lost}."]
    return prepared, []


def _read_json(file: Path) -> dict:
    if not file.is_file():
        return {}
    try:
        content = json.loads(_read_text(file))
    except (ValueError, RecursionError) as error:
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


def _listed(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
