"""ONNX files as bytes, looked through before onnxruntime runs anything in them.

An ONNX file is a message of Protocol Buffers. Only the few fields that decide whether it may be run are read
here, because onnxruntime does not show the nodes of a graph.
"""

from collections.abc import Iterator
from pathlib import Path

from learnet.core.errors import BadCheckpoint
from learnet.core.files import sha256_hex

CHECKSUM_KEY = "sha256"
COPY_AGAIN = "Copy it again, or write it again with `learnet export`."

# Numbers of fields, from onnx.proto.
_GRAPH, _METADATA, _FUNCTIONS = 7, 14, 25  # of a model
_NODE, _INITIALIZER, _SPARSE_INITIALIZER = 1, 5, 15  # of a graph
_ATTRIBUTE = 5  # of a node
_TENSOR, _SUBGRAPH, _TENSORS, _SUBGRAPHS = 5, 6, 10, 11  # of an attribute
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # of a tensor

_VARINT, _LENGTH = 0, 2  # types of fields
_FIXED = {1: 8, 5: 4}  # types of fields of a fixed number of bytes

Field = tuple[int, int | memoryview]


def add_checksum(content: bytes) -> bytes:
    """Return the content of a file with its SHA-256 as the last entry of its metadata."""
    return content + _checksum_entry(sha256_hex(content))


def check_file(path: Path, content: bytes) -> None:
    """Refuse a file that is damaged, or whose graph could run on without end or read other files.

    Files of earlier versions and of others have no checksum.

    Raises:
        BadCheckpoint: see above; `path` is for error messages.
    """
    try:
        _check_checksum(path, content)
        for number, value in _fields(memoryview(content)):
            if number == _GRAPH:
                _check_graph(path, _bytes(value))
            if number == _FUNCTIONS:
                raise BadCheckpoint(path, "its graph calls functions, which are not run", COPY_AGAIN)
    except _NotProtobufError:
        raise BadCheckpoint(path, "not an ONNX file, damaged or cut off", COPY_AGAIN) from None


class _NotProtobufError(Exception):
    """Bytes that are no message of Protocol Buffers."""


def _checksum_entry(digest: str) -> bytes:
    """Return an entry of the metadata as bytes: concatenated messages are one message."""
    key, value = CHECKSUM_KEY.encode(), digest.encode()
    pair = bytes([1 << 3 | _LENGTH, len(key)]) + key + bytes([2 << 3 | _LENGTH, len(value)]) + value
    return bytes([_METADATA << 3 | _LENGTH, len(pair)]) + pair


def _check_checksum(path: Path, content: bytes) -> None:
    entry = _checksum_entry(64 * "0")
    body, end = content[: -len(entry)], content[-len(entry) :]
    if not end.startswith(entry[:-64]):
        return
    if end != _checksum_entry(sha256_hex(body)):
        problem = "it was damaged or changed after it was written: its checksum differs"
        raise BadCheckpoint(path, problem, COPY_AGAIN)


def _check_graph(path: Path, graph: memoryview) -> None:
    for number, value in _fields(graph):
        if number == _NODE:
            _check_node(path, _bytes(value))
        if number == _INITIALIZER:
            _check_tensor(path, _bytes(value))
        if number == _SPARSE_INITIALIZER:
            raise BadCheckpoint(path, "it has sparse tensors, which are not read", COPY_AGAIN)


def _check_node(path: Path, node: memoryview) -> None:
    for number, value in _fields(node):
        if number != _ATTRIBUTE:
            continue
        for part, content in _fields(_bytes(value)):
            if part in (_SUBGRAPH, _SUBGRAPHS):
                problem = "its graph has loops or branches, which could run without end"
                raise BadCheckpoint(path, problem, "Use a file of `learnet export`.")
            if part in (_TENSOR, _TENSORS):
                _check_tensor(path, _bytes(content))


def _check_tensor(path: Path, tensor: memoryview) -> None:
    for number, value in _fields(tensor):
        if number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0):
            problem = "its weights are in another file, which is not opened"
            raise BadCheckpoint(path, problem, "Use a file of `learnet export`, which has them inside.")


def _fields(message: memoryview) -> Iterator[Field]:
    """Yield number and value of each field of a message.

    Raises:
        _NotProtobufError: the bytes are no message.
    """
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        length = _FIXED.get(kind, 0)
        if kind == _LENGTH:
            length, position = _varint(message, position)
        end = position + length
        if not number or end > len(message) or (kind != _LENGTH and not length):
            raise _NotProtobufError
        yield number, message[position:end]
        position = end


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return a number of variable length, and the position after it."""
    number = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            break
        byte = message[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
    raise _NotProtobufError


def _bytes(value: int | memoryview) -> memoryview:
    """Return the value of a field that must hold bytes."""
    if isinstance(value, int):
        raise _NotProtobufError
    return value
