"""Print the table of docs/results-spotting.md about synthetic films, from results/spotting.json.

python benchmarks/spotting_table.py
"""

import json
from collections.abc import Mapping
from typing import Any

from measure import RESULTS

HEADER = (
    *("films", "F1 micro", "F1 macro", "F1 both", "right", "false", "missed", "false a minute"),
    *("median error of the onset", "unjudged"),
)


def main() -> None:
    report = json.loads((RESULTS / "spotting.json").read_text())
    print("\n".join(table_lines(report)))


def table_lines(report: Mapping[str, Any]) -> list[str]:
    """Return a row for all films, for each frame rate and for each level of noise."""
    lines = [_line(HEADER), "|---" + "|---:" * (len(HEADER) - 1) + "|"]
    for name, summary in report.items():
        if isinstance(summary, dict) and "F1 overall" in summary:
            lines.append(_line(_cells(name, summary)))
    return lines


def _cells(name: str, summary: Mapping[str, Any]) -> list[str]:
    f1 = [f"{summary[f'F1 {kind}']:.3f}" for kind in ("micro", "macro", "overall")]
    of_kinds = summary["right, false, missed"]
    counts = [of_kinds["micro"][index] + of_kinds["macro"][index] for index in range(3)]
    error = f"{summary['median onset error, ms']:g} ms"
    share = f"{summary['unjudged, share']:.0%}"
    return [name, *f1, *map(str, counts), f"{summary['false events a minute']:.2f}", error, share]


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
