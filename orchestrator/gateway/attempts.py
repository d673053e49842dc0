"""What one connection tries to prove who it is, and what wrong tries cost."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from core.errors import PoligonError
from orchestrator.doorkeeper import Doorkeeper
from orchestrator.gateway.bans import Bans
from orchestrator.gateway.chronicle import Chronicle
from orchestrator.gateway.enrolment import Secret
from orchestrator.gateway.facts import Refusal
from orchestrator.gateway.limits import Guesses, Limits
from orchestrator.terminal.book import Turned

_log = structlog.get_logger()

# A person's name as `core.users` takes it, then a host, or a team and a host, or with the exercise
# before. Everything else is answered like a wrong password and never asked of the database.
_LOGIN = re.compile(r"[a-z][a-z0-9_-]{0,31}(\.[a-z0-9][a-z0-9_-]{0,62}){0,3}")


_RIGHT = frozenset({Secret.PASSWORD, Secret.CODE})
# Three is a bad morning. Later ones are told ever more rarely, so that a flood writes little.
_TOLD_AT = frozenset(5 * 2**times for times in range(12))


def account_of(login: str) -> str:
    """Return the name of who logs in, whatever place the login names."""
    return login.partition(".")[0]


@dataclass(kw_only=True)
class Attempts:
    """The tries of one connection; `turn_away` closes it with a sentence.

    The rest is shared by all connections: `checks` bounds how many passwords are checked at once,
    `refused` counts by reason.
    """

    source: str
    turn_away: Callable[[str], None]
    doorkeeper: Doorkeeper
    limits: Limits
    guesses: Guesses
    bans: Bans
    checks: asyncio.Semaphore
    refused: Counter[str]
    chronicle: Chronicle

    def __post_init__(self) -> None:
        self._passwords_left = self.limits.passwords_per_connection
        self._keys_left = self.limits.keys_per_connection
        self._by_key: set[str] = set()

    async def key(self, login: str, public_key: str) -> str | None:
        """Return the login that the key stands for; of staff it may be another than was typed."""
        self._keys_left -= 1
        if self._keys_left < 0:
            self.turn_away("too many keys were offered; name one with: ssh -i FILE")
            return None
        if not _LOGIN.fullmatch(login):
            return None
        door = self.doorkeeper
        try:
            if await asyncio.to_thread(door.key_fits, login, public_key):
                return login
            known_as = await asyncio.to_thread(door.staff_login, login, public_key)
        except PoligonError as error:
            self._cannot_check(error)
            return None
        if known_as is None:
            self.refused[Refusal.KEY] += 1
            self._by_key.add(account_of(login))
        return known_as

    def gave_up(self) -> None:
        """Tell of the names for which no key fitted: the client left, and was not let in.

        A key that does not fit is no fault before that: an agent offers all that it has.
        """
        for name in self._by_key:
            self._tell(name, Turned.KEY)

    def certificate(self, login: str) -> bool:
        """Tell whether a certificate may be looked at for this login; it counts as a key."""
        self._keys_left -= 1
        return self._keys_left >= 0 and bool(_LOGIN.fullmatch(login))

    async def secret(self, login: str, secret: str, *, codes: bool) -> Secret:
        """Tell what was typed, later the more wrong ones came before; codes only where asked."""
        self._passwords_left -= 1
        if self._passwords_left < 0:
            return Secret.WRONG  # said together with others, before the last of them was judged
        if until := self.bans.until(self.source):
            self.refused[Refusal.BANNED] += 1
            self.turn_away(
                "too many wrong passwords came from this address; keys enter still,"
                f" passwords again at {until:%H:%M} UTC"
            )
            return Secret.WRONG
        # One account for all that cannot exist.
        account = account_of(login) if _LOGIN.fullmatch(login) else ""
        await asyncio.sleep(self.guesses.delay(account).total_seconds())
        found = await self._judged(login, secret, account, codes=codes)
        if found not in _RIGHT:
            self.refused[Refusal.SECRET] += 1
            _log.info("login.refused", source=self.source)
            if self._passwords_left <= 0:
                self.turn_away("too many wrong passwords")
        return found

    async def _judged(self, login: str, secret: str, account: str, *, codes: bool) -> Secret:
        found = Secret.WRONG
        try:
            if account:
                found = await self._checked(login, secret, codes=codes)
        except PoligonError as error:
            self._cannot_check(error)
            return Secret.WRONG
        finally:  # a client that hangs up meanwhile does not get the try for free
            self._count(account, right=found in _RIGHT)
        return found

    async def _checked(self, login: str, secret: str, *, codes: bool) -> Secret:
        door = self.doorkeeper
        async with self.checks:
            if await asyncio.to_thread(door.password_fits, login, secret):
                return Secret.PASSWORD
        if not codes:
            return Secret.WRONG
        if await asyncio.to_thread(door.code_fits, login, secret):
            return Secret.CODE
        if await asyncio.to_thread(door.code_expired, login, secret):
            self._tell(account_of(login), Turned.CODE)
            return Secret.EXPIRED
        return Secret.WRONG

    def _count(self, account: str, *, right: bool) -> None:
        if right:
            self.guesses.succeeded(account)
            return
        wrong = self.guesses.failed(account)
        if account and wrong in _TOLD_AT:
            self.chronicle.guessed(account, self.source, wrong)
        if self.bans.failed(self.source, account):
            _log.warning("login.source_banned", source=self.source)

    def _tell(self, name: str, why: Turned) -> None:
        self.chronicle.turned_away(name, why, source=self.source)

    def _cannot_check(self, error: PoligonError) -> None:
        _log.error("login.not_checked", error=str(error))
        self.turn_away("logins cannot be checked just now; try again shortly")
