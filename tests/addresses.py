"""Addresses for networks on an engine that other tests use at the same time.

A network that overlaps another is refused, and picking at random meets one now and then. Each
process takes a block to itself, and hands out each part of it once.
"""

import errno
import socket
from collections.abc import Iterator
from ipaddress import IPv4Network

_BLOCKS = tuple(IPv4Network("10.224.0.0/12").subnets(new_prefix=15))


def _of_a_block_of_ours() -> Iterator[IPv4Network]:
    with socket.socket(socket.AF_UNIX) as claim:
        yield from _claimed(claim).subnets(new_prefix=24)
    raise AssertionError("this process has used up its block of addresses")


def _claimed(claim: socket.socket) -> IPv4Network:
    """Return a block that no other process has. Its name in the kernel goes with the process."""
    for block in _BLOCKS:
        try:
            claim.bind(f"\0cyberpoligon-tests-{block}")
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return block
    raise AssertionError("other test runs have all blocks of addresses")


_SUBNETS = _of_a_block_of_ours()


def fresh_subnet() -> IPv4Network:
    """Return 256 addresses that no other test on this machine has or had."""
    return next(_SUBNETS)
