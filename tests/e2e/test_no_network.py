"""No command asks the network for anything, except the one whose purpose it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GUARD = '''
"""Read by every Python process of the test: it writes down and refuses what needs a network."""
import os, sys

def guard(event, arguments):
    is_local = event.startswith("socket.") and len(arguments) > 1 and not isinstance(arguments[1], tuple)
    if event not in WATCHED or (event in ("socket.connect", "socket.sendto") and is_local):
        return
    with open(os.environ["LEARNET_TEST_ASKED"], "a") as file:
        file.write(f"{event} {arguments[1:]!r}\\n")
    raise OSError(101, "Network is unreachable")

WATCHED = {
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request",
    "http.client.connect", "ftplib.connect", "smtplib.connect", "webbrowser.open",
}
sys.addaudithook(guard)
'''


class Guarded:
    """Runs commands in processes that may not use the network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = folder / "asked"
        (folder / "guard").mkdir()
        (folder / "guard" / "sitecustomize.py").write_text(GUARD)

    def __call__(self, *words: object, code: int = 0) -> str:
        """Run a command, and return what it asked of the network."""
        self.asked.write_text("")
        paths = [str(self.folder / "guard"), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "LEARNET_TEST_ASKED": str(self.asked),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
        }
        command = [sys.executable, "-m", "learnet", *map(str, words)]
        run = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=600,
            env=environment,
            cwd=self.folder,
        )
        assert run.returncode == code, run.stderr
        return self.asked.read_text()


@pytest.fixture
def learnet(tmp_path: Path) -> Guarded:
    return Guarded(tmp_path)


def test_the_guard_sees_the_command_that_downloads(learnet: Guarded) -> None:
    assert "socket.getaddrinfo" in learnet("face-model", learnet.folder / "model.onnx", code=2)


def test_help_and_scores_ask_for_nothing(learnet: Guarded) -> None:
    table = learnet.folder / "answers.csv"
    table.write_text("clip,truth,prediction\na,negative,negative\nb,positive,surprise\n")
    assert learnet("--help") == ""
    assert learnet("score", table) == ""


@pytest.mark.slow
def test_no_command_asks_the_network_for_anything(learnet: Guarded) -> None:
    data, prepared, study = (learnet.folder / name for name in ("data", "prepared", "study"))
    weights, film = learnet.folder / "w.safetensors", learnet.folder / "demo" / "film.mp4"
    commands = [
        ("demo", "demo"),
        ("predict", film, "--page", "film.html", "--picture", "film.png"),
        ("predict", film, "--windows", "--csv", "film.csv", "--elan", "film.eaf"),
        ("live", film),
        ("synthesize", data, "--layout", "casme2", "--people", 4, "--clips", 3),
        ("audit", "casme2", data),
        ("prepare", "casme2", data, prepared, "--jobs", 2),
        ("study", prepared, study, "--network", "linear-svm", "--keep-weights", "--jobs", 2),
        ("train", prepared, weights, "--network", "linear-svm"),
        ("export", weights, "w.onnx"),
        ("report", study),
        ("compare", study, study),
    ]
    for words in commands:
        assert learnet(*words, code=2 if words[0] == "compare" else 0) == "", words
