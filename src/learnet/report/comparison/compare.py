"""Studies over the same clips, side by side: what each scores, how surely they differ, and what others have published.

Nothing is ranked: studies stand in the order in which they are named, and one that leaks directly below the honest one it flatters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from learnet.core.errors import pick
from learnet.metrics.published import Published, beside
from learnet.metrics.scores import MEASURES
from learnet.metrics.significance import Difference, McNemar, difference, holm, mcnemar
from learnet.report.study_record import StudyRecord, read_records

CLIPS = "clips"
"""Key of McNemar's test in `Compared.corrected`, beside the measures."""


@dataclass(frozen=True)
class Compared:
    """A study beside the one that all are compared with."""

    record: StudyRecord
    difference: Difference  # above 0 where this study is better
    clips: McNemar  # this study first; several seeds answer by the mean of their scores
    corrected: dict[
        str, float
    ]  # p by measure and under CLIPS, each corrected for the number of studies (Holm)
    several: bool  # whether there is anything to correct for


@dataclass(frozen=True)
class Comparison:
    """Everything the tables of a comparison say."""

    records: tuple[StudyRecord, ...]
    against: StudyRecord  # one of them
    compared: tuple[Compared, ...]  # all others, in their order
    published: tuple[Published, ...]  # figures on the same databases and classes

    @property
    def databases(self) -> tuple[str, ...]:
        """The databases of the clips, where there are several; empty where there is one."""
        return tuple(self.records[0].summary.get("datasets", {}))


def compare(folders: Sequence[Path], against: str | None = None) -> Comparison:
    """Read studies and compare them, each with one of them.

    Args:
        folders: study folders, all over the same clips with the same truth and classes.
        against: name of the study that the others are compared with; the first that does not leak if not given.

    Raises:
        LearnetError: no study, one given twice, no study called AGAINST, or studies over different clips, whose difference is listed.
        BadInput: a folder without readable answers.
    """
    records = leaks_below(read_records(folders))
    named = {record.name: record for record in records}
    first = pick(named, against, "study") if against is not None else records[0]
    pairs = [
        (
            record,
            difference(record.outcomes, first.outcomes, record.classes),
            mcnemar(record.answers, first.answers),
        )
        for record in records
        if record is not first
    ]
    p = [{**found.p, CLIPS: clips.p} for _, found, clips in pairs]
    corrected = {key: holm([one[key] for one in p]) for key in (*MEASURES, CLIPS)}
    compared = [
        Compared(*pair, {key: values[place] for key, values in corrected.items()}, len(pairs) > 1)
        for place, pair in enumerate(pairs)
    ]
    return Comparison(
        tuple(records), first, tuple(compared), tuple(beside(datasets(records[0]), scheme(records[0])))
    )


def leaks_below(records: Sequence[StudyRecord]) -> list[StudyRecord]:
    """The records with each leaky one below its honest counterpart, or below all where it has none."""
    honest = [record for record in records if not record.leaky]
    leaky = [record for record in records if record.leaky]
    placed = [
        one
        for record in honest
        for one in (record, *(leak for leak in leaky if counterpart(leak, records) is record))
    ]
    return placed + [leak for leak in leaky if counterpart(leak, records) is None]


def counterpart(leaky: StudyRecord, records: Sequence[StudyRecord]) -> StudyRecord | None:
    """The first honest study of the same network on the same motion image, whose score the leaky one's should be read beside."""
    same = (
        record
        for record in records
        if not record.leaky and network(record) == network(leaky) and motion(record) == motion(leaky)
    )
    return next(same, None)


def network(record: StudyRecord) -> str:
    """Name of the network, or "unknown"."""
    return record.about.get("network", "unknown")


def scheme(record: StudyRecord) -> str:
    """Name of the class scheme, or "unknown"."""
    return record.about.get("scheme", {}).get("name", "unknown")


def motion(record: StudyRecord) -> str:
    """The motion image by its name in `learnet prepare`, "imported", or "unknown"."""
    about = record.about.get("prepared", {}).get("about")
    if not about:
        return "unknown"
    made = about.get("preparation")
    return (
        made["motion"]
        if made
        else "imported"
        + (f" {about['images_kind']}" if about.get("images_kind", "unknown") != "unknown" else "")
    )


def datasets(record: StudyRecord) -> set[str]:
    """The databases of the clips."""
    return {o.dataset for o in record.outcomes}
