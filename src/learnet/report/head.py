"""The lines at the top of a page: which data, which images, when, by which version."""

from collections.abc import Iterable, Sequence
from datetime import date

from learnet.core.errors import counted
from learnet.report.comparison.compare import images_of
from learnet.report.comparison.tables import made
from learnet.report.study_record import StudyRecord


def head(records: Sequence[StudyRecord]) -> list[tuple[str, str]]:
    """Return what the numbers of a page are from, as pairs of a heading and its value.

    The date is that of the studies and not that of the page: the same files give the same page.
    """
    first = records[0]
    people = len({outcome.person for outcome in first.outcomes})
    datasets = ", ".join(sorted({outcome.dataset for outcome in first.outcomes}))
    kind = f"{made(first)}, " if made(first) else ""
    clips = f"{counted(len(first.answers), 'clip')} of {counted(people, 'person', 'people')}"
    return [
        ("Data", f"{datasets} ({kind}{clips})"),
        ("Classes", f"{len(first.classes)}: {', '.join(first.classes)}"),
        ("Images", _each(images_of(record) for record in records)),
        ("Finished", _each(map(_date, records))),
        ("Version", _each(_version(record) for record in records)),
    ]


def _each(values: Iterable[str]) -> str:
    """Return each different value once, in order."""
    return ", ".join(dict.fromkeys(values))


def _date(record: StudyRecord) -> str:
    """Return the day on which the last network of a study was trained."""
    finished = str(record.run.get("finished", ""))[:10]
    try:
        return date.fromisoformat(finished).isoformat()
    except ValueError:  # studies of earlier versions, and of other people
        return "date not recorded"


def _version(record: StudyRecord) -> str:
    version = record.versions.get("learnet")
    return f"learnet {version}" if version else "version not recorded"
