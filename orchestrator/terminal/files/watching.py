"""Programs of the host whose byte streams pass here, and what can be told of them."""

from collections.abc import Callable, Generator
from typing import Protocol

# A parser is given bytes: asked with n > 0 it gets exactly n, with -n from 1 to n as they come.
Parser = Generator[int, bytes, None]


class Watcher(Protocol):
    """Sees both directions of a conversation; it never changes, delays or fails it."""

    def from_client(self, data: bytes) -> None:
        """See what the client sent."""
        ...

    def from_host(self, data: bytes) -> None:
        """See what the host's program sent."""
        ...

    def ended(self) -> None:
        """See the end."""
        ...


class NotUnderstoodError(Exception):
    """What passes is not what was expected; the watching ends, the conversation does not."""


class Feed:
    """Gives a parser the bytes that it asks for; keeps no more than one request of it."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._kept = bytearray()
        self._wanted = next(parser)

    def take(self, data: bytes) -> None:
        """Let the parser see more; raises what it raises."""
        view = memoryview(data)
        while view:
            if self._wanted < 0:
                piece, view = view[: -self._wanted], view[-self._wanted :]
                self._wanted = self._parser.send(bytes(piece))
                continue
            missing = self._wanted - len(self._kept)
            self._kept += view[:missing]
            view = view[missing:]
            if len(self._kept) == self._wanted:
                whole = bytes(self._kept)
                self._kept.clear()
                self._wanted = self._parser.send(whole)


class Conversation:
    """Both directions of a conversation, followed until one is not understood.

    `lost` is called then, and nothing is seen any more.
    """

    def __init__(self, client: Parser, host: Parser, *, lost: Callable[[], None]) -> None:
        self._client = Feed(client)
        self._host = Feed(host)
        self._lost = lost
        self._is_lost = False

    def from_client(self, data: bytes) -> None:
        """See what the client sent."""
        self._see(self._client, data)

    def from_host(self, data: bytes) -> None:
        """See what the host's program sent."""
        self._see(self._host, data)

    def _see(self, feed: Feed, data: bytes) -> None:
        if self._is_lost:
            return
        try:
            feed.take(data)
        except NotUnderstoodError:
            self._is_lost = True
            self._lost()
