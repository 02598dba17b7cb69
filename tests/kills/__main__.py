"""Print the table of kills: `python -m tests.kills [NUMBER [COMMAND...]]`, by default 50 of each command."""

import sys
import tempfile
import time
from pathlib import Path

from tests.kills.harness import Harness, table
from tests.kills.targets import TARGETS


def main() -> None:
    """Kill each command, print a table, and exit with 1 if any was refused or left other bytes."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    names = sys.argv[2:] or list(TARGETS)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        harness = Harness(Path(place))
        results = []
        for name in names:
            results.append(harness.kill(name, kills))
            lines = table(results).splitlines()
            print(*(lines if len(results) == 1 else lines[-1:]), sep="\n", flush=True)
        harness.close()
    print(f"\n{sum(result.kills for result in results)} kills in {time.monotonic() - started:.0f} s")
    failures = [failure for result in results for failure in result.failures]
    print(*failures, sep="\n")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
