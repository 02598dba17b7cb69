"""Agreement of two coders against scikit-learn, points in time one by one, and cases worked by hand."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, confusion_matrix

from learnet.core.errors import BadInput, LearnetError
from learnet.core.records import Event
from learnet.datasets.annotations.files import write_annotations
from learnet.datasets.annotations.record import Recording
from learnet.metrics.agreement import (
    CodedRecording,
    Estimate,
    agreement,
    category_at_points,
    cohen_kappa,
)
from learnet.metrics.agreement_files import compare_coders
from learnet.metrics.agreement_tables import agreement_to_csv, agreement_to_json
from tests.builders.annotated_events import event
from tests.builders.commands import learnet

FIRST = (
    event(100, 110, 140, label="negative"),
    event(300, 350, 420, label="positive"),  # 0.6 s: macro
    event(600, 610, 620, is_blink=True),
)
SECOND = (
    event(104, 110, 138, label="negative"),
    event(300, 340, 399, label="surprise"),  # 0.495 s: micro
    event(700, 710, 719),
)
"""At 200 frames a second; the first two overlap by 35 of 41 and 100 of 121 frames."""

CODED = CodedRecording("film", FIRST, SECOND, duration_s=4.0)


def swapped(coded: CodedRecording) -> CodedRecording:
    return replace(coded, first=coded.second, second=coded.first)


def test_events_and_times_by_hand() -> None:
    compared = agreement([CODED])
    counts = [(found.iou, found.both, found.only_first, found.only_second) for found in compared.events]
    assert counts == [(0.3, 2, 1, 1), (0.5, 2, 1, 1), (0.7, 2, 1, 1)]
    assert [found.f1 for found in compared.events] == [Estimate(4 / 6, None, None)] * 3
    onset, apex, offset = compared.differences
    assert (onset.mark, onset.pairs, offset.mark) == ("onset", 2, "offset")
    # 4 and 0 frames later; the apex 0 and 10 frames earlier; 2 and 21 frames earlier.
    assert onset.mean_ms.value == pytest.approx(10)
    assert apex.mean_ms.value == pytest.approx(-25)
    assert offset.mean_ms.value == offset.median_ms == pytest.approx(-57.5)
    assert offset.mean_absolute_ms.value == pytest.approx(57.5)
    # Two pairs: the bootstrap over them reaches both.
    assert (offset.mean_ms.low, offset.mean_ms.high) == pytest.approx((-105, -10))
    strict = agreement([CODED], pair_iou=0.84)
    assert strict.differences[0].pairs == 1 and strict.differences[0].mean_ms.low is None


def test_confusions_and_single_events_by_hand() -> None:
    compared = agreement([CODED])
    kinds, labels = compared.confusions
    assert kinds.categories == ("blink", "macro", "micro", "no event")
    assert kinds.counts == ((0, 0, 0, 1), (0, 0, 1, 0), (0, 0, 1, 0), (0, 0, 1, 0))
    assert labels.categories == ("negative", "positive", "surprise", "without a label", "no event")
    assert labels.counts[0] == (1, 0, 0, 0, 0) and labels.counts[1] == (0, 0, 1, 0, 0)
    assert [(single.coder, single.event.onset) for single in compared.single] == [
        ("first", 600),
        ("second", 700),
    ]


def test_events_of_one_frame_can_be_the_same() -> None:
    point = (event(50, 50, 50),)
    assert agreement([CodedRecording("x", point, point, 1.0)]).events[2].both == 1


def test_labels_of_one_coder_only_are_not_compared() -> None:
    bare = tuple(replace(found, label="") for found in SECOND)
    compared = agreement([replace(CODED, second=bare)])
    assert [times.of for times in compared.times] == ["presence", "kind"]
    assert [confusion.of for confusion in compared.confusions] == ["kind"]


def test_kappa_by_hand() -> None:
    """4 points: both see something at 1, neither at 2, one of them at 1."""
    counts = np.array([[[2.0, 0.0], [1.0, 1.0]], [[5.0, 0.0], [0.0, 0.0]]])
    kappa, undefined = cohen_kappa(counts)
    expected = (2 / 4) * (3 / 4) + (2 / 4) * (1 / 4)
    assert kappa == pytest.approx((3 / 4 - expected) / (1 - expected))
    assert np.isnan(undefined)


SPANS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 15), st.sampled_from(["a", "b"])), min_size=1, max_size=5
)


def coded_events(spans: list[tuple[int, int, str]]) -> tuple[Event, ...]:
    """Events on the points of a grid of 10 ms."""
    return tuple(
        event(start, start, start + length, fps=100.0, label=label) for start, length, label in spans
    )


def at_point(spans: list[tuple[int, int, str]], point: int) -> str:
    """The label at a point in time: that of the event that began first."""
    there = [span for span in spans if span[0] <= point <= span[0] + span[1]]
    return min(there, key=lambda span: span[0])[2] if there else "no event"


@settings(max_examples=60)
@given(SPANS, SPANS)
def test_kappa_equals_that_of_scikit_learn(
    first: list[tuple[int, int, str]], second: list[tuple[int, int, str]]
) -> None:
    first, second = [[*{span[0]: span for span in spans}.values()] for spans in (first, second)]
    coded = CodedRecording("x", coded_events(first), coded_events(second), duration_s=0.9)
    presence, _, label = agreement([coded], grid_s=0.01).times
    ours = [[at_point(spans, point) for point in range(91)] for spans in (first, second)]
    assert sum(map(sum, label.counts)) == 91
    reference = confusion_matrix(*ours, labels=list(label.categories))
    assert label.counts == tuple(map(tuple, reference.tolist()))
    assert label.kappa and label.kappa.value == pytest.approx(cohen_kappa_score(*ours))
    seen = [[name != "no event" for name in names] for names in ours]
    assert presence.kappa and presence.kappa.value == pytest.approx(cohen_kappa_score(*seen))


def test_points_of_an_event_include_both_ends() -> None:
    events = (event(3, 4, 5, fps=100.0), event(5, 6, 8, fps=100.0, is_blink=True))
    codes = category_at_points(events, lambda found: found.kind, ("no event", "blink", "micro"), 10, 0.01)
    assert codes.tolist() == [0, 0, 0, 2, 2, 2, 1, 1, 1, 0]


def test_in_the_other_order_tables_are_transposed_and_signs_change() -> None:
    there, back = agreement([CODED]), agreement([swapped(CODED)])
    for one, other in zip(there.confusions + there.times, back.confusions + back.times, strict=True):
        assert one.counts == tuple(zip(*other.counts, strict=True))
    assert there.times[0].kappa == back.times[0].kappa
    assert there.differences[2].mean_ms.value == -back.differences[2].mean_ms.value
    assert there.events[0].f1 == back.events[0].f1


def test_intervals_over_recordings() -> None:
    """Three recordings alike give no width; one without any agreement widens it down to 0."""
    alike = agreement([CODED] * 3)
    f1 = alike.events[1].f1
    assert (f1.value, f1.low, f1.high) == pytest.approx((4 / 6, 4 / 6, 4 / 6))
    kappa = alike.times[0].kappa
    assert kappa and (kappa.low, kappa.high) == pytest.approx((kappa.value, kappa.value))
    assert alike.differences[0].mean_ms.low == pytest.approx(10)
    apart = replace(CODED, first=FIRST[2:], second=SECOND[2:])
    mixed = agreement([CODED, apart]).events[1].f1
    assert mixed.low == 0 and mixed.high == pytest.approx(4 / 6)


def test_a_coder_without_events_and_perfect_agreement() -> None:
    nobody = agreement([replace(CODED, second=())])
    assert nobody.events[0].f1.value == 0 and nobody.differences == ()
    assert nobody.times[0].kappa and nobody.times[0].kappa.value == 0
    same = agreement([replace(CODED, second=FIRST)])
    assert same.single == () and all(times.kappa == Estimate(1.0, None, None) for times in same.times)
    everywhere = (event(0, 1, 800),)
    always = agreement([CodedRecording("x", everywhere, everywhere, 4.0)])
    assert always.times[0].kappa is None


def test_values_out_of_range() -> None:
    with pytest.raises(LearnetError, match="Neither coder has any event"):
        agreement([CodedRecording("x", (), (), 1.0)])
    with pytest.raises(LearnetError, match="overlap of 0 is not"):
        agreement([CODED], pair_iou=0.0)
    with pytest.raises(LearnetError, match="grid of 0 seconds"):
        agreement([CODED], grid_s=0.0)
    with pytest.raises(LearnetError, match="has 40000000 points"):
        agreement([CODED], grid_s=1e-7)


def test_csv_and_json(tmp_path: Path) -> None:
    compared = agreement([CODED, CODED])
    rows = list(csv.DictReader(io.StringIO(agreement_to_csv(compared))))
    found = {(row["measure"], row["of"]): row for row in rows}
    assert len(found) == len(rows) == 3 * 3 + 3 + 3 * 3
    assert float(found["f1", "IoU 0.5"]["value"]) == compared.events[1].f1.value
    assert float(found["mean difference ms", "offset"]["low"]) == compared.differences[2].mean_ms.low
    content = json.loads(agreement_to_json(compared))
    assert content["confusions"][0]["counts"] == [list(row) for row in compared.confusions[0].counts]
    assert [single["onset"] for single in content["single"]] == [600, 700, 600, 700]


def files_of(folder: Path) -> tuple[Path, Path]:
    """The same coders in ELAN and in a table."""
    folder.mkdir(exist_ok=True)
    paths = folder / "ann.eaf", folder / "ben.csv"
    for path, events in zip(paths, (FIRST, SECOND), strict=True):
        write_annotations(path, events, Recording(fps=200.0))
    return paths


def test_files_of_two_coders(tmp_path: Path) -> None:
    first, second = files_of(tmp_path / "files")
    compared = compare_coders(first, second, Recording(fps=200.0, frames=801), grid_s=0.005)
    direct = agreement([replace(CODED, name="ben")], grid_s=0.005)
    assert compared.agreement.events == direct.events
    assert compared.agreement.times == direct.times
    assert compared.notes == (
        "One recording: no intervals of F1 and kappa; those of the times are over the events.",
    )
    unknown = compare_coders(first, second, Recording())
    assert any("the length is not known" in note for note in unknown.notes)


def test_folders_of_two_coders(tmp_path: Path) -> None:
    ann, ben = tmp_path / "ann", tmp_path / "ben"
    for folder, events in ((ann, FIRST), (ben, SECOND)):
        for name in ("one", "two"):
            write_annotations(
                folder / f"{name}.{'eaf' if folder == ann else 'csv'}", events, Recording(fps=200.0)
            )
    compared = compare_coders(ann, ben, Recording())
    assert compared.agreement.recordings == 2 and compared.agreement.events[1].f1.low is not None
    (ben / "two.csv").unlink()
    with pytest.raises(BadInput, match="1 recording of one coder only: two"):
        compare_coders(ann, ben, Recording())
    with pytest.raises(BadInput, match="are a file and a folder"):
        compare_coders(ann, ben / "one.csv", Recording())
    write_annotations(ben / "one.vtt", SECOND, Recording(fps=200.0))
    with pytest.raises(BadInput, match="one.csv are of the same recording"):
        compare_coders(ann, ben, Recording())


def test_two_frame_rates_contradict_each_other(tmp_path: Path) -> None:
    write_annotations(tmp_path / "a.eaf", FIRST, Recording(fps=200.0))
    write_annotations(tmp_path / "b.vtt", SECOND, Recording(fps=25.0))
    with pytest.raises(BadInput, match="it states 25 frames per second, and .* states 200"):
        compare_coders(tmp_path / "a.eaf", tmp_path / "b.vtt", Recording())
    assert (
        compare_coders(tmp_path / "a.eaf", tmp_path / "b.vtt", Recording(fps=200.0)).agreement.recordings == 1
    )


def test_command(tmp_path: Path) -> None:
    first, second = files_of(tmp_path / "files")
    table, numbers = tmp_path / "a.csv", tmp_path / "a.json"
    said = learnet("agreement", first, second, "--csv", table, "--json", numbers).stdout
    assert "0.667" in said and "-57.5" in said and "Seen by one coder only" in said
    assert json.loads(numbers.read_text())["recordings"] == 1
    assert table.read_text().startswith("measure,of,value")
    error = learnet("agreement", first, tmp_path / "none.csv", code=2).stderr
    assert error.count("\n") == 1 and "there is no such file" in error
