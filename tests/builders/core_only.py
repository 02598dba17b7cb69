"""The commands as after `pip install learnet`: in a process where no library of an extra can be imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import learnet
from learnet.core.extras import EXTRAS

BLOCK = f"""
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(EXTRAS)}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
"""
RUN = """
import json
from learnet.cli import main

for arguments in json.loads(sys.argv[1]):
    print("RUN", *arguments, file=sys.stderr)
    try:
        main(arguments)
    except SystemExit as end:
        print("CODE", end.code or 0, file=sys.stderr)
    else:
        print("CODE", 0, file=sys.stderr)
"""


def run_python(code: str, *words: str) -> subprocess.CompletedProcess:
    """Run Python code in a process that has the core installation only."""
    environment = {**os.environ, "PYTHONPATH": str(Path(learnet.__file__).parents[1])}
    command = [sys.executable, "-c", BLOCK + code, *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=False)


def run_commands(*commands: tuple[object, ...]) -> list[tuple[int, str]]:
    """Run commands one after the other in one such process.

    Returns:
        Exit code and standard error of each.
    """
    asked = [[str(word) for word in command] for command in commands]
    done = run_python(RUN, json.dumps(asked))
    results = []
    for part in done.stderr.split("RUN ")[1:]:
        said, found, code = part.partition("\n")[2].rpartition("CODE ")
        assert found, f"{done.stdout}\n{done.stderr}"
        results.append((int(code.split()[0]), said))
    assert len(results) == len(commands), done.stderr
    return results
