"""What listens and is connected on this machine, by IPv4, from /proc."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_ESTABLISHED, _LISTENING = "01", "0A"  # linux/include/net/tcp_states.h


def listeners(port: int) -> int:
    """Return how many sockets listen on a TCP port."""
    return sum(1 for _ in _sockets(port, _LISTENING))


def established(pid: int, port: int) -> int:
    """Return how many connections a process has taken on a TCP port."""
    held: set[str] = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed meanwhile
            held.add(str(entry.readlink()))
    return sum(f"socket:[{inode}]" in held for inode in _sockets(port, _ESTABLISHED))


def _sockets(port: int, state: str) -> Iterator[str]:
    """Give the inodes of the sockets in a state whose own port it is."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == state and fields[1].endswith(f":{port:04X}"):
            yield fields[9]
