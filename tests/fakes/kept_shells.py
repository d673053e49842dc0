"""Shells that their client loses, and comes back to."""

import re
import time

import paramiko

from tests.fakes.gateway_stage import PASSWORD, Stage, eventually


def a_shell(stage: Stage, *, width: int = 80) -> paramiko.Channel:
    """Log in and open a shell on a terminal; closing its transport is a lost connection."""
    transport = paramiko.Transport(("127.0.0.1", stage.gateway.port))
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = 60
    transport.connect(username="ana", password=PASSWORD)
    channel = transport.open_session()
    channel.set_combine_stderr(True)
    channel.get_pty(width=width, height=24)
    channel.invoke_shell()
    return channel


def lose(shell: paramiko.Channel, stage: Stage) -> None:
    """Drop the connection of a shell, and return when the gateway has seen it."""
    shell.get_transport().sock.close()
    eventually(lambda: all(one.kept_since for one in stage.gateway.live), what="a kept shell")


def shown(shell: paramiko.Channel, wanted: str, *, seconds: float = 60) -> str:
    seen = ""
    deadline = time.monotonic() + seconds
    while not re.search(wanted, seen):
        shell.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            data = shell.recv(4096)
        except TimeoutError:
            raise AssertionError(repr(seen)) from None
        assert data, f"it ended after {seen!r}"
        seen += data.decode(errors="replace")
    return seen
