"""The installed command, in a subprocess."""

import subprocess
import sys
from pathlib import Path

LEARNET = Path(sys.executable).with_name("learnet")


def learnet(*words: object, code: int = 0) -> subprocess.CompletedProcess:
    done = subprocess.run([LEARNET, *map(str, words)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == code, f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
    return done
