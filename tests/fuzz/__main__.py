"""Run many cases and print a table: `python -m tests.fuzz --cases 20000`."""

import argparse
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import torch
from rich.progress import Progress

from tests.fuzz.isolation import ACCEPTED, FAULTS, REFUSED, VERDICTS, Runner, Verdict, temporary_place
from tests.fuzz.targets import TARGETS, Target, line_of


def choose_cases(targets: Sequence[Target], total: int, first: int = 0) -> list[tuple[Target, int]]:
    """Return about `total` cases, shared among the targets by their weights."""
    whole = sum(target.weight for target in targets)
    cases = []
    for target in targets:
        share = max(1, round(total * target.weight / whole))
        cases.extend((target, case) for case in range(first, first + share))
    return cases


def table(verdicts: Iterable[Verdict], targets: Sequence[Target]) -> str:
    """Return the counts of the verdicts for each kind of input, as Markdown."""
    lines = {target.name: line_of(target) for target in targets}
    counts = Counter((lines[verdict.target], verdict.kind) for verdict in verdicts)
    rows = ["| input | cases | " + " | ".join(VERDICTS) + " |", "|---|" + "---:|" * (len(VERDICTS) + 1)]
    names = [*dict.fromkeys(lines.values()), "all"]
    for name in names:
        numbers = []
        for kind in VERDICTS:
            numbers.append(
                sum(counts[line, kind] for line in names[:-1]) if name == "all" else counts[name, kind]
            )
        rows.append(
            f"| {name} | {sum(numbers):,} | " + " | ".join(f"{number:,}" for number in numbers) + " |"
        )
    return "\n".join(rows)


def main() -> None:
    """Run the cases; exit with 1 if any of them is a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Try mutated inputs.")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="kinds of input whose names begin so")
    parser.add_argument(
        "--keep", type=Path, default=Path("fuzz-failures"), help="folder for inputs of faults"
    )
    options = parser.parse_args()
    targets = [target for target in TARGETS if target.name.startswith(options.only)]
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    place = temporary_place()
    started = time.monotonic()
    runner = Runner(options.seed, place, options.keep)
    try:
        runner.prepare(targets)
        cases = choose_cases(targets, options.cases, options.first)
        verdicts = []
        with Progress(auto_refresh=False) as progress:  # without a thread, which processes would not inherit
            task = progress.add_task("cases", total=len(cases))
            for verdict in runner.run(cases, options.jobs):
                verdicts.append(verdict)
                progress.update(task, advance=1, refresh=len(verdicts) % 20 == 0)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    faults = [verdict for verdict in verdicts if verdict.kind in FAULTS]
    for fault in sorted(faults, key=lambda fault: (fault.target, fault.kind, fault.detail)):
        print(f"{fault.target} {fault.case}: {fault.kind}, {fault.file}: {fault.detail}")
    print(table(verdicts, targets))
    harmless = sum(verdict.kind in (REFUSED, ACCEPTED) for verdict in verdicts)
    seconds = time.monotonic() - started
    print(
        f"{harmless:,} of {len(verdicts):,} cases refused or read; "
        f"{seconds / 60:.1f} minutes; seed {options.seed}."
    )
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
