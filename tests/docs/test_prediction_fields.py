"""Every key of the JSON of `learnet predict` and every column of its tables is in the guide."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from learnet.core.settings import Windows
from learnet.datasets.synthetic.databases import synthetic_video
from learnet.inference.recogniser import Recogniser
from learnet.inference.recognition import Recognition
from learnet.inference.spotting import Spotting

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "video.md"
OPEN = ("preparation", "trained_on", "thresholds", "scores", "emotions", "action_unit_scores")
"""Keys whose values have keys of their own that are settings, classes or numbers of units."""


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Recognition:
    """A surprise with action units, and after it a stretch that cannot be judged."""
    film = tmp_path_factory.mktemp("film") / "film.mp4"
    video = synthetic_video(film, seed=7, emotion="surprise", duration_s=0.6)
    recognition = Recogniser.load()(video.path, Windows())
    (judged,) = recognition.predictions
    lost = replace(judged, window=1, start_s=judged.end_s, end_s=2.0, label=None, reason="no face is seen")
    return replace(recognition, predictions=(judged, lost))


@pytest.fixture(scope="module")
def events(windows: Recognition) -> Recognition:
    """The same as if it had been spotted."""
    spotting = Spotting(windows.events, windows.unjudged)
    return replace(windows, windows=None, spotting=spotting)


@pytest.fixture(scope="module")
def tables() -> list[list[list[str]]]:
    """The rows of the two tables: the words in backticks of each cell."""
    text = GUIDE.read_text(encoding="utf-8")
    section = text.partition("### Fields and columns")[2].partition("\n###")[0]
    tables = []
    for table in re.findall(r"\|---.*\n((?:\|.*\n)+)", section):
        rows = [line.strip("| \n").split(" | ") for line in table.splitlines()]
        tables.append(rows)
    assert len(tables) == 2
    return tables


def words(cell: str) -> set[str]:
    return set(re.findall(r"`([A-Za-z_]\w*)`", cell))


def keys(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for entry in value:
            yield from keys(entry)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            if key not in OPEN:
                yield from keys(inner)


def test_every_key_of_the_json_is_explained(
    windows: Recognition, events: Recognition, tables: list[list[list[str]]]
) -> None:
    content = json.loads(windows.to_json())
    assert content["unjudged"] and content["events"][0]["emotions_by_units"]
    whole, fields = tables
    assert set.union(*(words(row[0]) for row in whole)) == set(content)
    only_windows = set.union(*(words(row[0]) for row in whole if row[1].startswith("with `--windows`")))
    of_events = json.loads(events.to_json())
    assert set(of_events) == set(content) - only_windows and of_events["cut"] is None
    assert of_events["events"] == content["events"]
    of_windows_and_events = set.union(*(words(row[0]) for row in fields))
    assert of_windows_and_events == set(keys([content["events"], content["answers"]]))
    explained = set.union(*(words(cell) for row in [*whole, *fields] for cell in row))
    assert set(keys(content)) <= explained


def test_every_column_of_the_tables_is_explained(
    windows: Recognition, events: Recognition, tables: list[list[list[str]]]
) -> None:
    columns: set[str] = set()
    for row in tables[1]:
        columns |= words(row[0]) if row[1] == "the same" else words(row[1])
    explained = columns | set(windows.metadata.classes) | {f"AU{unit}" for unit in windows.units}
    shown = set(windows.to_dataframe(windows=True)) | set(events.to_dataframe())
    assert shown == explained
