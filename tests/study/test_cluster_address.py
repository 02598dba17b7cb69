"""Who may answer at the address of a cluster: nothing that anybody else sends is unpickled."""

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from learnet.core.errors import LearnetError
from learnet.study.cluster import connect
from learnet.study.cluster_address import LARGEST_ANSWER, check_scheduler
from tests.builders import errands

protocol = pytest.importorskip("distributed.protocol")

TIMEOUT_S = 5.0
LENGTH = struct.Struct("Q")


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple:
        return Path.touch, (self.file,)


def message(frames: list[bytes]) -> bytes:
    """Frames as Dask sends them."""
    lengths = b"".join(LENGTH.pack(len(frame)) for frame in frames)
    content = LENGTH.pack(len(frames)) + lengths + b"".join(map(bytes, frames))
    return LENGTH.pack(len(content)) + content


@contextmanager
def listening(answer: Callable[[int], bytes]) -> Iterator[str]:
    """The address of a process that sends `answer(number)` as soon as it is connected, and after each
    message."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as line, suppress(ConnectionError):
                for number in range(2):
                    line.recv(10_000)
                    line.sendall(answer(number))
                line.recv(10_000)

        threading.Thread(target=serve, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("number", [0, 1])
def test_no_pickle_of_a_false_scheduler_is_read(tmp_path: Path, number: int) -> None:
    """It comes in place of the greeting, or of the answer."""
    trap = protocol.dumps(protocol.ToPickle(Trap(tmp_path / "sprung")))
    inside = protocol.dumps({"type": "Scheduler", "x": protocol.Serialize(Trap(tmp_path / "sprung"))})
    greeting = protocol.dumps({"compression": None, "python": (3, 11, 0), "pickle-protocol": 5})
    for frames in (trap, inside):
        answers = [message(greeting), message(greeting)]
        answers[number] = message(frames)
        expected = "does not speak Dask|no workers|No Dask scheduler"
        with listening(answers.__getitem__) as address:
            if frames is inside and number == 1:
                check_scheduler(address, TIMEOUT_S)  # the other frame was not looked at
            else:
                with pytest.raises(LearnetError, match=expected), connect(address, errands.nothing):
                    pass
    assert not any(tmp_path.iterdir())
    protocol.loads(trap)
    assert (tmp_path / "sprung").exists()  # Dask itself reads it


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        LENGTH.pack(LARGEST_ANSWER + 1),
        LENGTH.pack(0),
        LENGTH.pack(8) + LENGTH.pack(0),
        LENGTH.pack(8) + LENGTH.pack(2**60),
        LENGTH.pack(16) + LENGTH.pack(1) + LENGTH.pack(2**62),
        message([b"\xc1"]),
        message([b"\x91" * 100_000]),
        message([b"\x01"]),
        b"\0",
    ],
)
def test_other_answers_are_refused_in_one_line(answer: bytes) -> None:
    with listening(lambda number: answer) as address, pytest.raises((ValueError, TimeoutError)):
        check_scheduler(address, 1.0)


def test_no_other_machine_without_encryption() -> None:
    with (
        pytest.raises(LearnetError, match=r"tcp://192.0.2.1:8786 is on another machine.*tls://"),
        connect("tcp://192.0.2.1:8786", errands.nothing),
    ):
        pass


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be another user")
def test_no_process_of_another_user_without_encryption() -> None:
    code = (
        "import os, socket; os.setuid(65534); server = socket.create_server(('127.0.0.1', 0));"
        "print(server.getsockname()[1], flush=True); server.accept()[0].sendall(b'trap')"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = f"tcp://127.0.0.1:{process.stdout.readline().strip()}"
        try:
            with pytest.raises(LearnetError, match="a process of nobody answers"):
                check_scheduler(address, TIMEOUT_S)
            assert process.poll() is None  # nobody has connected
        finally:
            process.kill()
