"""Locating and downloading the face model, from a server on the loopback address of this machine."""

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import platformdirs
import pooch
import pytest

from learnet.core.errors import BadInput, LearnetError
from learnet.face.model import MODEL_NAME, MODEL_SHA256, MODEL_URL, MODEL_VARIABLE, fetch_model, find_model


@pytest.fixture(autouse=True)
def cached_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model in an empty cache folder; the environment variable is not set."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(MODEL_VARIABLE, raising=False)
    return tmp_path / "cache" / "learnet" / MODEL_NAME


@pytest.fixture
def other_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model in the cache folder of a system whose cache folder is not the one that learnet 0.1.0 used."""
    folder = tmp_path / "Library" / "Caches" / "learnet"
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, appauthor: folder)
    return folder / MODEL_NAME


class _Server(BaseHTTPRequestHandler):
    content = b""
    announced_length = None  # None: the actual one
    requests = 0

    def do_GET(self) -> None:
        type(self).requests += 1
        if self.path.endswith("missing"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(self.announced_length or len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[type[_Server], str]]:
    handler = type("Handler", (_Server,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield handler, f"http://127.0.0.1:{running.server_port}/{MODEL_NAME}"
        running.shutdown()
        thread.join()


def test_the_model_is_downloaded_whole_and_once(server: tuple, shared: Path, cached_file: Path) -> None:
    handler, url = server
    handler.content = (shared / "models" / MODEL_NAME).read_bytes()
    assert fetch_model(url=url) == cached_file
    assert cached_file.read_bytes() == handler.content
    assert fetch_model(url=url) == cached_file
    assert handler.requests == 1
    assert find_model() == cached_file
    cached_file.write_bytes(b"half a fi")  # a damaged file is replaced
    fetch_model(url=url)
    assert cached_file.read_bytes() == handler.content
    assert handler.requests == 2
    assert list(cached_file.parent.iterdir()) == [cached_file]


def test_pooch_is_quiet_and_its_logger_left_as_it_was(server: tuple, shared: Path, cached_file: Path) -> None:
    """By default pooch writes a line to stderr for every download."""
    handler, url = server
    handler.content = (shared / "models" / MODEL_NAME).read_bytes()
    records: list[logging.LogRecord] = []
    listener = logging.Handler()
    listener.emit = records.append  # type: ignore[method-assign]
    logger = pooch.get_logger()
    level = logger.level
    logger.addHandler(listener)
    try:
        fetch_model(url=url)
        with pytest.raises(LearnetError):
            fetch_model(cached_file.with_name("other.onnx"), url + "missing")
    finally:
        logger.removeHandler(listener)
    assert records == []
    assert logger.level == level != logging.WARNING


def test_another_file_is_refused_and_nothing_is_kept(server: tuple, tmp_path: Path) -> None:
    handler, url = server
    handler.content = b"<html>sign in to the hotel's network</html>"
    with pytest.raises(LearnetError, match="not the face model"):
        fetch_model(tmp_path / "new" / "model.onnx", url)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("failure", ["missing", "truncated", "no server", "no address"])
def test_a_failing_network_is_one_line_with_a_way_out(server: tuple, tmp_path: Path, failure: str) -> None:
    handler, url = server
    handler.content = b"abc"
    handler.announced_length = 1000 if failure == "truncated" else None
    urls = {
        "missing": url + "missing",
        "truncated": url,
        "no server": "http://127.0.0.1:9/x",
        "no address": "nowhere",
    }
    with pytest.raises(LearnetError, match="could not be fetched") as caught:
        fetch_model(tmp_path / "model.onnx", urls[failure])
    assert "--face haar" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.glob("**/*.onnx*")) == []


def test_the_reason_of_a_failure_is_short(server: tuple, tmp_path: Path) -> None:
    """Not the chain of exceptions that requests puts into its message."""
    with pytest.raises(LearnetError, match="from http://127.0.0.1:9/x: Connection refused"):
        fetch_model(tmp_path / "model.onnx", "http://127.0.0.1:9/x")


def test_an_unwritable_place_is_an_error(server: tuple, shared: Path, tmp_path: Path) -> None:
    handler, url = server
    handler.content = (shared / "models" / MODEL_NAME).read_bytes()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadInput, match="cannot be written"):
        fetch_model(tmp_path / "file" / "model.onnx", url)


def test_the_path_precedes_the_variable_precedes_the_cache(
    tmp_path: Path, cached_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    argument, named = tmp_path / "argument.onnx", tmp_path / "named.onnx"
    for path in (argument, named, cached_file):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    assert find_model() == cached_file
    monkeypatch.setenv(MODEL_VARIABLE, str(named))
    assert find_model() == named
    assert find_model(argument) == argument
    named.unlink()
    with pytest.raises(BadInput, match=f"named by {MODEL_VARIABLE}"):
        find_model()
    with pytest.raises(BadInput, match="no such face model"):
        find_model(tmp_path / "nothing.onnx")


def test_the_cache_folder_of_0_1_0_is_still_searched(
    server: tuple, shared: Path, cached_file: Path, other_system: Path
) -> None:
    """Version 0.1.0 used ~/.cache on every system; the new cache folder comes first."""
    handler, url = server
    content = (shared / "models" / MODEL_NAME).read_bytes()
    cached_file.parent.mkdir(parents=True)
    cached_file.write_bytes(content)
    assert find_model() == cached_file
    assert fetch_model(url=url) == cached_file
    assert handler.requests == 0
    other_system.parent.mkdir(parents=True)
    other_system.write_bytes(content)
    assert find_model() == other_system


def test_the_model_is_downloaded_to_the_cache_folder_of_the_system(
    server: tuple, shared: Path, cached_file: Path, other_system: Path
) -> None:
    handler, url = server
    handler.content = (shared / "models" / MODEL_NAME).read_bytes()
    assert fetch_model(url=url) == other_system
    assert other_system.read_bytes() == handler.content
    assert not cached_file.exists()


def test_no_model_is_no_error() -> None:
    assert find_model() is None


def test_the_digest_is_complete_and_the_address_is_secure() -> None:
    assert len(MODEL_SHA256) == 64
    assert MODEL_URL.startswith("https://")
    assert MODEL_URL.endswith(MODEL_NAME)
