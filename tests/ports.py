"""Ports of this machine."""

import socket
from pathlib import Path


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listeners(port: int) -> int:
    """Return how many sockets listen on a TCP port of this machine, by IPv4."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    listening = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    return sum(address.endswith(f":{port:04X}") for address in listening)


def established(pid: int, port: int) -> int:
    """Return how many connections a process has taken on a TCP port of this machine, by IPv4."""
    held = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    open_ones = [line for line in lines if line[3] == "01" and line[1].endswith(f":{port:04X}")]
    return sum(f"socket:[{line[9]}]" in held for line in open_ones)
