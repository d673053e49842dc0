"""The folder of a file that is brought in: read below it, never out of it, never along a link."""

import errno
import os
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from core.scenario.folder import MAX_FOLDER_BYTES

_DEEPEST = 50


class Found(Enum):
    """What a path of the folder is."""

    FILE = auto()
    FOLDER = auto()
    NOTHING = auto()
    LINK = auto()
    OTHER = auto()
    OUTSIDE = auto()


WHY_NOT = {
    Found.NOTHING: "it is not there",
    Found.LINK: "it is a symbolic link, and links are not followed",
    Found.OTHER: "it is neither a file nor a folder",
    Found.OUTSIDE: "it lies outside the folder of the file",
}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was found."""

    content: bytes
    executable: bool


class Source:
    """Reads below one root."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def inside(self, path: str) -> str | None:
        """Return a path relative to the root without `.` and `..`; None when it leads out."""
        clean = posixpath.normpath(path or ".")
        out = clean.startswith(("/", "~", "../")) or clean == ".."
        return None if out or "\0" in clean else clean

    def look(self, path: str) -> Found:
        """Tell what a path is."""
        clean = self.inside(path)
        if clean is None:
            return Found.OUTSIDE
        here, status = self._root, self._root.lstat()
        for step in clean.split("/") if clean != "." else ():
            here /= step
            try:
                status = here.lstat()
            except OSError:
                return Found.NOTHING
            if stat.S_ISLNK(status.st_mode):
                return Found.LINK
        if stat.S_ISREG(status.st_mode):
            return Found.FILE
        return Found.FOLDER if stat.S_ISDIR(status.st_mode) else Found.OTHER

    def size(self, path: str) -> int:
        """Return how many bytes a file has that `look` found."""
        return self._at(path).lstat().st_size

    def read(self, path: str, most: int = MAX_FOLDER_BYTES) -> SourceFile:
        """Return a file that `look` found. Raises OSError, also for one of more bytes than that."""
        descriptor = os.open(self._at(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            executable = bool(os.fstat(descriptor).st_mode & 0o100)
            content = stream.read(most + 1)
        if len(content) > most:
            raise OSError(errno.EFBIG, f"it has more than {most} bytes")
        return SourceFile(content=content, executable=executable)

    def below(self, folder: str) -> Iterator[tuple[str, Found]]:
        """Yield each entry below a folder that is not a folder, in order, relative to the folder.

        What version control keeps for itself is left out.
        """
        yield from self._below(self._at(folder), "")

    def _below(self, folder: Path, prefix: str) -> Iterator[tuple[str, Found]]:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            name = prefix + entry.name
            if entry.is_symlink():
                yield name, Found.LINK
            elif entry.is_dir(follow_symlinks=False):
                if name.count("/") >= _DEEPEST:
                    yield name, Found.OTHER
                elif entry.name != ".git":
                    yield from self._below(folder / entry.name, f"{name}/")
            else:
                plain = entry.is_file(follow_symlinks=False)
                yield name, Found.FILE if plain else Found.OTHER

    def _at(self, path: str) -> Path:
        clean = self.inside(path)
        assert clean is not None
        return self._root / clean
