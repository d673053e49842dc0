"""The second line against guessing: an address from which many accounts are tried in vain."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

from core.clock import Clock, SystemClock
from orchestrator.gateway.limits import Limits

_MOST_REMEMBERED = 10_000


@dataclass(slots=True)
class _Trouble:
    last: datetime
    failures: int = 0
    accounts: set[str] = field(default_factory=set)
    until: datetime | None = None


class Bans:
    """Which addresses may try no passwords or codes for some minutes; keys are never banned.

    Forty people of a room share one address, so it takes very many failures of many accounts, and
    everybody who gets in halves the count.
    """

    def __init__(self, limits: Limits | None = None, clock: Clock | None = None) -> None:
        self._limits = limits or Limits()
        self._clock = clock or SystemClock()
        self._trouble: OrderedDict[str, _Trouble] = OrderedDict()

    def until(self, source: str) -> datetime | None:
        """Return when the address may try again; `None` when it may now."""
        found = self._trouble.get(source)
        if found is None or found.until is None:
            return None
        if found.until <= self._clock.now():
            del self._trouble[source]
            return None
        return found.until

    def failed(self, source: str, account: str) -> bool:
        """Count a wrong password or code; tell whether the address is banned by this one."""
        now = self._clock.now()
        found = self._trouble.pop(source, None)
        if found is None or now - found.last > self._limits.forgiven_after:
            found = _Trouble(last=now)
        self._trouble[source] = found
        if len(self._trouble) > _MOST_REMEMBERED:
            self._trouble.popitem(last=False)
        found.last = now
        found.failures += 1
        if len(found.accounts) < self._limits.ban_accounts:
            found.accounts.add(account)
        enough = found.failures >= self._limits.ban_failures
        if found.until or not enough or len(found.accounts) < self._limits.ban_accounts:
            return False
        found.until = now + self._limits.ban_time
        return True

    def succeeded(self, source: str) -> None:
        """Halve the count: somebody behind the address is who they say."""
        if found := self._trouble.get(source):
            found.failures //= 2

    def now(self) -> dict[str, datetime]:
        """Return the banned addresses, and until when each is."""
        listed = {source: self.until(source) for source in tuple(self._trouble)}
        return {source: until for source, until in listed.items() if until is not None}
