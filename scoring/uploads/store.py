"""Where files of teams lie: under the digest of their content, outside of everything served.

No name that anybody typed ever becomes a path.
"""

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from core.file_types import Sample
from scoring.uploads.errors import FileNotStoredError, FileRefusedError

_INCOMING = "incoming"
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class Incoming:
    """A file on its way in; `limit` is the most that it may have, in bytes."""

    def __init__(self, path: Path, file: BinaryIO, *, limit: int) -> None:
        self.path = path
        """Where it lies until it is kept."""
        self.size = 0
        """How many bytes have come so far."""
        self._file = file
        self._limit = limit
        self._digest = hashlib.sha256()
        self._sample = Sample()

    @property
    def sha256(self) -> str:
        """Return the digest of what has come so far, in hexadecimal."""
        return self._digest.hexdigest()

    @property
    def media_type(self) -> str:
        """Return what it is by its content, as far as that has come."""
        return self._sample.media_type()

    def write(self, chunk: bytes) -> None:
        """Add the next bytes; raises FileRefusedError beyond the limit, FileNotStoredError."""
        self.size += len(chunk)
        if self.size > self._limit:
            raise FileRefusedError(
                f"the file has more than {self._limit} bytes", hint="Hand in a smaller one"
            )
        self._digest.update(chunk)
        self._sample.feed(chunk)
        with _on_disk():
            self._file.write(chunk)

    def settle(self) -> None:
        """Have the disk hold what came; raises FileNotStoredError."""
        with _on_disk():
            self._file.flush()
            os.fsync(self._file.fileno())


class ContentStore:
    """The folder of a site's files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def receive(self, *, limit: int) -> Iterator[Incoming]:
        """Give a place to write a file to; what is not kept by the end of the block is gone.

        Raises FileNotStoredError.
        """
        with contextlib.ExitStack() as stack:
            with _on_disk():
                folder = self._folder / _INCOMING
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                number, name = tempfile.mkstemp(dir=folder)
                stack.callback(Path(name).unlink, missing_ok=True)
                file = stack.enter_context(os.fdopen(number, "wb", buffering=0))
            yield Incoming(Path(name), file, limit=limit)

    def keep(self, incoming: Incoming) -> None:
        """Keep a file that has come whole, under its digest; raises FileNotStoredError."""
        incoming.settle()
        path = self.path(incoming.sha256)
        with _on_disk():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            incoming.path.replace(path)
            _settle_folder(path.parent)

    def path(self, sha256: str) -> Path:
        """Return where the content of that digest lies, if it does."""
        return self._folder / sha256[:2] / sha256

    def read(self, sha256: str) -> bytes:
        """Return the content of that digest; raises FileNotStoredError when it was changed."""
        with _on_disk():
            content = self.path(sha256).read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise FileNotStoredError(
                "this file is not what was handed in", hint="Put the folder's backup back"
            )
        return content

    def sweep(self, known: Callable[[Collection[str]], Collection[str]], before: datetime) -> int:
        """Delete what nobody knows and what never came whole, if older; return how many.

        `known` returns which of some digests are still needed.
        """
        old = [path for path in self._folder.glob("*/*") if _written(path) < before]
        needed = known([path.name for path in old])
        strays = [p for p in old if p.parent.name == _INCOMING or p.name not in needed]
        for path in strays:
            path.unlink(missing_ok=True)
        return len(strays)


def _written(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except FileNotFoundError:  # it was kept, or given up, just now
        return datetime.max.replace(tzinfo=UTC)


def _settle_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _on_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise FileNotStoredError(
                "there is no room for the file on this server",
                hint="Tell your instructor; your file was not taken",
            ) from error
        raise FileNotStoredError(
            f"the file cannot be kept or read here: {error.strerror}",
            hint="Tell your instructor",
        ) from error
