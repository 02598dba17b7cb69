"""Where the YuNet face model lies, and the one place in learnet that uses the network: fetching it."""

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from learnet.core.errors import BadInput, LearnetError

MODEL_NAME = "yunet_n_640_640.onnx"
MODEL_URL = (
    "https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/master/onnx/" + MODEL_NAME
)  # Apache-2.0
MODEL_SHA256 = "25a606a145a5b6d7271ae138fbd00eba91dad8b83222ae3f2c7ecd0f4a7b0e31"
MODEL_VARIABLE = "LEARNET_FACE_MODEL"  # environment variable that names the file


def cached_model() -> Path:
    """Where `fetch_model` puts the model: the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "learnet" / MODEL_NAME


def find_model(given: Path | None = None) -> Path | None:
    """The YuNet model file: the one given, else the one LEARNET_FACE_MODEL names, else the one in the user's cache.

    Returns:
        The file, or None where nothing was asked for and the cache holds none.

    Raises:
        BadInput: the file given, or named by LEARNET_FACE_MODEL, does not exist.
    """
    named = os.environ.get(MODEL_VARIABLE)
    asked = given or (Path(named) if named else None)
    if asked is None:
        return cached_model() if cached_model().is_file() else None
    if not asked.is_file():
        source = "" if given else f" (named by {MODEL_VARIABLE})"
        raise BadInput(
            asked,
            f"there is no such face model{source}",
            "Give the path of a YuNet .onnx file, or none to use Haar.",
        )
    return asked


def fetch_model(to: Path | None = None, url: str = MODEL_URL) -> Path:
    """Fetch the YuNet model (Apache-2.0) once, and check that it is the file this program was tested with.

    Args:
        to: file to write; the user's cache where None. A good file that is there already is kept and nothing is fetched.
        url: where to fetch it.

    Returns:
        The model file. It appears whole or not at all.

    Raises:
        LearnetError: no network, no such address, or the file that came is another one.
    """
    to = to or cached_model()
    if to.is_file() and hashlib.sha256(to.read_bytes()).hexdigest() == MODEL_SHA256:
        return to
    by_hand = f"Put {MODEL_NAME} there by hand ({to}), or use --face haar, which needs no model."
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            content = answer.read()
    except (
        OSError,
        http.client.HTTPException,
        ValueError,
    ) as error:  # URLError and time-outs are OSErrors; ValueError: no address at all
        reason = getattr(error, "reason", None) or error
        raise LearnetError(f"The face model could not be fetched from {url}: {reason}.", by_hand) from error
    found = hashlib.sha256(content).hexdigest()
    if found != MODEL_SHA256:
        raise LearnetError(
            f"What came from {url} is not the face model (SHA-256 {found[:12]}…, not {MODEL_SHA256[:12]}…).",
            by_hand,
        )
    _write_whole(to, content)
    return to


def _write_whole(to: Path, content: bytes) -> None:
    """Write beside the place and then rename, so that a kill or a full disk leaves no half file."""
    part = None
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=to.parent, prefix=to.name, delete=False) as file:
            part = Path(file.name)
            file.write(content)
        part.chmod(0o644)  # a temporary file is for its owner alone
        part.replace(to)
    except OSError as error:
        if part is not None:
            part.unlink(missing_ok=True)
        raise BadInput(
            to, f"the face model cannot be written here ({error.strerror})", "Choose another place."
        ) from error
