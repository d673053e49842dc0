"""SFTP served by the gateway for a host that has no sftp-server."""

import errno
import os
import stat
import weakref
from typing import Self

import asyncssh

from orchestrator.terminal.files.host_files import FileState, HostFiles, OpenFile

_MOST_OPEN = 32
_MOST_LISTINGS = 8
_USUAL_MASK = 0o022
_NEW_DIRECTORY = 0o777
_EVERYWHERE = 2**63 - 1
_TYPES = {
    stat.S_IFREG: asyncssh.FILEXFER_TYPE_REGULAR,
    stat.S_IFDIR: asyncssh.FILEXFER_TYPE_DIRECTORY,
    stat.S_IFLNK: asyncssh.FILEXFER_TYPE_SYMLINK,
}


class _Handle:
    """An open file."""

    def __init__(self, file: OpenFile) -> None:
        self.file = file

    def seek(self, offset: int, whence: int) -> int:
        """Answer where data and holes are, which is all that the library seeks: all is data."""
        return offset if whence == os.SEEK_DATA else _EVERYWHERE


class _Listing:
    """The entries of a directory, asked for when the first is wanted."""

    def __init__(self, files: HostFiles, path: bytes) -> None:
        self._files = files
        self._path = path
        self._left: list[tuple[bytes, FileState]] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> asyncssh.SFTPName:
        if self._left is None:
            self._left = await self._files.entries(self._path)
            self._left.reverse()
        if not self._left:
            raise StopAsyncIteration
        name, state = self._left.pop()
        return asyncssh.SFTPName(name, attrs=_attributes(state))


class HostSftp(asyncssh.SFTPServer):
    """Does in the host what a client asks.

    The library's own operations would touch the gateway's machine: what is not overridden here asks
    `map_path` first, which refuses.
    """

    def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]", files: HostFiles) -> None:
        super().__init__(channel)
        self._files = files
        self._open: set[_Handle] = set()
        self._listings: weakref.WeakSet[_Listing] = weakref.WeakSet()

    def map_path(self, _path: bytes) -> bytes:
        """Refuse: no path is one of this machine."""
        raise asyncssh.SFTPOpUnsupported("this cannot be done here")

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """Make a file ready, and return its handle."""
        if len(self._open) >= _MOST_OPEN:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        mode = None if attrs.permissions is None else attrs.permissions & ~_USUAL_MASK
        await self._files.open(path, _how(pflags), mode=mode)
        appends = bool(pflags & asyncssh.FXF_APPEND)
        handle = _Handle(OpenFile(self._files, path, appends=appends))
        self._open.add(handle)
        return handle

    async def close(self, file_obj: object) -> None:
        """Give the host the rest."""
        handle = _handle(file_obj)
        self._open.discard(handle)
        await handle.file.flush()

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Return up to 256 KiB from an offset on."""
        return await _handle(file_obj).file.read(offset, size)

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Write at an offset."""
        await _handle(file_obj).file.write(offset, data)
        return len(data)

    async def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """Tell of what a path leads to."""
        return _attributes(await self._files.state(path))

    async def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """Tell of what a path names."""
        return _attributes(await self._files.state(path, follow=False))

    async def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        """Tell of an open file."""
        return _attributes(await _handle(file_obj).file.state())

    async def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Change size, permissions, owner and times, as far as they are given."""
        files = self._files
        if attrs.size is not None:
            await files.set_size(path, attrs.size)
        if attrs.uid is not None and attrs.gid is not None:
            await files.set_owner(path, attrs.uid, attrs.gid)
        if attrs.permissions is not None:
            await files.set_mode(path, attrs.permissions)
        if attrs.atime is not None and attrs.mtime is not None:
            await files.set_times(path, int(attrs.atime), int(attrs.mtime))

    async def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        """Change an open file, after everything written to it."""
        file = _handle(file_obj).file
        await file.flush()
        await self.setstat(file.path, attrs)

    def scandir(self, path: bytes) -> _Listing:
        """Return the entries of a directory."""
        if len(self._listings) >= _MOST_LISTINGS:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        listing = _Listing(self._files, path)
        self._listings.add(listing)
        return listing

    async def remove(self, path: bytes) -> None:
        """Remove a file or a link."""
        await self._files.remove(path)

    async def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Make a directory."""
        mode = _NEW_DIRECTORY if attrs.permissions is None else attrs.permissions
        await self._files.make_directory(path, mode & ~_USUAL_MASK)

    async def rmdir(self, path: bytes) -> None:
        """Remove an empty directory."""
        await self._files.remove_directory(path)

    async def realpath(self, path: bytes) -> bytes:
        """Return the absolute path without links."""
        return await self._files.real(path)

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename to a name that is free."""
        await self._files.move(oldpath, newpath, over=False)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename, and replace what had the name."""
        await self._files.move(oldpath, newpath, over=True)

    async def readlink(self, path: bytes) -> bytes:
        """Return what a link says."""
        return await self._files.link_target(path)

    async def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        """Make a symbolic link at `newpath`."""
        await self._files.link_to(oldpath, newpath, symbolic=True)

    async def link(self, oldpath: bytes, newpath: bytes) -> None:
        """Make another name of a file."""
        await self._files.link_to(oldpath, newpath, symbolic=False)

    async def fsync(self, file_obj: object) -> None:
        """Give the host what was written; its kernel writes it to the disk."""
        await _handle(file_obj).file.flush()

    def format_user(self, uid: int | None) -> str:
        """Return the number: names of this machine's users mean nothing in the host."""
        return str(uid)

    def format_group(self, gid: int | None) -> str:
        """Return the number, as for users."""
        return str(gid)


def _handle(file_obj: object) -> _Handle:
    assert isinstance(file_obj, _Handle)  # `open` made it
    return file_obj


def _how(pflags: int) -> str:
    letters = {
        asyncssh.FXF_READ: "r",
        asyncssh.FXF_WRITE: "w",
        asyncssh.FXF_CREAT: "c",
        asyncssh.FXF_TRUNC: "t",
        asyncssh.FXF_EXCL: "x",
    }
    return "".join(letter for flag, letter in letters.items() if pflags & flag) or "r"


def _attributes(state: FileState) -> asyncssh.SFTPAttrs:
    return asyncssh.SFTPAttrs(
        type=_TYPES.get(stat.S_IFMT(state.mode), asyncssh.FILEXFER_TYPE_SPECIAL),
        size=state.size,
        uid=state.uid,
        gid=state.gid,
        permissions=state.mode,
        atime=state.accessed,
        mtime=state.modified,
    )
