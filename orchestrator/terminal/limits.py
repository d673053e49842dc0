"""What one terminal session may take of everybody's, and how long one is kept."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalLimits:
    """What a terminal may show, and how patient a session is."""

    burst_bytes: int = 8 * 1024 * 1024
    bytes_per_second: int = 1_000_000
    keep: timedelta = timedelta(minutes=5)
    """How long a login shell lives on after its client went; zero ends it at once."""
    kept_per_person: int = 3
    host_wait: timedelta = timedelta(minutes=2)
    """How long a terminal waits for a host that went under it; zero ends it at once."""
    host_look: timedelta = timedelta(seconds=1)


class TokenBucket:
    """Lets a burst pass at once, and what comes after it at a steady rate."""

    def __init__(
        self,
        *,
        burst: int,
        rate: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = burst
        self._rate = rate
        self._monotonic = monotonic
        self._tokens = float(burst)
        self._counted = monotonic()

    def take(self, size: int) -> float:
        """Take `size` bytes that came; return the seconds to wait before the next."""
        now = self._monotonic()
        earned = (now - self._counted) * self._rate
        self._tokens = min(self._burst, self._tokens + earned) - size
        self._counted = now
        return max(0.0, -self._tokens / self._rate)
