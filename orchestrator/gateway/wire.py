"""What goes over an SSH connection: no packets that carry nothing."""

from collections.abc import Callable
from typing import Any

import asyncssh

_IGNORE = 2  # SSH_MSG_IGNORE, RFC 4253


def send_no_filler(connection: asyncssh.SSHServerConnection) -> None:
    """Have a connection send no packet that its peer is to ignore.

    The library puts one before every packet, which protects ciphers in CBC mode; we offer none.
    Each costs a whole packet's work on both sides.
    """
    send: Callable[..., None] = connection.send_packet

    def send_packet(kind: int, *parts: bytes, **options: Any) -> None:  # noqa: ANN401  # the library's own
        if kind != _IGNORE:
            send(kind, *parts, **options)

    connection.send_packet = send_packet  # type: ignore[assignment,method-assign]  # the only hook
