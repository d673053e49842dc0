"""One root error, and whose turn it is to act.

An error is named after the fact. Its text says what is and what was wanted; `hint` says what to do
next. HTTP status, exit code and retry are decided from `fault` at the edge, in one table each.
"""

from enum import StrEnum
from typing import ClassVar


class Fault(StrEnum):
    """Who must act for the call to succeed."""

    INPUT = "input"  # the caller: what was sent is wrong
    MISSING = "missing"  # the caller: it is not there, or not theirs to see
    DENIED = "denied"  # the caller: they may not
    CONFLICT = "conflict"  # the caller: not in this state
    UPSTREAM = "upstream"  # the operator: engine, database, broker or disk; a retry may help
    BUG = "bug"  # us


class PoligonError(Exception):
    """Root of every error that we raise on purpose.

    `code` is stable and dotted (`exercise.illegal_move`); clients may rely on it.
    """

    code: ClassVar[str] = "bug"
    fault: ClassVar[Fault] = Fault.BUG

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class TryLaterError(PoligonError):
    """The same call may be good in `seconds`."""

    code = "request.try_later"
    fault = Fault.CONFLICT

    def __init__(self, message: str, *, seconds: int, hint: str = "") -> None:
        super().__init__(message, hint=hint or f"Try again in {seconds} s")
        self.seconds = seconds
