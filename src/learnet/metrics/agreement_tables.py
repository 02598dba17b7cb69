"""The agreement of two coders as CSV and JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from learnet.core.csv_files import csv_text
from learnet.metrics.agreement import Agreement, Estimate, SingleEvent

COLUMNS = ("measure", "of", "value", "low", "high", "count")
"""Columns of the CSV, which has a row for each number."""


def agreement_to_csv(agreement: Agreement) -> str:
    """Return all numbers as CSV with the columns of `COLUMNS`, without the tables of categories."""
    rows: list[Sequence[object]] = [COLUMNS]
    for events in agreement.events:
        of = f"IoU {events.iou}"
        rows.append(("f1", of, *_limits(events.f1), events.both))
        rows.append(("only first", of, events.only_first, "", "", ""))
        rows.append(("only second", of, events.only_second, "", "", ""))
    for times in agreement.times:
        points = sum(map(sum, times.counts))
        limits = _limits(times.kappa) if times.kappa else ("", "", "")
        rows.append(("kappa", times.of, *limits, points))
    for difference in agreement.differences:
        of = difference.mark
        rows.append(("mean difference ms", of, *_limits(difference.mean_ms), difference.pairs))
        rows.append(("median difference ms", of, difference.median_ms, "", "", difference.pairs))
        absolute = _limits(difference.mean_absolute_ms)
        rows.append(("mean absolute difference ms", of, *absolute, difference.pairs))
    return csv_text(rows)


def _limits(estimate: Estimate) -> tuple[float, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high


def agreement_to_json(agreement: Agreement) -> str:
    """Return everything as JSON."""
    content: dict[str, Any] = {
        "recordings": agreement.recordings,
        "events": [asdict(events) for events in agreement.events],
        "times": [asdict(times) for times in agreement.times],
        "differences": [asdict(difference) for difference in agreement.differences],
        "confusions": [asdict(confusion) for confusion in agreement.confusions],
        "single": [_single(single) for single in agreement.single],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _single(single: SingleEvent) -> dict[str, Any]:
    event = single.event
    return {
        "recording": single.recording,
        "coder": single.coder,
        "onset": event.onset,
        "apex": event.apex,
        "offset": event.offset,
        "onset_s": round(event.onset_s, 4),
        "offset_s": round(event.offset_s, 4),
        "kind": event.kind,
        "label": event.label,
    }
