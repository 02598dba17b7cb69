"""Look at a Dask scheduler before Dask connects to it.

Dask unpickles what it is sent, so whoever answers at the address can run any code here. Therefore an address
is used only if nobody else can answer there, and it is looked at without Dask, which would unpickle the
answer.
"""

import ipaddress
import socket
import struct
import sys
import time
from typing import Any
from urllib.parse import urlsplit

import msgspec

from learnet.core.errors import LearnetError

HIGHEST_PICKLE_PROTOCOL = 4  # told to the scheduler; nothing is pickled here
LARGEST_ANSWER = 64 * 2**20  # bytes
LENGTH = struct.Struct("Q")
NOT_DASK = "what answers there does not speak Dask"


def check_scheduler(address: str, timeout_s: float) -> None:
    """Check that a scheduler answers at an address where nobody else could.

    `tcp://` is accepted on this machine, from a process of the same user. `tls://` needs certificates in
    Dask's configuration.

    Raises:
        LearnetError: somebody else can answer there.
        OSError: nobody answers in time.
        ValueError: this is no address of a scheduler.
    """
    from distributed.comm import get_address_host_port
    from distributed.security import Security

    host, port = get_address_host_port(address)
    scheme = urlsplit(address).scheme or "tcp"
    context = None
    if scheme == "tls":
        context = Security().get_connection_args("client")["ssl_context"]
        if context is None:
            raise ValueError("Dask's configuration names no certificates for TLS")
    elif scheme == "tcp":
        _check_local(address, host, port)
    else:
        raise ValueError("an address begins with tcp:// or tls://")
    deadline = time.monotonic() + timeout_s
    with socket.create_connection((host, port), timeout_s) as plain:
        connection = context.wrap_socket(plain, server_hostname=host) if context else plain
        kind = _ask_type(connection, deadline)
    if kind != "Scheduler":
        raise ValueError(f"it is the address of a {kind.lower()}")


def _check_local(address: str, host: str, port: int) -> None:
    """Check that only this user can answer at an address without encryption.

    Raises:
        LearnetError: it is on another machine, or a process of another user answers.
        OSError: there is no such host.
    """
    addresses = {entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    if not all(ipaddress.ip_address(one).is_loopback for one in addresses):
        raise LearnetError(
            f"{address} is on another machine, where anybody in the network could answer and run code here.",
            "Use tls:// with certificates of your own (docs/cluster.md).",
        )
    import psutil  # comes with Dask

    me = psutil.Process().username()
    for connection in psutil.net_connections(kind="tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
            # The system does not name the processes of other users.
            owner = psutil.Process(connection.pid).username() if connection.pid else "another user"
            if owner != me:
                wrong = f"At {address} a process of {owner} answers, which could run code here."
                raise LearnetError(wrong, "Use tls:// with certificates of your own (docs/cluster.md).")


def _ask_type(connection: socket.socket, deadline: float) -> str:
    """Ask a process of Dask what it is.

    Raises:
        OSError: no answer in time.
        ValueError: it does not speak Dask.
    """
    greeting = {
        "compression": None,
        "python": tuple(sys.version_info)[:3],
        "pickle-protocol": HIGHEST_PICKLE_PROTOCOL,
    }
    _send(connection, greeting)
    _receive(connection, deadline)  # its greeting
    _send(connection, {"op": "identity", "reply": True})
    answer = _receive(connection, deadline)
    kind = answer.get("type") if isinstance(answer, dict) else None
    if not isinstance(kind, str):
        raise ValueError(NOT_DASK)
    return kind


def _send(connection: socket.socket, message: object) -> None:
    """Send a message as Dask does: a length, the number of frames and their lengths, and one frame."""
    frame = msgspec.msgpack.encode(message)
    content = LENGTH.pack(1) + LENGTH.pack(len(frame)) + frame
    connection.sendall(LENGTH.pack(len(content)) + content)


def _receive(connection: socket.socket, deadline: float) -> Any:
    """Return the first frame of a message, as plain values; others, which may be pickles, are not decoded.

    Raises:
        OSError: it does not come in time.
        ValueError: it is no message of Dask.
    """
    (size,) = LENGTH.unpack(_read(connection, LENGTH.size, deadline))
    content = _read(connection, size, deadline)
    if size < LENGTH.size:
        raise ValueError(NOT_DASK)
    (frames,) = LENGTH.unpack_from(content)
    start = LENGTH.size * (1 + frames)
    if frames == 0 or size < start:
        raise ValueError(NOT_DASK)
    (length,) = LENGTH.unpack_from(content, LENGTH.size)
    missing = max(start + length - size, 0)  # long frames follow by themselves
    frame = content[start : start + length] + _read(connection, missing, deadline)
    try:
        return msgspec.msgpack.decode(frame)
    except (msgspec.DecodeError, RecursionError):
        raise ValueError(NOT_DASK) from None


def _read(connection: socket.socket, size: int, deadline: float) -> bytes:
    """Read exactly so many bytes."""
    if size > LARGEST_ANSWER:
        raise ValueError(NOT_DASK)
    content = bytearray()
    while len(content) < size:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        connection.settimeout(left_s)
        try:
            part = connection.recv(size - len(content))
        except TimeoutError:
            raise TimeoutError from None  # without the words of the system
        if not part:
            raise ValueError(NOT_DASK)
        content += part
    return bytes(content)
