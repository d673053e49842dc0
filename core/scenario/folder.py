"""A scenario's folder: what is in it, and nothing that is not."""

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import Fault, PoligonError

SCENARIO_FILE = "scenario.yaml"
MAX_FOLDER_BYTES = 64 << 20
MAX_FILES = 5_000


class FileRefusedError(PoligonError):
    """A file of a scenario is not there, is not a file, or lies outside the folder."""

    code = "scenario.file_refused"
    fault = Fault.INPUT


class Files(Protocol):
    """A scenario's files; a Folder is one, and a LoadedScenario."""

    def read(self, relative: str) -> bytes:
        """Return a file's content. Raises FileRefusedError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file as it is packed and digested: `path` relative with `/`, links already followed."""

    path: str
    content: bytes
    executable: bool


class Folder:
    """Reads below one root; a symbolic link may lead to another place in it, never out."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._followed: dict[str, Path] = {}

    def read(self, relative: str) -> bytes:
        """Return a file's content. Raises FileRefusedError."""
        path, size = self._found(relative)
        if size > MAX_FOLDER_BYTES:
            raise FileRefusedError(f"{relative} is larger than {MAX_FOLDER_BYTES >> 20} MiB")
        self._followed[relative] = path  # its links need not be followed for every team
        try:
            return path.read_bytes()
        except OSError as exc:
            raise FileRefusedError(f"{relative} cannot be read: {exc.strerror}") from exc

    def size(self, relative: str) -> int:
        """Return how many bytes a file has. Raises FileRefusedError."""
        return self._found(relative)[1]

    def has_file(self, relative: str) -> bool:
        """Tell whether it is a file. Raises FileRefusedError when it lies outside."""
        return self._inside(relative).is_file()

    def names(self, relative: str) -> list[str]:
        """Return the names of the files right in a folder, sorted; none when there is no such."""
        try:
            folder = self._inside(relative)
            return sorted(path.name for path in folder.iterdir() if path.is_file())
        except (FileRefusedError, OSError):
            return []  # a path that leads out is refused where files are read

    def entries(self) -> list[Entry]:
        """Return every file, sorted by path.

        Raises FileRefusedError for links that leave the folder or lead to a folder, for devices
        and sockets, and past 64 MiB or 5,000 files.
        """
        found: list[Entry] = []
        size = 0
        for path in sorted(self._walk(self.root)):
            relative = path.relative_to(self.root).as_posix()
            content = self.read(relative)
            size += len(content)
            if size > MAX_FOLDER_BYTES or len(found) >= MAX_FILES:
                raise FileRefusedError(
                    f"the folder holds more than {MAX_FOLDER_BYTES >> 20} MiB or {MAX_FILES} files"
                )
            executable = bool(path.stat().st_mode & 0o100)
            found.append(Entry(path=relative, content=content, executable=executable))
        return sorted(found, key=lambda entry: entry.path)

    def _found(self, relative: str) -> tuple[Path, int]:
        path = self._followed.get(relative) or self._inside(relative)
        try:
            status = path.stat()
        except OSError:
            status = None
        if status is None or not stat.S_ISREG(status.st_mode):
            raise FileRefusedError(f"{relative} is not a file of the scenario's folder")
        return path, status.st_size

    def _walk(self, folder: Path) -> Iterator[Path]:
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                yield from self._walk(path)
            else:
                yield path

    def _inside(self, relative: str) -> Path:
        try:
            path = (self.root / relative).resolve()
        except (OSError, RuntimeError, ValueError) as exc:  # a circle of links, a NUL
            raise FileRefusedError(f"{relative!r} cannot be followed") from exc
        if not path.is_relative_to(self.root):
            raise FileRefusedError(f"{relative} leads out of the scenario's folder")
        return path


def digest_of(entries: list[Entry]) -> str:
    """Return SHA-256 in hex over paths, executable bits and contents, each with its length."""
    digest = hashlib.sha256()
    for entry in entries:
        for part in (entry.path.encode(), b"x" if entry.executable else b"-", entry.content):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
