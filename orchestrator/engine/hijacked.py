"""A connection that the engine handed over, through the SDK: bytes in, the engine's frames out."""

from typing import Any, Protocol

_HEADER = 8  # stream, three zeros, length in four bytes: the engine's multiplexed output
_STDERR = 2


class _Wire(Protocol):
    """What is below it: a socket, over TLS or not, or a channel of SSH."""

    def recv(self, size: int, /) -> bytes: ...
    def sendall(self, data: bytes, /) -> None: ...
    def shutdown(self, how: int, /) -> None: ...
    def settimeout(self, seconds: float | None, /) -> None: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...


class Hijacked:
    """The way to a process's input and output."""

    def __init__(self, held: Any) -> None:  # noqa: ANN401  # what the SDK hands out
        self._held = held  # it closes the wire when nobody holds it
        # For plain sockets the SDK hands out the reader around it, which cannot write.
        self.wire: _Wire = getattr(held, "_sock", held)

    def frame(self) -> tuple[bool, bytes]:
        """Return whether the next piece of output is of stderr, and the piece.

        Raises EOFError at the end of the output, OSError.
        """
        header = self._exactly(_HEADER)
        return header[0] == _STDERR, self._exactly(int.from_bytes(header[4:], "big"))

    def close(self) -> None:
        """Let go of both sides."""
        self._held.close()
        self.wire.close()

    def _exactly(self, size: int) -> bytes:
        pieces = bytearray()
        while len(pieces) < size:
            piece = self.wire.recv(size - len(pieces))
            if not piece:
                raise EOFError
            pieces += piece
        return bytes(pieces)
