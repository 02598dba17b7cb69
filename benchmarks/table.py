"""One table of everything that the benchmarks last measured.

python benchmarks/table.py [RESULTS]
"""

import json
import sys
from pathlib import Path

from measure import RESULTS, line_of


def main() -> None:
    newest: dict[str, dict] = {}
    results = [
        json.loads(file.read_text())
        for file in (Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS).glob("*.json")
    ]
    with_rows = [result for result in results if {"rows", "date", "benchmark"} <= set(result)]
    for result in sorted(with_rows, key=lambda result: (result["date"], result.get("time", ""))):
        newest[result["benchmark"]] = result
    print(f"{'what':<58} {'reference, in the same run':<44} {'ratio':>8}  {'share of the limit':<34} target")
    for name, result in sorted(newest.items()):
        print(f"\n{name}, {result['date']}, {result['machine'].get('cpu', 'processor not written down')}")
        for row in result["rows"]:
            print(line_of(row))


if __name__ == "__main__":
    main()
