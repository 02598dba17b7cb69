"""Finding and fetching the face model; the network is a server on the loopback address of this machine."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from learnet.core.errors import BadInput, LearnetError
from learnet.face.model import MODEL_NAME, MODEL_SHA256, MODEL_URL, MODEL_VARIABLE, fetch_model, find_model


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's cache that is empty, and no variable set."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(MODEL_VARIABLE, raising=False)
    return tmp_path / "cache" / "learnet" / MODEL_NAME


class _Answers(BaseHTTPRequestHandler):
    content = b""
    promised = None  # length announced; None: the true one
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        if self.path.endswith("missing"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(self.promised or len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[type[_Answers], str]]:
    answers = type("Answers", (_Answers,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), answers) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield answers, f"http://127.0.0.1:{running.server_port}/{MODEL_NAME}"
        running.shutdown()
        thread.join()


def test_the_model_is_fetched_whole_and_once(server: tuple, shared: Path, empty_home: Path) -> None:
    answers, url = server
    answers.content = (shared / "models" / MODEL_NAME).read_bytes()
    assert fetch_model(url=url) == empty_home
    assert empty_home.read_bytes() == answers.content
    assert fetch_model(url=url) == empty_home and answers.asked == 1
    assert find_model() == empty_home
    empty_home.write_bytes(b"half a fi")  # a file that went bad is replaced
    fetch_model(url=url)
    assert empty_home.read_bytes() == answers.content and answers.asked == 2
    assert list(empty_home.parent.iterdir()) == [empty_home]


def test_another_file_is_refused_and_nothing_is_kept(server: tuple, tmp_path: Path) -> None:
    answers, url = server
    answers.content = b"<html>sign in to the hotel's network</html>"
    with pytest.raises(LearnetError, match="not the face model"):
        fetch_model(tmp_path / "new" / "model.onnx", url)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("wrong", ["missing", "cut off", "nobody there", "no address"])
def test_a_failing_network_says_so_and_what_to_do(server: tuple, tmp_path: Path, wrong: str) -> None:
    answers, url = server
    answers.content, answers.promised = b"abc", 1000 if wrong == "cut off" else None
    bad = {
        "missing": url + "missing",
        "cut off": url,
        "nobody there": "http://127.0.0.1:9/x",
        "no address": "nowhere",
    }[wrong]
    with pytest.raises(LearnetError, match="could not be fetched") as caught:
        fetch_model(tmp_path / "model.onnx", bad)
    assert "--face haar" in str(caught.value) and "\n" not in str(caught.value)
    assert list(tmp_path.glob("**/*.onnx*")) == []


def test_a_place_that_cannot_be_written_is_told(server: tuple, shared: Path, tmp_path: Path) -> None:
    answers, url = server
    answers.content = (shared / "models" / MODEL_NAME).read_bytes()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadInput, match="cannot be written"):
        fetch_model(tmp_path / "file" / "model.onnx", url)


def test_the_model_given_comes_before_the_variable_before_the_cache(
    tmp_path: Path, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, named = tmp_path / "given.onnx", tmp_path / "named.onnx"
    for path in (given, named, empty_home):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    assert find_model() == empty_home
    monkeypatch.setenv(MODEL_VARIABLE, str(named))
    assert find_model() == named
    assert find_model(given) == given
    named.unlink()
    with pytest.raises(BadInput, match=f"named by {MODEL_VARIABLE}"):
        find_model()
    with pytest.raises(BadInput, match="no such face model"):
        find_model(tmp_path / "nothing.onnx")


def test_no_model_is_no_error() -> None:
    assert find_model() is None


def test_the_pin_is_a_whole_hash_and_the_address_is_safe() -> None:
    assert len(MODEL_SHA256) == 64 and MODEL_URL.startswith("https://") and MODEL_URL.endswith(MODEL_NAME)
