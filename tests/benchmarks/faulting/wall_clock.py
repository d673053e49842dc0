"""A wall clock that can be set for the product's processes alone.

The product takes the time from one class, `core.clock.SystemClock`. Run as a script, this module
starts `poligon` with that class reading an offset from a file first; what measures spans (the
monotonic clock) goes on, as it does when a machine's time is set. Debian's libfaketime would set
the clock of the whole process, but its 0.9.10 makes every other `sleep` fail with EINVAL.
"""

import os
import runpy
import sys
from datetime import datetime, timedelta
from pathlib import Path

from core.clock import SystemClock

OFFSET_FILE = "FAULTS_CLOCK_FILE"


class WallClock:
    """The offset, in a file that the processes read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = 0
        self.shift(0)

    def environment(self) -> dict[str, str]:
        """Return what tells a process where the offset is."""
        return {OFFSET_FILE: str(self._file)}

    def shift(self, seconds: int) -> None:
        """Set the clock forward, or back."""
        self._offset += seconds
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(self._offset))
        fresh.replace(self._file)  # nobody reads half of it


def _follow(file: Path) -> None:
    true_time = SystemClock.now

    def shifted(clock: SystemClock) -> datetime:
        return true_time(clock) + timedelta(seconds=int(file.read_text()))

    SystemClock.now = shifted  # type: ignore[method-assign,assignment]  # a test's process only


if __name__ == "__main__":
    _follow(Path(os.environ[OFFSET_FILE]))
    sys.argv[0] = "poligon"
    runpy.run_module("api.cli.main", run_name="__main__")
