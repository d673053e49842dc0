"""The files of a host, as the login's account may see and change them.

Every operation raises the OSError that the host gave as its reason.
"""

import errno
import os
import re
from dataclasses import dataclass

from orchestrator.terminal.files.program import BLOCK
from orchestrator.terminal.files.shell import HostShell

_STATE = re.compile(rb"([0-9a-f]+) (\d+) (\d+) (\d+) (-?\d+) (-?\d+)")
_PERMISSIONS = 0o7777


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """What `stat` tells of a file; size in bytes, times in seconds since 1970."""

    mode: int
    size: int
    uid: int
    gid: int
    accessed: int
    modified: int


class HostFiles:
    """Paths are bytes; relative ones begin at the account's home."""

    def __init__(self, shell: HostShell) -> None:
        self._shell = shell

    async def state(self, path: bytes, *, follow: bool = True) -> FileState:
        """Return what a path names, or with `follow` what a link leads to."""
        answer = await self._shell.ask("stat" if follow else "lstat", _safe(path))
        found = _STATE.match(answer)
        if not found:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return _state(found)

    async def entries(self, path: bytes) -> list[tuple[bytes, FileState]]:
        """Return the names in a directory, without `.` and `..`, each with its state.

        Raises OSError with EOVERFLOW for more than some 30 000 entries.
        """
        answer = await self._shell.ask_bytes("list", _safe(path))
        names, _, states = answer.partition(b"//\n")
        return _paired(names.split(b"/"), states)

    async def real(self, path: bytes) -> bytes:
        """Return the absolute path without links; only its last part may be missing."""
        return await self._path("real", path, errno.ENOENT)

    async def link_target(self, path: bytes) -> bytes:
        """Return what a symbolic link says."""
        return await self._path("readlink", path, errno.EINVAL)

    async def make_directory(self, path: bytes, mode: int) -> None:
        """Make a directory."""
        await self._shell.ask("mkdir", _safe(path), _octal(mode))

    async def remove_directory(self, path: bytes) -> None:
        """Remove an empty directory."""
        await self._shell.ask("rmdir", _safe(path))

    async def remove(self, path: bytes) -> None:
        """Remove a file or a link."""
        await self._shell.ask("remove", _safe(path))

    async def move(self, old: bytes, new: bytes, *, over: bool) -> None:
        """Rename; what has the new name already is replaced only with `over`."""
        await self._shell.ask("move", _safe(old), _safe(new), "over" if over else "-")

    async def link_to(self, target: bytes, path: bytes, *, symbolic: bool) -> None:
        """Make a link at `path`; the target of a symbolic one is kept as it is written."""
        if symbolic:
            await self._shell.ask("symlink", target, _safe(path))
        else:
            await self._shell.ask("hardlink", _safe(target), _safe(path))

    async def set_mode(self, path: bytes, mode: int) -> None:
        """Change the permissions."""
        await self._shell.ask("chmod", _safe(path), _octal(mode))

    async def set_owner(self, path: bytes, uid: int, gid: int) -> None:
        """Change owner and group."""
        await self._shell.ask("chown", _safe(path), f"{uid}:{gid}")

    async def set_times(self, path: bytes, accessed: int, modified: int) -> None:
        """Change the times, in seconds since 1970."""
        await self._shell.ask("times", _safe(path), accessed, modified)

    async def set_size(self, path: bytes, size: int) -> None:
        """Cut a file off, or fill it up with zeros."""
        await self._shell.ask("size", _safe(path), size)

    async def open(self, path: bytes, how: str, *, mode: int | None) -> None:
        """Make a file ready: r to read, w to write, c to create, t to empty it, x for a new one.

        A file that is made has `mode`, when one is given.
        """
        octal = "-" if mode is None else _octal(mode)
        await self._shell.ask("open", _safe(path), how, octal)

    async def block(self, path: bytes, number: int) -> bytes:
        """Return the file's bytes from `number` times BLOCK on, up to BLOCK of them."""
        read = await self._shell.ask_bytes("read", _safe(path), number)
        if not read.endswith(b"k"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read[:-1]

    async def put(self, path: bytes, data: bytes, *, offset: int | None) -> None:
        """Write at an offset, or without one at the end; `data` has up to BLOCK bytes."""
        where = "end" if offset is None else offset
        await self._shell.ask("write", _safe(path), where, len(data), data=data)

    async def _path(self, request: str, path: bytes, missing: int) -> bytes:
        found = await self._shell.ask_bytes(request, _safe(path))
        if not found:
            raise OSError(missing, os.strerror(missing))
        return found.removesuffix(b"\n")


class OpenFile:
    """A file that is read and written in pieces; writes in sequence reach the host in blocks.

    An error of a late block is raised by the operation that sends it, at the latest by `close`.
    Holds two blocks in memory.
    """

    def __init__(self, files: HostFiles, path: bytes, *, appends: bool) -> None:
        self.path = path
        self._files = files
        self._appends = appends
        self._block = b""
        self._block_number = -1
        self._pending = bytearray()
        self._pending_at = 0

    async def read(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes, at most BLOCK; fewer only at the end of the file."""
        await self.flush()
        read = bytearray()
        wanted = min(size, BLOCK)
        while len(read) < wanted:
            piece = await self._piece(offset + len(read), wanted - len(read))
            if not piece:
                break
            read += piece
        return bytes(read)

    async def write(self, offset: int, data: bytes) -> None:
        """Write; the host may get it with a later call."""
        if not self._appends and offset != self._pending_at + len(self._pending):
            await self.flush()
            self._pending_at = offset
        self._pending += data
        if len(self._pending) >= BLOCK:
            await self.flush()

    async def flush(self) -> None:
        """Give the host what it has not got yet."""
        pending, at = bytes(self._pending), self._pending_at
        self._pending.clear()
        self._pending_at += len(pending)
        if pending:
            self._block_number = -1
        for start in range(0, len(pending), BLOCK):
            where = None if self._appends else at + start
            await self._files.put(self.path, pending[start : start + BLOCK], offset=where)

    async def state(self) -> FileState:
        """Return the file's state with everything written."""
        await self.flush()
        return await self._files.state(self.path)

    async def _piece(self, offset: int, most: int) -> bytes:
        number, start = divmod(offset, BLOCK)
        # A block that is not full may have grown since.
        if number != self._block_number or start >= len(self._block):
            self._block = await self._files.block(self.path, number)
            self._block_number = number
        return self._block[start : start + most]


def _safe(path: bytes) -> bytes:
    """Return a path that no program takes for an option, below the home when it is relative."""
    return path if path.startswith(b"/") else b"./" + path


def _octal(mode: int) -> str:
    return f"{mode & _PERMISSIONS:04o}"


def _state(found: re.Match[bytes]) -> FileState:
    mode, *others = found.groups()
    size, uid, gid, accessed, modified = (int(number) for number in others)
    return FileState(
        mode=int(mode, 16), size=size, uid=uid, gid=gid, accessed=accessed, modified=modified
    )


def _paired(names: list[bytes], states: bytes) -> list[tuple[bytes, FileState]]:
    """Return each name with its line; those without one were gone when it was asked for.

    A name may itself hold line ends and look like a line: so each is looked for where it is due.
    """
    paired = []
    at = 0
    for name in names:
        found = _STATE.match(states, at)
        if found and states.startswith(b" " + name + b"\n", found.end()):
            paired.append((name, _state(found)))
            at = found.end() + len(name) + 2
    return paired
