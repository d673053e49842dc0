"""The file of a recording: made anew, only ever added to, readable by this user alone."""

import errno
import fcntl
import hashlib
import os
import re
from pathlib import Path

from core.errors import Fault, PoligonError

_ID = re.compile(r"[0-9a-z]{1,32}")
_MEGABYTE = 1_000_000


class RecordingImpossibleError(PoligonError):
    """A recording cannot be begun, or cannot go on."""

    code = "recording.impossible"
    fault = Fault.UPSTREAM


class CastFile:
    """A file in `folder/exercise/`, named after its session; both are ids that we made."""

    def __init__(self, folder: Path, *, exercise: str, session: str, least_free: int) -> None:
        """Make the file; raises RecordingImpossibleError when that cannot be, or room is short."""
        self.name = f"{session}.cast"
        self.size = 0
        self._digest = hashlib.sha256()
        if not (_ID.fullmatch(exercise) and _ID.fullmatch(session)):
            raise RecordingImpossibleError("its exercise or its session has no proper id")
        try:
            self._file = _made(folder, exercise, self.name, least_free)
        except OSError as error:
            raise _impossible(error) from error

    @property
    def sha256(self) -> str:
        """The SHA-256 of what is in it, in hexadecimal."""
        return self._digest.hexdigest()

    def append(self, lines: bytes) -> None:
        """Add whole lines, all or none; raises RecordingImpossibleError."""
        left = memoryview(lines)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            os.ftruncate(self._file, self.size)  # a torn line would break every reader
            raise _impossible(error) from error
        self.size += len(lines)
        self._digest.update(lines)

    def close(self) -> None:
        """Add nothing any more."""
        os.close(self._file)


def _made(folder: Path, exercise: str, name: str, least_free: int) -> int:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / exercise).mkdir(mode=0o700, exist_ok=True)
    # Through the folder itself: whatever its path becomes meanwhile, nothing else is written to.
    inside = os.open(folder / exercise, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        room = os.fstatvfs(inside)
        free = room.f_bavail * room.f_frsize
        if free < least_free:
            raise RecordingImpossibleError(
                f"only {free // _MEGABYTE} MB are free for recordings;"
                f" {least_free // _MEGABYTE} MB are wanted"
            )
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(name, flags, 0o600, dir_fd=inside)
        fcntl.flock(file, fcntl.LOCK_EX)  # the kernel's word for that somebody writes it still
        return file
    finally:
        os.close(inside)


def _impossible(error: OSError) -> RecordingImpossibleError:
    if error.errno == errno.ENOSPC:
        return RecordingImpossibleError("the disk of the recordings is full")
    return RecordingImpossibleError(f"its file cannot be written: {error.strerror}")
