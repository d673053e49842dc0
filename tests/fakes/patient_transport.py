"""Paramiko's end of a connection, which hangs up after 15 seconds unless it is told otherwise."""

import socket
from typing import Any

import paramiko

_SECONDS = 60


class PatientTransport(paramiko.Transport):
    """Waits for its server as long as a busy machine takes."""

    def __init__(
        self,
        sock: str | tuple[str, int] | socket.socket | paramiko.Channel | paramiko.ProxyCommand,
        **options: Any,  # noqa: ANN401  # Paramiko's own
    ) -> None:
        super().__init__(sock, **options)
        self.banner_timeout = self.handshake_timeout = self.auth_timeout = _SECONDS
