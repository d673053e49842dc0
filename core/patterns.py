"""Regular expressions of authors, in RE2's syntax: no text makes one take more than linear time."""

from functools import lru_cache
from typing import Protocol

import re2

MAX_PATTERN = 500
_MOST_MEMORY = 1 << 20  # of one expression; `(x{1000}){100}` asks for more and is refused


class _Expression(Protocol):
    def fullmatch(self, text: bytes) -> object | None: ...


class PatternRefusedError(ValueError):
    """The engine does not take an expression."""


def require_pattern(pattern: str) -> str:
    """Return the expression if the engine takes it; raises PatternRefusedError."""
    _compiled(pattern)
    return pattern


def fits(pattern: str, text: str) -> bool:
    """Tell whether the whole text is as the expression says; raises PatternRefusedError."""
    return _compiled(pattern).fullmatch(text.encode(errors="replace")) is not None


def literal(text: str) -> str:
    """Return an expression of exactly this text."""
    return str(re2.escape(text))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> _Expression:
    if len(pattern) > MAX_PATTERN:
        raise PatternRefusedError(f"an expression has at most {MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MOST_MEMORY
    try:
        expression: _Expression = re2.compile(pattern.encode(errors="replace"), options)
    except re2.error as exc:
        reason = bytes(exc.args[0]).decode(errors="replace")
        raise PatternRefusedError(f"RE2 does not take this expression: {reason}") from exc
    return expression
