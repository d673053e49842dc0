"""The conversation with the loop in the host that stands in for an sftp-server."""

import asyncio
import binascii
import errno
import os
import re
from collections.abc import Callable

_HARMLESS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-,:@+=%")
_MOST_PATH = 4096  # PATH_MAX
_MOST_ANSWER = 8 * 1024**2
_END = re.compile(rb"[.!]")
_MOST_ERROR = 32


class HostShell:
    """Sends one request at a time and returns its answer; holds one answer, at most 8 MiB.

    `fed` takes what the host's side prints, `ended` is called once it prints no more.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._turn = asyncio.Lock()
        self._answer = bytearray()
        self._too_long = False
        self._waiting: asyncio.Future[bytes] | None = None
        self._is_over = False

    def fed(self, data: bytes) -> None:
        """Take a piece of an answer."""
        if not self._waiting:
            return
        looked_at = len(self._answer)
        self._answer += data
        end = _END.search(self._answer, looked_at - min(looked_at, _MOST_ERROR))
        if not end:
            if looked_at > _MOST_ANSWER:
                self._too_long = True
                self._answer.clear()
        elif self._answer.endswith(b"\n"):
            self._settle(bytes(self._answer[: end.start()]), bytes(self._answer[end.start() : -1]))

    def ended(self) -> None:
        """Fail whoever waits, and whoever asks from here on."""
        self._is_over = True
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(_lost())

    async def ask(self, request: str, *words: bytes | str | int, data: bytes = b"") -> bytes:
        """Return the text of the answer.

        Raises the OSError that the host gave as the reason, ConnectionAbortedError when it is gone.
        """
        line = " ".join([request, *(_word(word) for word in words)]).encode() + b"\n"
        async with self._turn:
            if self._is_over:
                raise _lost()
            self._answer.clear()
            self._too_long = False
            self._waiting = asyncio.get_running_loop().create_future()
            self._send(line + data)
            try:
                return await self._waiting
            finally:
                self._waiting = None

    async def ask_bytes(self, request: str, *words: bytes | str | int) -> bytes:
        """Return what the answer carries; errors as in `ask`."""
        try:
            return binascii.a2b_base64(await self.ask(request, *words))
        except binascii.Error as error:
            raise OSError(errno.EIO, "the host answered out of order") from error

    def _settle(self, text: bytes, end: bytes) -> None:
        assert self._waiting
        if self._waiting.done():
            return
        if self._too_long:
            self._waiting.set_exception(OSError(errno.EOVERFLOW, "too much to list at once"))
        elif end == b".":
            self._waiting.set_result(text)
        else:
            self._waiting.set_exception(_error(end[1:].decode(errors="replace")))


def _word(word: bytes | str | int) -> str:
    if not isinstance(word, bytes):
        return str(word)
    if len(word) > _MOST_PATH:
        raise _error("ENAMETOOLONG")
    if not word or b"\0" in word:
        raise _error("EINVAL")
    return "".join(chr(byte) if byte in _HARMLESS else f"\\0{byte:03o}" for byte in word)


def _error(name: str) -> OSError:
    number = getattr(errno, name, errno.EIO) if name.isalpha() and name.isupper() else errno.EIO
    return OSError(number, os.strerror(number))


def _lost() -> ConnectionAbortedError:
    return ConnectionAbortedError(errno.ECONNABORTED, "the host answers no more")
