"""Locate and download the YuNet face model. Only `fetch_model` uses the network."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from learnet.core.errors import BadInput, LearnetError
from learnet.core.files import sha256_hex, write_atomically

MODEL_NAME = "yunet_n_640_640.onnx"
MODEL_URL = (
    "https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/master/onnx/" + MODEL_NAME
)  # Apache-2.0
MODEL_SHA256 = "25a606a145a5b6d7271ae138fbd00eba91dad8b83222ae3f2c7ecd0f4a7b0e31"
MODEL_VARIABLE = "LEARNET_FACE_MODEL"  # environment variable with the path of the file
TIMEOUT_S = 60


def cached_model() -> Path:
    """Return where `fetch_model` stores the model: in the user's cache folder for learnet."""
    return platformdirs.user_cache_path("learnet", appauthor=False) / MODEL_NAME


def _earlier_cached_model() -> Path:
    """Return where learnet 0.1.0 stored the model, on every operating system."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "learnet" / MODEL_NAME


def find_model(path: Path | None = None) -> Path | None:
    """Return the YuNet model file.

    Args:
        path: the file to use; by default the one that the environment variable LEARNET_FACE_MODEL names,
            otherwise the one in the user's cache folder.

    Returns:
        The file, or None where none was requested and the cache holds none.

    Raises:
        BadInput: `path`, or the file that LEARNET_FACE_MODEL names, does not exist.
    """
    variable = os.environ.get(MODEL_VARIABLE)
    requested = path or (Path(variable) if variable else None)
    if requested is None:
        for cached in (cached_model(), _earlier_cached_model()):
            if cached.is_file():
                return cached
        return None
    if not requested.is_file():
        source = "" if path else f" (named by {MODEL_VARIABLE})"
        raise BadInput(
            requested,
            f"there is no such face model{source}",
            "Give the path of a YuNet .onnx file, or none to use Haar.",
        )
    return requested


def fetch_model(to: Path | None = None, url: str = MODEL_URL) -> Path:
    """Download the YuNet model (Apache-2.0) once and verify its SHA-256.

    Args:
        to: file to write; by default in the user's cache folder. A valid file that exists already is kept,
            and nothing is downloaded.
        url: address of the model.

    Returns:
        The model file. It appears whole or not at all.

    Raises:
        LearnetError: no network, no such address, or the downloaded file is not the model.
        BadInput: the file cannot be written.
    """
    candidates = [cached_model(), _earlier_cached_model()] if to is None else [to]
    for candidate in candidates:
        if candidate.is_file() and sha256_hex(candidate.read_bytes()) == MODEL_SHA256:
            return candidate
    target = candidates[0]
    content = _download(url, target)
    try:
        write_atomically(target, content)
    except OSError as error:
        raise BadInput(
            target, f"the face model cannot be written here ({error.strerror})", "Choose another place."
        ) from error
    return target


def _download(url: str, target: Path) -> bytes:
    """Return the model downloaded from `url`; `target` is only named in error messages."""
    import pooch  # loads requests, which only this function needs

    hint = f"Put {MODEL_NAME} there by hand ({target}), or use the face finder haar (--face haar)."
    with tempfile.TemporaryDirectory(prefix="learnet-") as folder, _quiet(pooch.get_logger()):
        try:
            file = pooch.retrieve(
                url,
                known_hash=f"sha256:{MODEL_SHA256}",
                fname=MODEL_NAME,
                path=folder,
                downloader=pooch.HTTPDownloader(timeout=TIMEOUT_S),
            )
        except OSError as error:  # all errors of requests are OSErrors
            raise LearnetError(
                f"The face model could not be fetched from {url}: {_root_cause(error)}.", hint
            ) from error
        except ValueError as error:
            raise LearnetError(
                f"What came from {url} is not the face model: its SHA-256 differs.", hint
            ) from error
        return Path(file).read_bytes()


def _root_cause(error: BaseException) -> str:
    """Return the message of the error that all others followed from."""
    while error.__context__ is not None:
        error = error.__context__
    return getattr(error, "strerror", None) or str(error)


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Suppress informational messages of a logger for a while."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
