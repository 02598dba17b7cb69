"""One table of everything that the benchmarks last measured.

python benchmarks/table.py [RESULTS]
"""

import json
import sys
from pathlib import Path

from measure import RESULTS, line_of


def main() -> None:
    newest: dict[str, dict] = {}
    for file in sorted((Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS).glob("*.json"), key=lambda path: path.stat().st_mtime):
        result = json.loads(file.read_text())
        if "rows" in result:
            newest[result["benchmark"]] = result
    print(f"{'what':<58} {'reference, in the same run':<44} {'ratio':>8}  {'share of the limit':<34} target")
    for result in newest.values():
        for row in result["rows"]:
            print(line_of(row))


if __name__ == "__main__":
    main()
