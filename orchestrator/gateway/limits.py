"""How much may be asked of a gateway, by strangers and by those inside."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one gateway process bears. All trainees of a site may share one address."""

    strangers: int = 512
    strangers_per_source: int = 256
    login_time: timedelta = timedelta(seconds=30)
    keys_per_connection: int = 20  # an agent offers all it has
    passwords_per_connection: int = 5
    sessions_per_connection: int = 10  # as OpenSSH's MaxSessions
    keepalive: timedelta = timedelta(seconds=15)
    keepalives_unanswered: int = 4
    forwards_per_connection: int = 64  # a browser behind -D opens some dozens
    first_delay: timedelta = timedelta(milliseconds=250)
    longest_delay: timedelta = timedelta(seconds=4)
    forgiven_after: timedelta = timedelta(minutes=10)
    ban_failures: int = 200
    ban_accounts: int = 20
    ban_time: timedelta = timedelta(minutes=5)
    enrolling_time: timedelta = timedelta(minutes=5)
    sessions_per_person: int = 12
    sessions_per_team: int = 60
    idle: timedelta = timedelta(hours=8)
    session_time: timedelta = timedelta(hours=24)

    def overstayed(self, *, open_for: timedelta, idle_for: timedelta, terminal: bool) -> str:
        """Return why a session has lasted too long, or nothing. Only terminals are ever idle."""
        if open_for > self.session_time:
            return f"This session was open for {_spoken(self.session_time)}; log in again"
        if terminal and idle_for > self.idle:
            return f"Nothing was typed here for {_spoken(self.idle)}; log in again"
        return ""


def _spoken(time: timedelta) -> str:
    minutes = round(time.total_seconds() / 60)
    return f"{minutes} minutes" if minutes % 60 else f"{minutes // 60} hours"


class Lobby:
    """Counts the connections that have not logged in yet, in total and by source."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: Counter[str] = Counter()

    def admit(self, source: str) -> bool:
        """Tell whether one more may wait, and count it; `leave` must follow."""
        full = self._waiting.total() >= self._limits.strangers
        if full or self._waiting[source] >= self._limits.strangers_per_source:
            return False
        self._waiting[source] += 1
        return True

    def __len__(self) -> int:
        """Return how many wait."""
        return self._waiting.total()

    def leave(self, source: str) -> None:
        """Count one less: it logged in or went."""
        self._waiting[source] -= 1
        if not self._waiting[source]:
            del self._waiting[source]


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class Guesses:
    """How long the next password try for an account waits.

    The wait comes before the check, so that nobody skips it by hanging up, and it has an upper end,
    so that nobody locks another one out. Keys never wait.
    """

    _MOST_REMEMBERED = 10_000

    def __init__(self, limits: Limits, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def delay(self, account: str) -> timedelta:
        """Return the wait before the next try: none, then 250 ms doubling up to 4 s."""
        failures = self._failures.get(account)
        if not failures:
            return timedelta()
        if self._monotonic() - failures.last > self._limits.forgiven_after.total_seconds():
            del self._failures[account]
            return timedelta()
        doubled: int = 1 << min(failures.count - 1, 10)
        return min(self._limits.first_delay * doubled, self._limits.longest_delay)

    def failed(self, account: str) -> int:
        """Remember a wrong password, and return how many there were since the last right one.

        The oldest accounts are forgotten beyond 10 000.
        """
        before = self._failures.pop(account, None)
        count = before.count + 1 if before else 1
        self._failures[account] = _Failures(count=count, last=self._monotonic())
        if len(self._failures) > self._MOST_REMEMBERED:
            self._failures.popitem(last=False)
        return count

    def succeeded(self, account: str) -> None:
        """Forget the wrong ones."""
        self._failures.pop(account, None)
