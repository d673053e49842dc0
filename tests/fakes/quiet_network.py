"""A network of a browser's own, in which nothing ever changes.

A browser drops what it loads when a network of its machine comes or goes, and engine tests make
and remove networks all the time. Here it has only a loopback, with the ports that it is given.
"""

import fcntl
import os
import shlex
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietNetwork:
    """A network namespace, and the process that holds it and opens sockets in it."""

    holder: int
    asked: socket.socket

    def listen(self, port: int) -> socket.socket:
        """Return a socket that listens on a port of this network's 127.0.0.1."""
        self.asked.send(str(port).encode())
        _said, [opened], _flags, _address = socket.recv_fds(self.asked, 1, 1)
        return socket.socket(fileno=opened)

    def wrapper(self, program: str, folder: Path) -> Path:
        """Return a program in `folder` that runs another in this network."""
        enter = ["nsenter", "--target", str(self.holder), *_as_root("--preserve-credentials")]
        script = folder / "in-quiet-network"
        script.write_text(f'#!/bin/sh\nexec {shlex.join([*enter, "--net", program])} "$@"\n')
        script.chmod(0o755)
        return script


@contextmanager
def quiet_network() -> Iterator[QuietNetwork | None]:
    """Lend a network of its own; None where the system does not let this user make one."""
    ours, theirs = socket.socketpair()
    make = ["unshare", *_as_root("--map-root-user"), "--net", sys.executable, __file__]
    with theirs:
        holder = subprocess.Popen([*make, str(theirs.fileno())], pass_fds=[theirs.fileno()])
    with holder, ours:  # it ends when nobody can ask it any more
        is_made = bool(ours.recv(1))
        yield QuietNetwork(holder=holder.pid, asked=ours) if is_made else None


def _as_root(option: str) -> list[str]:
    """Return how somebody who is not root becomes it, for a network of their own."""
    return [] if os.geteuid() == 0 else ["--user", option]


def _hold(asked: socket.socket) -> None:
    """Open the ports that are asked for."""
    with socket.socket() as any_socket:
        request = struct.pack("16sh22x", b"lo", _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)
    # A port is the same out there, where it was free: no connection in here may have taken it.
    Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("10000 30000")
    asked.send(b".")
    while port := asked.recv(5):
        with socket.create_server(("127.0.0.1", int(port))) as opened:
            socket.send_fds(asked, [b"."], [opened.fileno()])


if __name__ == "__main__":
    _hold(socket.socket(fileno=int(sys.argv[1])))
