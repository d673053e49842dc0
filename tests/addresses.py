"""Addresses for networks on an engine that other tests use at the same time.

A network that overlaps another is refused, and picking at random meets one now and then. Each
process takes a block to itself, and hands out each part of it once, but for what a run that was
killed has left on the engine.
"""

import errno
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

_BLOCKS = tuple(IPv4Network("10.224.0.0/12").subnets(new_prefix=15))


def _of_a_block_of_ours() -> Iterator[IPv4Network]:
    with socket.socket(socket.AF_UNIX) as claim:
        for subnet in _claimed(claim).subnets(new_prefix=24):
            if not any(subnet.overlaps(route) for route in _routes()):
                yield subnet
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


def _routes() -> Iterator[IPv4Network]:
    """Return the networks that this machine has a way to, but for the way to all others."""
    _heads, *lines = Path("/proc/net/route").read_text().splitlines()
    for line in lines:
        _device, destination, _, _, _, _, _, mask, *_ = line.split()
        route = IPv4Network((_address(destination), str(_address(mask))))
        if route.prefixlen:
            yield route


def _address(raw: str) -> IPv4Address:
    return IPv4Address(int.from_bytes(bytes.fromhex(raw), "little"))


_SUBNETS = _of_a_block_of_ours()


def fresh_subnet() -> IPv4Network:
    """Return 256 addresses that no other test on this machine has or had."""
    return next(_SUBNETS)
