"""Ports that are free, and stay so while nobody listens on them."""

import errno
import socket
from collections.abc import Iterator

# Below those that the kernel gives to whoever asks for any port, and to connections out.
_FIRST, _LAST, _IN_A_BLOCK = 20_000, 32_000, 100


def _of_a_block_of_ours() -> Iterator[int]:
    with socket.socket(socket.AF_UNIX) as claim:
        first = _claimed(claim)
        yield from (port for port in range(first, first + _IN_A_BLOCK) if _is_free(port))
    raise AssertionError("this process has used up its block of ports")


def _claimed(claim: socket.socket) -> int:
    """Return where a block begins that no other process has.

    Its name in the kernel goes with the process.
    """
    for first in range(_FIRST, _LAST, _IN_A_BLOCK):
        try:
            claim.bind(f"\0cyberpoligon-tests-ports-{first}")
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return first
    raise AssertionError("other test runs have all blocks of ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:  # left of a run that was killed, or somebody else's
            return False
    return True


_PORTS = _of_a_block_of_ours()


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on, and that no other test has."""
    return next(_PORTS)
