"""Compare studies over the same clips: scores, paired tests, published figures.

Nothing is ranked. Studies keep the order in which they are named, except that a leaky study follows its
honest counterpart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from learnet.core.errors import LearnetError, pick
from learnet.metrics.combined import CombinedDifference, combine_databases
from learnet.metrics.equivalence import MARGIN
from learnet.metrics.published import PublishedScores, published_for
from learnet.metrics.scores import MEASURES
from learnet.metrics.significance import Difference, McNemar, difference, holm, mcnemar
from learnet.report.study_record import StudyRecord, read_records

CLIPS = "clips"
"""Key of McNemar's test in `Compared.corrected`, beside the measures."""


@dataclass(frozen=True)
class Compared:
    """The comparison of one study with the reference study."""

    record: StudyRecord
    difference: Difference  # positive where this study is better than the reference
    clips: McNemar  # this study first; the scores of several seeds are averaged
    corrected: dict[str, float]  # Holm-corrected p of each measure and of CLIPS
    is_corrected: bool  # False for a single comparison
    combined: CombinedDifference | None  # where the clips are of several databases


@dataclass(frozen=True)
class Comparison:
    """Studies, and each of them compared with a reference."""

    records: tuple[StudyRecord, ...]
    against: StudyRecord  # the reference, one of `records`
    compared: tuple[Compared, ...]  # all other studies, in their order
    published: tuple[PublishedScores, ...]  # figures for the same databases and classes
    margin: float = MARGIN  # largest difference of equivalent studies

    @property
    def databases(self) -> tuple[str, ...]:
        """Names of the databases if there are several; empty if there is one."""
        return tuple(self.records[0].summary.datasets or {})


def compare(
    folders: str | Path | Sequence[str | Path], against: str | None = None, margin: float = MARGIN
) -> Comparison:
    """Read studies and compare each of them with a reference study.

    Args:
        folders: study folders over the same clips, true classes and class list.
        against: name of the reference; by default the first study that does not leak.
        margin: largest difference of two equivalent studies, between 0 and 1.

    Raises:
        LearnetError: a margin out of its range, no study, a repeated study, no study called `against`, or
            studies over different clips.
        BadInput: a folder without readable outcomes.
    """
    if not 0 < margin < 1:
        raise LearnetError(f"The margin {margin:g} is not between 0 and 1.", "Give one such as 0.05.")
    return compare_records(read_records(folders), against, margin)


def compare_records(
    studies: Sequence[StudyRecord], against: str | None = None, margin: float = MARGIN
) -> Comparison:
    """Compare studies that `read_records` has read, as `compare`."""
    records = leaky_after_honest(studies)
    by_name = {record.name: record for record in records}
    reference = pick(by_name, against, "study") if against is not None else records[0]
    others = [record for record in records if record is not reference]
    differences = [difference(other.outcomes, reference.outcomes, other.classes) for other in others]
    clip_tests = [mcnemar(other.answers, reference.answers) for other in others]

    corrected = {measure: holm([result.p[measure] for result in differences]) for measure in MEASURES}
    corrected[CLIPS] = holm([test.p for test in clip_tests])
    compared = []
    for index, other in enumerate(others):
        own_p = {key: values[index] for key, values in corrected.items()}
        combined = None
        if len(datasets(other)) > 1:
            combined = combine_databases(other.outcomes, reference.outcomes, other.classes)
        result = differences[index]
        compared.append(Compared(other, result, clip_tests[index], own_p, len(others) > 1, combined))
    published = published_for(datasets(records[0]), scheme(records[0]))
    return Comparison(tuple(records), reference, tuple(compared), tuple(published), margin)


def leaky_after_honest(records: Sequence[StudyRecord]) -> list[StudyRecord]:
    """Return the studies with each leaky one after its honest counterpart, or at the end if it has none."""
    leaky = [record for record in records if record.leaky]
    ordered = []
    for record in records:
        if not record.leaky:
            ordered.append(record)
            ordered += [leak for leak in leaky if counterpart(leak, records) is record]
    return ordered + [leak for leak in leaky if counterpart(leak, records) is None]


def counterpart(leaky: StudyRecord, records: Sequence[StudyRecord]) -> StudyRecord | None:
    """Return the first honest study of the same network on the same motion image, or None."""
    for record in records:
        same = network(record) == network(leaky) and motion(record) == motion(leaky)
        if same and not record.leaky:
            return record
    return None


def network(record: StudyRecord) -> str:
    """Return the name of the network, or "unknown"."""
    return record.network_name


def scheme(record: StudyRecord) -> str:
    """Return the name of the class scheme, or "unknown"."""
    return record.scheme_name


def motion(record: StudyRecord) -> str:
    """Return the motion image by its name in `learnet prepare`, "imported", or "unknown"."""
    images = record.description.prepared.about if record.description else None
    if images is None:
        return "unknown"
    if images.preparation:
        return images.preparation.motion
    return "imported" if images.images_kind == "unknown" else f"imported {images.images_kind}"


def images_of(record: StudyRecord) -> str:
    """Return the motion image of a study with its size in pixels, as far as they are known."""
    images = record.prepare_record
    if images and images.preparation:
        return f"{motion(record)}, {images.preparation.size} pixels"
    return f"{motion(record)}, {record.prepared.size} pixels" if record.prepared else motion(record)


def datasets(record: StudyRecord) -> set[str]:
    """Return the names of the databases of the clips."""
    return {outcome.dataset for outcome in record.outcomes}
