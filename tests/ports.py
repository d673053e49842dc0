"""Ports that are free, and stay so while nobody listens on them."""

import errno
import socket
from collections.abc import Iterator

# Below those that the kernel gives to whoever asks for any port, and to connections out.
_FIRST, _LAST, _IN_A_BLOCK = 20_000, 32_000, 100


def _from_block(first: int) -> Iterator[int]:
    """Give the free ports of a block, if no other process has it, and of those above it."""
    if first >= _LAST:
        raise AssertionError("tests have used up their ports")
    with socket.socket(socket.AF_UNIX) as claim:
        if _is_ours(first, claim):
            yield from (port for port in range(first, first + _IN_A_BLOCK) if _is_free(port))
        yield from _from_block(first + _IN_A_BLOCK)


def _is_ours(block: int, claim: socket.socket) -> bool:
    """Claim a block by a name in the kernel, which goes with the process."""
    try:
        claim.bind(f"\0cyberpoligon-tests-ports-{block}")
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:  # left of a run that was killed, or somebody else's
            return False
    return True


_PORTS = _from_block(_FIRST)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on, and that no other test has."""
    return next(_PORTS)
