"""Asking an LRS again that fails now and then, and giving up on one that does not answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from core.waiting import pause
from scoring.lrs.lrs import LrsAwayError
from scoring.lrs.waiting import wait_after

_T = TypeVar("_T")

_PATIENCE = timedelta(seconds=1)


class Calling:
    """Calls of one round; `failures` is how many there were since one was last good.

    After the LRS was given up, `wait` is how long it is to be left alone.
    """

    def __init__(self, failures: int, roll: Callable[[], float]) -> None:
        self.failures = failures
        self.wait = timedelta()
        self._roll = roll

    def ask(self, call: Callable[[], _T]) -> _T:
        """Return what a call does, made again after brief waits; raises LrsAwayError."""
        while True:
            try:
                found = call()
            except LrsAwayError as error:
                self.failures += 1
                self.wait = wait_after(
                    self.failures, brief=error.brief, roll=self._roll(), asked=error.retry_after
                )
                if not error.brief or self.wait > _PATIENCE:
                    raise
                pause(self.wait.total_seconds())
            else:
                self.failures = 0
                return found
