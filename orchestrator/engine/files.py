"""What goes into a host before its own process starts: one archive with accounts and files."""

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Protocol

from core.errors import Fault, PoligonError
from orchestrator.domain.world import AccountPlan, FilePlan, HostPlan
from orchestrator.engine.accounts import Home, Identities

_SKELETON = "/etc/skel"
_SHELLS = ("/bin/bash", "/bin/sh")
_IDENTITY_FILES = (("/etc/passwd", 0o644), ("/etc/group", 0o644), ("/etc/shadow", 0o640))


class UnusableFilePathError(PoligonError):
    """A file of a plan has a path that does not name one place inside the host."""

    code = "engine.unusable_file_path"
    fault = Fault.INPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A thing in an image's file system; a link's target or a file's content in `content`."""

    path: str
    header: tarfile.TarInfo
    content: bytes


class ImageTree(Protocol):
    """What an image's file system holds before any host of it runs."""

    def exists(self, path: str) -> bool:
        """Tell whether something stands at the path."""
        ...

    def read(self, path: str) -> tuple[Entry, ...]:
        """Return the thing at the path and all below it; nothing there is empty."""
        ...


def host_archive(plan: HostPlan, tree: ImageTree, *, now: datetime) -> bytes | None:
    """Return the tar to unpack at `/`, or None when the plan brings neither accounts nor files.

    The same plan and tree give the same entries, so unpacking twice does no harm. `now` stamps
    what has no time of its own. Raises UnknownOwnerError, UnusableFilePathError.
    """
    if not plan.accounts and not plan.files:
        return None
    identities = Identities(
        passwd=_content(tree, "/etc/passwd"),
        group=_content(tree, "/etc/group"),
        shadow=_content(tree, "/etc/shadow"),
    )
    archive = _Archive(tree, now=now)
    if plan.accounts:
        shell = next((path for path in _SHELLS if tree.exists(path)), _SHELLS[-1])
        homes = [identities.add(account, shell=shell) for account in plan.accounts]
        _put_identities(archive, tree, identities)
        for home in filter(None, homes):
            _put_home(archive, tree, home)
        _put_sudo(archive, plan.accounts)
    for file in plan.files:
        _put_file(archive, identities, file)
    return archive.finished()


class _Archive:
    """A tar that brings the folders which the image lacks."""

    def __init__(self, tree: ImageTree, *, now: datetime) -> None:
        self._tree = tree
        self._now = int(now.timestamp())
        self._buffer = io.BytesIO()
        self._tar = tarfile.TarFile(fileobj=self._buffer, mode="w")
        self._made: set[str] = set()

    def folder(
        self,
        path: str,
        *,
        uid: int = 0,
        gid: int = 0,
        mode: int = 0o755,
        mtime: datetime | None = None,
    ) -> None:
        """Add a folder."""
        self._made.add(path)
        self._add(path, b"", uid=uid, gid=gid, mode=mode, mtime=mtime, kind=tarfile.DIRTYPE)

    def has(self, path: str) -> bool:
        """Tell whether the image or this archive has something there."""
        return path in self._made or self._tree.exists(path)

    def folders_to(self, path: str) -> None:
        """Add root's folders down to a path where there are none."""
        # Left implied, engine 20.10 makes them 0600, and nobody but root gets through.
        for folder in reversed([str(parent) for parent in PurePosixPath(path).parents]):
            if not self.has(folder):
                self.folder(folder)

    def file(
        self,
        path: str,
        content: bytes,
        *,
        uid: int = 0,
        gid: int = 0,
        mode: int,
        mtime: datetime | None = None,
    ) -> None:
        """Add a file, and root's folders down to it where the image has none."""
        self.folders_to(path)
        self._add(path, content, uid=uid, gid=gid, mode=mode, mtime=mtime, kind=tarfile.REGTYPE)

    def copy(self, entry: Entry, path: str, *, uid: int, gid: int) -> None:
        """Add a thing of the image at another place with another owner."""
        header = tarfile.TarInfo(path.lstrip("/"))
        header.type, header.linkname = entry.header.type, entry.header.linkname
        header.mode, header.mtime = entry.header.mode, entry.header.mtime
        header.uid, header.gid, header.size = uid, gid, len(entry.content)
        self._tar.addfile(header, io.BytesIO(entry.content))

    def finished(self) -> bytes:
        """Return the tar."""
        self._tar.close()
        return self._buffer.getvalue()

    def _add(
        self,
        path: str,
        content: bytes,
        *,
        uid: int,
        gid: int,
        mode: int,
        mtime: datetime | None,
        kind: bytes,
    ) -> None:
        header = tarfile.TarInfo(path.lstrip("/"))
        header.type, header.size, header.mode = kind, len(content), mode
        header.uid, header.gid = uid, gid
        header.mtime = self._now if mtime is None else int(mtime.timestamp())
        self._tar.addfile(header, io.BytesIO(content))


def _content(tree: ImageTree, path: str) -> bytes:
    return b"".join(entry.content for entry in tree.read(path))


def _put_identities(archive: _Archive, tree: ImageTree, identities: Identities) -> None:
    contents = (identities.passwd(), identities.group(), identities.shadow())
    for (path, usual_mode), content in zip(_IDENTITY_FILES, contents, strict=True):
        headers = [entry.header for entry in tree.read(path)]
        mode, gid = (headers[0].mode, headers[0].gid) if headers else (usual_mode, 0)
        archive.file(path, content, gid=gid, mode=mode)


def _put_home(archive: _Archive, tree: ImageTree, home: Home) -> None:
    if not tree.exists("/home"):
        archive.folder("/home")
    archive.folder(home.path, uid=home.uid, gid=home.gid, mode=0o700)  # as Debian 12's adduser
    for entry in tree.read(_SKELETON):
        if entry.path != _SKELETON:
            path = home.path + entry.path.removeprefix(_SKELETON)
            archive.copy(entry, path, uid=home.uid, gid=home.gid)


def _put_sudo(archive: _Archive, accounts: tuple[AccountPlan, ...]) -> None:
    for account in accounts:
        if account.sudo:
            rule = f"{account.name} ALL=(ALL) NOPASSWD: ALL\n".encode()
            archive.file(f"/etc/sudoers.d/{account.name}", rule, mode=0o440)


def _put_file(archive: _Archive, identities: Identities, file: FilePlan) -> None:
    parts = PurePosixPath(file.path).parts
    if not file.path.startswith("/") or ".." in parts or len(parts) == 1 or file.path[-1] == "/":
        raise UnusableFilePathError(
            f"{file.path!r} is not a file's place in a host",
            hint="Write an absolute path without `..`, such as /srv/notes.txt",
        )
    uid, gid = identities.owner(file.owner)
    path = str(PurePosixPath(file.path))
    if file.folder:
        archive.folders_to(path)
        if not archive.has(path):
            archive.folder(path, uid=uid, gid=gid, mode=file.mode, mtime=file.mtime)
        return
    archive.file(path, file.content, uid=uid, gid=gid, mode=file.mode, mtime=file.mtime)


def entries(archive: bytes, *, at: str) -> Iterator[Entry]:
    """Yield what an engine's archive of the path `at` holds, under its full paths."""
    parent = str(PurePosixPath(at).parent).rstrip("/")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for header in tar:
            stream = tar.extractfile(header) if header.isreg() else None
            content = b"" if stream is None else stream.read()
            yield Entry(path=f"{parent}/{header.name.rstrip('/')}", header=header, content=content)
