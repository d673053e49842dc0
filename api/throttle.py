"""Slowing down whoever guesses passwords, without locking a class out.

Counted are wrong passwords: per account first, per address second and generously, because a room of
forty shares one. In memory and per process: a restart forgets, which costs an attacker nothing
worth having against passwords of 60 bits.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from api.errors import TooManyLoginsError
from core.clock import Clock
from core.users.model import LoginRefusedError

_WINDOW = timedelta(minutes=5)
_PER_ACCOUNT = 10
_PER_ADDRESS = 400
# Names and addresses are the attacker's choice; beyond this many, those out of the window go.
_REMEMBERED = 10_000


class LoginThrottle:
    """Counts wrong passwords in the last five minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[tuple[str, str], deque[datetime]] = {}

    @contextmanager
    def attempt(self, *, account: str, address: str) -> Iterator[None]:
        """Run one attempt in the block; a LoginRefusedError that leaves it is counted.

        Raises TooManyLoginsError instead of running it when there were too many.
        """
        limits = {("account", account): _PER_ACCOUNT, ("address", address): _PER_ADDRESS}
        # Counted beforehand and taken back afterwards: attempts at the same time count, too.
        at = self._book(limits)
        try:
            yield
        except LoginRefusedError:
            raise
        except BaseException:
            self._take_back(limits, at)
            raise
        self._take_back(limits, at)

    def _book(self, limits: dict[tuple[str, str], int]) -> datetime:
        now = self._clock.now()
        with self._lock:
            if len(self._failures) > _REMEMBERED:
                self._failures = {k: q for k, q in self._failures.items() if _recent(q, now)}
            for key, limit in limits.items():
                failures = _recent(self._failures.setdefault(key, deque()), now)
                if len(failures) >= limit:
                    raise TooManyLoginsError(
                        f"there were too many wrong passwords for this {key[0]}",
                        seconds=int((failures[0] + _WINDOW - now).total_seconds()) + 1,
                    )
            for key in limits:
                self._failures[key].append(now)
        return now

    def _take_back(self, limits: dict[tuple[str, str], int], at: datetime) -> None:
        with self._lock:
            for key in limits:
                failures = self._failures.get(key)
                if failures and at in failures:
                    failures.remove(at)
                if not failures:
                    self._failures.pop(key, None)


def _recent(failures: deque[datetime], now: datetime) -> deque[datetime]:
    while failures and failures[0] <= now - _WINDOW:
        failures.popleft()
    return failures
