"""Several processes as one: started together, restarted when one dies, ended together."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType

import structlog

from core.waiting import pause

log = structlog.get_logger()

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_LOOK_SECONDS = 0.2
_FIRST_BACKOFF_SECONDS = 0.5
_LONGEST_BACKOFF_SECONDS = 30.0
# A process that lived so long is taken to have been well: its next restart is quick again.
_WELL_AFTER_SECONDS = 60.0
GRACE = timedelta(seconds=25)


def end_with_parent(parent: int) -> None:
    """Have the kernel end this process when `parent` dies, even by SIGKILL.

    Exits at once when `parent` died before this was set up.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(f"the supervising process {parent} is gone")


@dataclass(slots=True)
class _Child:
    name: str
    command: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    not_before: float = 0.0

    def start(self) -> None:
        # A group of its own: Ctrl-C on a terminal reaches the supervisor, which ends all in order.
        self.process = subprocess.Popen(self.command, process_group=0)  # our own program
        self.started = time.monotonic()
        log.info("process.started", process=self.name, pid=self.process.pid)

    def look(self) -> None:
        """Notice an end, and start again once the pause after it is over."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.not_before:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        self.failures = 0 if now - self.started > _WELL_AFTER_SECONDS else self.failures + 1
        wait = min(
            _FIRST_BACKOFF_SECONDS * 2 ** min(self.failures - 1, 10), _LONGEST_BACKOFF_SECONDS
        )
        self.process, self.not_before = None, now + wait
        tell = log.error if code else log.info
        event = "process.died" if code else "process.ended"
        tell(event, process=self.name, code=code, again_in_seconds=wait)


def supervise(
    commands: Mapping[str, Sequence[str]],
    *,
    until: Callable[[], bool] = lambda: False,
    grace: timedelta = GRACE,
) -> int:
    """Run every command until SIGTERM, SIGINT or SIGHUP comes or `until()` is true.

    Each is started with `--supervised-by` and this process's id; one that dies is started again
    after a pause that doubles. The first is ended last: the others may need it to end well. Those
    that have not ended after `grace` are killed. Returns 0, or 128 and the signal's number for
    SIGINT.
    """
    stopping = threading.Event()
    received: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        stopping.set()

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    children = [
        _Child(name, (*command, "--supervised-by", str(os.getpid())))
        for name, command in commands.items()
    ]
    try:
        while not stopping.is_set() and not until():
            for child in children:
                child.look()
            pause(_LOOK_SECONDS, interrupted_by=stopping)
    finally:
        deadline = time.monotonic() + grace.total_seconds()
        _end(children[1:], deadline)
        _end(children[:1], deadline)
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 + signal.SIGINT if signal.SIGINT in received else 0


def _end(children: Sequence[_Child], deadline: float) -> None:
    """Ask every process to end, wait for them, and kill those that do not."""
    living = [child for child in children if child.process is not None]
    for child in living:
        assert child.process is not None  # chosen above
        child.process.terminate()
    for child in living:
        assert child.process is not None
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("process.killed", process=child.name)
            child.process.kill()
            child.process.wait()
        log.info("process.ended", process=child.name)
