"""Studies on a real Dask cluster: a scheduler and worker processes of their own, which die, come late, see no
data or do not fit."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnet.core.errors import LearnetError
from learnet.core.settings import Resources, Study, Training
from learnet.datasets.prepared.record import PrepareRecord
from learnet.datasets.prepared.store import save_prepared
from learnet.study import cluster
from learnet.study.cluster import connect, parallel_map_on_cluster
from learnet.study.cluster_worker import name_of
from learnet.study.run import run_study
from tests.builders import errands
from tests.builders.commands import HANG_S

distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent
WORDS = ("happiness", "disgust", "surprise")
QUICK = Training(epochs=2, batch_size=8)
ASKED = Study(classes="casme2-5", seeds=2)  # over four people: eight trainings
OPTIONS = (
    "--classes",
    "casme2-5",
    "--seeds",
    "2",
    "--epochs",
    "2",
    "--batch-size",
    "8",
)  # the same for the command

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/cwd").exists(), reason="needs a path that means another place for every process"
)


def write_prepared(out: Path, seed: int = 0) -> Path:
    """Four people with three small images each."""
    rng = np.random.default_rng(seed)
    rows = [
        {
            "image": 3 * person + place,
            "clip": f"casme2/{person}/{place}",
            "dataset": "casme2",
            "subject": str(person),
            "onset": 1,
            "person": f"casme2/{person}",
            "name": str(place),
            "emotion": WORDS[place],
            "offset": 9,
            "fps": 200,
            "frames": 9,
        }
        for person in range(4)
        for place in range(3)
    ]
    record = PrepareRecord(imported=True, preparation=None, images_kind="image", synthetic=True, inputs="x")
    images = rng.integers(0, 256, (12, 28, 28, 3), dtype=np.uint8)
    save_prepared(out, images, pd.DataFrame(rows), record, [])
    return out


def bytes_of(study: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(study)): p.read_bytes()
        for p in sorted(study.rglob("*"))
        if p.is_file() and p.name != "run.json"
    }


def lines_in(file: Path) -> int:
    return len(file.read_text().splitlines()) if file.is_file() else 0


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Crew:
    """A scheduler on this machine only, and the workers that a test asks for, each in a folder of its own."""

    def __init__(self, place: Path, protocol: str = "tcp", keys: dict[str, str] | None = None) -> None:
        self.place, self.processes = place, []
        known = {
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            **(keys or {}),
        }
        self.here = {**os.environ, **known, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
        self.scheduler = self._start(
            place,
            "scheduler",
            "--protocol",
            protocol,
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--scheduler-file",
            str(place / "s.json"),
        )
        until(lambda: (place / "s.json").is_file() and (place / "s.json").stat().st_size > 0)
        self.address = json.loads((place / "s.json").read_text())["address"]

    def worker(self, name: str, threads: int = 1, path: str = "") -> subprocess.Popen:
        """Start a worker; killing the process kills it, for it has no nanny. PATH is where it looks first for
        packages."""
        words = (
            "--no-nanny",
            "--name",
            name,
            "--host",
            "127.0.0.1",
            "--local-directory",
            str(self.place / name),
            "--nthreads",
        )
        return self._start(self.room(name), "worker", self.address, *words, str(threads), path=path)

    def room(self, name: str) -> Path:
        """The folder that a worker is started in."""
        (self.place / f"room-{name}").mkdir(exist_ok=True)
        return self.place / f"room-{name}"

    def ask(self, question: Callable) -> object:
        """What a client of the scheduler sees: `question(client)`."""
        with distributed.Client(self.address, set_as_default=False) as client:
            return question(client)

    def wait_for(self, count: int) -> None:
        self.ask(lambda client: client.wait_for_workers(count, timeout=HANG_S))

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill()
        for process in self.processes:
            process.wait(HANG_S)

    def _start(self, room: Path, *words: str, path: str = "") -> subprocess.Popen:
        env = {**self.here, "PYTHONPATH": path + os.pathsep + self.here["PYTHONPATH"]} if path else self.here
        with (self.place / f"{len(self.processes)}.log").open("w") as log:
            process = subprocess.Popen(
                [BIN / "dask", *words, "--dashboard-address", "127.0.0.1:0"],
                stdout=log,
                stderr=log,
                cwd=room,
                env=env,
            )
        self.processes.append(process)
        return process


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    (tmp_path / "crew").mkdir()
    found = Crew(tmp_path / "crew")
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prepared(tmp_path_factory.mktemp("data") / "prepared")


@pytest.fixture(scope="module")
def local(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the study gives without a cluster."""
    out = tmp_path_factory.mktemp("local") / "study"
    run_study(prepared, out, ASKED, QUICK, Resources(jobs=1))
    return bytes_of(out)


@needs_proc
def test_a_worker_is_killed_and_the_outcomes_are_the_same(
    crew: Crew, prepared: Path, local: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither sees the data, as on machines that share no disk: at their path one has another prepared
    folder, one has nothing."""
    assert name_of(write_prepared(crew.room("a") / "prepared", seed=1)) != name_of(prepared)
    workers = {name: crew.worker(name) for name in "ab"}
    crew.wait_for(2)
    killed: list[str] = []

    def kill_one(finished: int, total: int) -> None:
        """Stop both for a moment, and kill one that has work in its hands then."""
        if finished < 2 or killed:
            return
        for worker in workers.values():
            worker.send_signal(signal.SIGSTOP)
        names = {
            address: about["id"]
            for address, about in crew.ask(lambda client: client.scheduler_info(-1)["workers"]).items()
        }
        busy = [
            names[address] for address, work in crew.ask(lambda client: client.processing()).items() if work
        ]
        killed.extend(sorted(busy)[:1])
        for name, worker in workers.items():
            worker.send_signal(signal.SIGKILL if name in killed else signal.SIGCONT)

    monkeypatch.chdir(prepared.parent)
    run_study(
        Path("/proc/self/cwd/prepared"),
        Path("/proc/self/cwd/study"),
        ASKED,
        QUICK,
        Resources(cluster=crew.address),
        progress=kill_one,
    )
    assert len(killed) == 1
    assert workers.pop(killed[0]).wait(HANG_S) == -signal.SIGKILL
    assert all(worker.poll() is None for worker in workers.values())
    found = bytes_of(prepared.parent / "study")
    assert found.pop("study.json").replace(b"/proc/self/cwd", bytes(prepared.parent)) == local["study.json"]
    assert found == {name: content for name, content in local.items() if name != "study.json"}
    assert len([name for name in found if name.startswith("folds/")]) == 8
    assert not list(
        crew.place.glob("room-*/study")
    )  # the weights came back; no worker wrote them where it stands


def test_nothing_is_lost_when_the_client_and_then_the_scheduler_are_killed(
    crew: Crew, prepared: Path, local: dict, tmp_path: Path
) -> None:
    """The same command goes on where it stopped, without the cluster even, and ends with the same bytes."""
    crew.worker("a")
    crew.wait_for(1)
    out = tmp_path / "study"
    for done, victim in ((3, "client"), (9, "scheduler")):
        command = [BIN / "learnet", "study", prepared, out, *OPTIONS, "--cluster", crew.address]
        run = subprocess.Popen(command, env=crew.here, stderr=subprocess.PIPE, text=True)
        until(lambda run=run, done=done: run.poll() is not None or lines_in(out / "outcomes.csv") > done)
        (run if victim == "client" else crew.scheduler).kill()
        said = run.communicate(timeout=HANG_S)[1]
        assert run.returncode == (-signal.SIGKILL if victim == "client" else 2), said
    assert re.fullmatch(
        r"learnet: The scheduler at [^\n]* no longer answers[^\n]*the same command continues[^\n]*\n", said
    ), said
    steps: list[int] = []
    run_study(
        prepared,
        out,
        ASKED,
        QUICK,
        Resources(jobs=1),
        progress=lambda finished, total: steps.append(finished),
    )
    assert steps[0] > 3
    assert bytes_of(out) == local


def test_a_worker_that_joins_late_is_looked_at_and_used(crew: Crew, prepared: Path, tmp_path: Path) -> None:
    crew.worker("a")
    crew.wait_for(1)
    with connect(crew.address, errands.nothing) as found:
        answers = parallel_map_on_cluster(
            found, partial(errands.tell, log=tmp_path / "log"), range(400), prepared
        )
        assert next(answers) == 0
        crew.worker("b", threads=2)
        crew.wait_for(2)
        with pytest.raises(LearnetError, match="runs 2 threads in one process.*the same command continues"):
            list(answers)


@needs_proc
def test_content_is_sent_once_to_each_worker_and_removed(
    crew: Crew, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies at the path for the worker has the right tables and images with one bit wrong: it is not
    used."""
    shutil.copytree(prepared, crew.room("a") / "prepared")
    pixels = (prepared / "images.npy").read_bytes()
    (crew.room("a") / "prepared" / "images.npy").write_bytes(pixels[:-1] + bytes([pixels[-1] ^ 1]))
    crew.worker("a")
    crew.wait_for(1)
    monkeypatch.chdir(prepared.parent)
    monkeypatch.setattr(cluster, "CHUNK_BYTES", 1000)
    with connect(crew.address, errands.nothing) as found:
        answers = parallel_map_on_cluster(
            found, partial(errands.tell, log=tmp_path / "log"), range(10), Path("/proc/self/cwd/prepared")
        )
        assert list(answers) == [piece * piece for piece in range(10)]
        assert list(crew.place.glob("**/learnet-*/images.npy"))
    places = (tmp_path / "log").read_text().splitlines()
    assert len(places) == 10 and len(set(places)) == 1
    assert Path(places[0].split()[0]).is_relative_to(crew.place / "a")
    assert not Path(places[0].split()[0]).exists()


def test_a_piece_that_kills_its_workers_ends_in_one_line(crew: Crew, prepared: Path) -> None:
    for name in "abc":
        crew.worker(name)
    crew.wait_for(3)
    with (
        connect(crew.address, errands.nothing) as found,
        pytest.raises(LearnetError, match="2 workers died while they ran it") as caught,
    ):
        list(parallel_map_on_cluster(found, errands.die, range(4), prepared))
    assert "\n" not in str(caught.value)


def test_an_unreachable_scheduler_leaves_nothing_behind(prepared: Path, tmp_path: Path) -> None:
    command = [BIN / "learnet", "study", prepared, tmp_path / "study", "--cluster", "tcp://127.0.0.1:9"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, check=False)
    assert done.returncode == 2
    assert re.fullmatch(r"learnet: No Dask scheduler answers at tcp://127.0.0.1:9 [^\n]+\n", done.stderr), (
        done.stderr
    )
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("greeting", "why"),
    [(b"", "no answer in"), (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak Dask")],
)
def test_a_port_where_somebody_else_listens(
    greeting: bytes, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A web server, and one that takes the connection and says nothing: without a look first, Dask's client
    waits for ever."""
    monkeypatch.setattr(cluster, "CONNECT_TIMEOUT_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            with server.accept()[0] as line, suppress(ConnectionError):
                line.sendall(greeting)
                line.recv(10_000), line.recv(10_000)

        threading.Thread(target=greet, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with (
            pytest.raises(LearnetError, match=f"No Dask scheduler answers at {address} .*{why}"),
            connect(address, errands.nothing),
        ):
            pass


@pytest.mark.parametrize(
    "address", ["nonsense", "tcp://127.0.0.1", "smoke://127.0.0.1:9", "tls://127.0.0.1:9"]
)
def test_what_is_no_address(address: str) -> None:
    with (
        pytest.raises(LearnetError, match=f"No Dask scheduler answers at {address}"),
        connect(address, errands.nothing),
    ):
        pass


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(LearnetError, match=r"pip install 'learnet\[cluster\]'"),
        connect("tcp://127.0.0.1:9", errands.nothing),
    ):
        pass


def stub(place: Path, package: str) -> str:
    """A folder that makes a process believe that it has version 0.0.1 of a package."""
    (place / f"{package}-0.0.1.dist-info").mkdir(parents=True)
    (place / f"{package}-0.0.1.dist-info" / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.0.1\n"
    )
    return str(place)


def test_no_workers_and_workers_that_do_not_fit(
    crew: Crew, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_TIMEOUT_S", 2.0)
    changed = tmp_path / "changed"  # learnet of the same version, with other code
    shutil.copytree(Path(cluster.__file__).parents[1], changed / "learnet")
    (changed / "learnet" / "core" / "labels.py").open("a").write("\n")
    faults = {
        "The scheduler at tcp://.* has no workers": None,
        "The worker tcp://.* has torch 0.0.1, and here it is": stub(tmp_path / "torch", "torch"),
        "The worker tcp://.* has learnet 0.0.1, and here it is 0.1.0": stub(tmp_path / "learnet", "learnet"),
        "The worker tcp://.* has learnet's code .*, and here it is": str(changed),
    }
    for says, path in faults.items():
        worker = crew.worker("odd", path=path) if path else None
        if worker:
            crew.wait_for(1)
        with pytest.raises(LearnetError, match=says), connect(crew.address, errands.numbers):
            pass
        if worker:
            worker.kill(), worker.wait()


def certificates(place: Path) -> dict[str, str]:
    """An authority and a certificate, as docs/cluster.md makes them, and the environment that names them."""
    place.mkdir()
    ca, key = "-CA ca.pem -CAkey ca.key -CAcreateserial", "rsa:2048 -nodes"
    for words in (
        f"req -x509 -newkey {key} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem",
        f"req -newkey {key} -subj /CN=cluster -keyout dask.key -out dask.csr",
        f"x509 -req -in dask.csr {ca} -days 2 -out dask.pem",
    ):
        subprocess.run(["openssl", *words.split()], cwd=place, check=True, capture_output=True)
    tls = "DASK_DISTRIBUTED__COMM__TLS__"
    names = {f"{tls}CA_FILE": str(place / "ca.pem")}
    for role in ("CLIENT", "SCHEDULER", "WORKER"):
        names[f"{tls}{role}__CERT"] = str(place / "dask.pem")
        names[f"{tls}{role}__KEY"] = str(place / "dask.key")
    return names


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
def test_certificates_encrypt_a_cluster_and_tell_who_answers(
    prepared: Path, local: dict, tmp_path: Path
) -> None:
    """The same bytes as without a cluster; a scheduler whose authority is another one is refused."""
    keys, others = certificates(tmp_path / "keys"), certificates(tmp_path / "other-keys")
    (tmp_path / "crew").mkdir()
    crew = Crew(tmp_path / "crew", "tls", keys)
    try:
        assert crew.address.startswith("tls://127.0.0.1:")
        crew.worker("a")
        command = [
            BIN / "learnet",
            "study",
            prepared,
            tmp_path / "study",
            *OPTIONS,
            "--cluster",
            crew.address,
        ]
        until(lambda: "Registered to" in (crew.place / "1.log").read_text())
        refused = subprocess.run(
            command, env={**crew.here, **others}, capture_output=True, text=True, timeout=HANG_S, check=False
        )
        done = subprocess.run(
            command, env=crew.here, capture_output=True, text=True, timeout=HANG_S, check=False
        )
    finally:
        crew.stop()
    assert refused.returncode == 2
    assert re.fullmatch(
        r"learnet: No Dask scheduler answers at tls:[^\n]+certificate[^\n]+\n", refused.stderr
    )
    assert done.returncode == 0, done.stderr
    assert bytes_of(tmp_path / "study") == local
