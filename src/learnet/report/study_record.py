"""A study folder read back and checked: its answers, what was asked, and whether the answers can be trusted.

Reads files only, so other people's studies can be judged as well. Only `outcomes.csv` is needed; whatever else is gone is named.
"""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from learnet.core.errors import BadInput, LearnetError
from learnet.core.network_info import NetworkInfo, network_info
from learnet.core.records import Outcome
from learnet.datasets.prepared.store import PreparedDataset, load_prepared, synthetic
from learnet.metrics.scores import MEASURES, average_seeds, summarise
from learnet.study.outcomes import COLUMNS, parse_outcomes, read_outcomes

NEEDED = ("protocol", "scheme", "seeds", "folds", "prepared")
"""What study.json must say."""
KINDS: dict[str, type | tuple[type, ...]] = {
    "network": str, "protocol": str, "scheme": dict, "seeds": list, "settings": (dict, type(None)), "training": (dict, type(None)),
    "start": (dict, type(None)), "prepared": dict, "folds": list, "left_out": dict, "versions": dict, "choice": dict,
}  # fmt: skip
INNER = {
    "scheme": {"name": str, "classes": list, "source": str},
    "prepared": {"folder": str, "fingerprint": str, "about": dict},
}
FOLD = {"name": str, "train_people": list, "test_people": list, "train_clips": int, "test_clips": int}
"""Of what kind it says what it says: outside, in its parts, and in each fold."""


@dataclass(frozen=True)
class StudyRecord:
    """What is left of a study on disk."""

    folder: Path
    name: str  # as the folder is called; with its parent where two share a name
    about: dict  # study.json; empty where it is gone
    run: dict  # run.json: seconds, machine; empty where it is gone
    classes: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    summary: dict  # metrics.summarise, counted anew from the outcomes
    prepared: PreparedDataset | None  # the images it was run on, where they are still there
    missing: tuple[str, ...]  # sentences: what could not be read, and what it would have shown

    @property
    def protocol(self) -> str:
        """Name of the protocol, or "unknown"."""
        return self.about.get("protocol", "unknown")

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
        return network_info(self.about.get("network", ""))

    @property
    def looks(self) -> bool:
        """Whether the answers depend on the images at all."""
        return self.network.uses_image and len({o.prediction for o in self.answers}) > 1

    @property
    def leaky(self) -> bool:
        """Whether people tested were trained on: by the protocol's own name, or because the folds say so."""
        return self.protocol.startswith("leaky-") or bool(shared_people(self.about.get("folds", [])))

    @property
    def leak(self) -> str:
        """What flatters a leaky study."""
        if self.protocol == "leaky-epoch" and not shared_people(self.about.get("folds", [])):
            return "the number of epochs was chosen by the answers to the person tested"
        return "people who are tested were also trained on"

    @property
    def synthetic(self) -> bool:
        """Whether the clips, or some of them, were made by a computer."""
        return bool(self._about_prepared.get("synthetic"))

    @property
    def synthetic_databases(self) -> tuple[str, ...]:
        """The databases that were made by a computer, where others beside them were not."""
        about = self._about_prepared
        made = [leaf["datasets"] for leaf in about.get("pooled", []) if leaf["about"]["synthetic"]]
        return (
            tuple(sorted({name for names in made for name in names})) if synthetic(about) == "partly" else ()
        )

    @property
    def _about_prepared(self) -> dict:
        return self.prepared.about if self.prepared else self.about.get("prepared", {}).get("about", {})

    @property
    def expected(self) -> int | None:
        """Answers a complete study has; None where nobody can know."""
        folds = self.about.get("folds")
        return (
            sum(fold["test_clips"] for fold in folds) * len(self.about.get("seeds", [0])) if folds else None
        )


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
    about, run = _read_json(folder / "study.json"), _read_json(folder / "run.json")
    _check_about(folder / "study.json", about)
    classes, outcomes, waiting = _read_answers(folder, about)
    if about and tuple(about["scheme"]["classes"]) != classes:
        raise BadInput(
            folder, "study.json and outcomes.csv name different classes", "They are not of one study."
        )
    prepared, missing = _find_prepared(folder, about)
    missing = [*waiting, *missing]
    if not about:
        missing = [
            "study.json is missing: protocol, folds, settings and versions are unknown, so nothing shows that nobody leaked.",
            *missing,
        ]
    summary, name = summarise(outcomes, classes), folder.resolve().name
    return StudyRecord(folder, name, about, run, classes, tuple(outcomes), summary, prepared, tuple(missing))


def _check_about(file: Path, about: dict) -> None:
    """Refuse a study.json that does not say what every study's says; what is more is not asked for."""
    absent = [key for key in NEEDED if key not in about]
    if about and absent:
        raise BadInput(file, f"it does not say {', '.join(absent)}", "Remove it to report without it.")
    wrong = [key for key, kind in KINDS.items() if key in about and not isinstance(about[key], kind)]
    wrong += [
        f"{key}.{name}"
        for key, inner in INNER.items()
        if about and key not in wrong
        for name, kind in inner.items()
        if not isinstance(about[key].get(name), kind)
    ]
    folds = about.get("folds", []) if "folds" not in wrong else []
    if any(
        not isinstance(one, dict) or any(not isinstance(one.get(name), kind) for name, kind in FOLD.items())
        for one in folds
    ):
        wrong.append("folds")
    if wrong:
        raise BadInput(
            file, f"{', '.join(wrong)} cannot be read", "Restore the file, or remove it to report without it."
        )


def _read_answers(folder: Path, about: dict) -> tuple[tuple[str, ...], list[Outcome], list[str]]:
    """Classes, the answers that can be counted, and in words what of an unfinished study is left out.

    A study that is at work may be in the middle of a line. With several seeds only those that have answered every clip are counted.
    """
    file, missing = folder / "outcomes.csv", []
    text = _read_text(file) if file.is_file() else ""
    if about and text and not text.endswith("\n"):
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


def shared_people(folds: Sequence[dict]) -> dict[str, list[str]]:
    """Folds that have a person on both sides, and who it is; counted from the lists of people, whatever the protocol is called."""
    both = {fold["name"]: sorted(set(fold["train_people"]) & set(fold["test_people"])) for fold in folds}
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
    folds = record.about.get("folds")
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
    if any(fold["train_clips"] and not fold["train_people"] for fold in folds):
        return Check(claim, True, "none of the people tested is among those the weights were trained on")
    tested = {person for fold in folds for person in fold["test_people"]}
    return Check(claim, True, f"lists of people compared in {len(folds)} folds, {len(tested)} people")


def _tested_where_said(record: StudyRecord) -> Check:
    claim = "Every answer comes from a fold that tests its person"
    tested = {fold["name"]: set(fold["test_people"]) for fold in record.about.get("folds", [])}
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
    return Check(claim, True, f"fingerprint {str(record.prepared.about['fingerprint'])[:12]}")


def _find_prepared(folder: Path, about: dict) -> tuple[PreparedDataset | None, list[str]]:
    """The prepared folder where the study says it is, in the study, or beside it; and why not."""
    lost = "so motion images and the data audit are not shown"
    if not about:
        return None, [f"Where the prepared folder is, is unknown, {lost}."]
    wanted = about["prepared"]
    said = Path(wanted["folder"])
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
    if prepared.about["fingerprint"] != wanted["fingerprint"]:
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
