"""The site's scanner: a command of its own that gets a file's path and answers by its exit code."""

import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import structlog

log = structlog.get_logger()

_CLEAN, _INFECTED = 0, 1
_PATIENCE = timedelta(minutes=1)


class Scan(StrEnum):
    """What is known of a file's harmlessness."""

    CLEAN = "clean"
    INFECTED = "infected"
    UNSCANNED = "unscanned"  # the scanner failed
    NO_SCANNER = "no_scanner"


class Scanner:
    """Runs the command with the path behind it: 0 is clean, 1 infected, anything else a failure.

    No shell sees either; without a command nothing is scanned.
    """

    def __init__(self, command: Sequence[str], *, patience: timedelta = _PATIENCE) -> None:
        self._command = tuple(command)
        self._patience = patience

    @classmethod
    def of(cls, line: str) -> "Scanner":
        """Return the scanner of a line as a site sets it, such as `clamdscan --fdpass`."""
        return cls(shlex.split(line))

    def scan(self, path: Path) -> Scan:
        """Return what the scanner says of a file; UNSCANNED when it fails or takes too long."""
        if not self._command:
            return Scan.NO_SCANNER
        code = self._run(path)
        if code == _CLEAN:
            return Scan.CLEAN
        if code == _INFECTED:
            return Scan.INFECTED
        log.warning("upload.unscanned", command=self._command[0], exit_code=code)
        return Scan.UNSCANNED

    def _run(self, path: Path) -> int | None:
        try:
            scanner = subprocess.Popen(
                [*self._command, str(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # so that all of it can be ended
            )
        except OSError:
            return None
        try:
            return scanner.wait(self._patience.total_seconds())
        except subprocess.TimeoutExpired:
            os.killpg(scanner.pid, signal.SIGKILL)
            scanner.wait()
            return None
