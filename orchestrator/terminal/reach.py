"""What a forward needs from a container engine, in our words: a TCP connection out of a host."""

from typing import Protocol

from core.errors import Fault, PoligonError
from orchestrator.domain.world import HostKey


class ForwardRefusedError(PoligonError):
    """Nobody answered where a forward was to lead; the trainee reads why."""

    code = "forward.refused"
    fault = Fault.UPSTREAM


class ForwardBrokenError(PoligonError):
    """A forward that was open is over before its time: reset, or its host is gone."""

    code = "forward.broken"
    fault = Fault.UPSTREAM


class ByteStream(Protocol):
    """A TCP connection. Both ways are apart: either may end before the other."""

    async def read(self) -> bytes:
        """Return the next bytes, at most 64 KiB, or none after the last.

        Raises ForwardBrokenError when the connection broke.
        """
        ...

    async def write(self, data: bytes) -> None:
        """Send bytes; returns when more may be given. Raises ForwardBrokenError."""
        ...

    def write_eof(self) -> None:
        """Send no more; what the other side says still comes."""
        ...

    async def broken(self) -> None:
        """Return when the connection is over before its time; after the end of one way, too."""
        ...

    def close(self) -> None:
        """Drop the connection. Whoever reads or writes is told that it is broken."""
        ...


class Reach(Protocol):
    """A container engine that opens TCP connections inside the networks of hosts."""

    async def connect(self, host: HostKey, address: str, port: int) -> ByteStream:
        """Return a connection to `address`, a name as the host knows it or an IP address.

        What answers is up to the host's network: what its rules hold back stays out of reach.

        Raises ForwardRefusedError with a sentence when nobody answers within some seconds,
        HostGoneError, EngineRefusedError, EngineUnavailableError.
        """
        ...

    async def close(self) -> None:
        """Break every connection, and leave nothing beside a host."""
        ...
