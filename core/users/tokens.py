"""Bearer tokens: issued, withdrawn, and looked up, which most requests begin with."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import bindparam, delete, select

from core.clock import Clock
from core.db import Database, Transaction, table_of
from core.ids import UserId
from core.security import new_token, token_digest
from core.users.model import Role, User
from core.users.tables import TokenRow, UserRow

TOKEN_LIFETIME = timedelta(hours=12)
TRUSTED = timedelta(seconds=1)
"""For how long holds what the database told: so long a token may still open one process that
another one withdrew."""
_LATELY = timedelta(minutes=1)
_MOST_KEPT = 4096

_USERS, _TOKENS = table_of(UserRow).c, table_of(TokenRow).c
_OF_TOKENS = (
    select(
        _TOKENS.digest,
        _TOKENS.expires_at,
        _USERS.id,
        _USERS.name,
        _USERS.role,
        _USERS.display_name,
    )
    .join_from(table_of(UserRow), table_of(TokenRow), _TOKENS.user_id == _USERS.id)
    .where(
        _TOKENS.digest.in_(bindparam("digests", expanding=True)),
        _TOKENS.expires_at > bindparam("now"),
    )
)


@dataclass(slots=True, kw_only=True)
class _Told:
    """Whose a token is, as the database told it at `told_at`; `era` ends with each withdrawal."""

    user: User
    expires_at: datetime
    told_at: datetime
    era: object
    used_at: datetime


class Tokens:
    """Who each token is. Nothing is kept of one that is unknown."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._told: dict[str, _Told] = {}
        self._asking = Lock()
        self._era = object()

    def issue(self, user: User) -> str:
        """Return a new bearer token of `user`, good for TOKEN_LIFETIME."""
        token = new_token()
        now = self._clock.now()
        with self._database.transaction() as transaction:
            transaction.session.execute(delete(TokenRow).where(TokenRow.expires_at < now))
            transaction.session.add(
                TokenRow(
                    digest=token_digest(token),
                    user_id=user.id,
                    created_at=now,
                    expires_at=now + TOKEN_LIFETIME,
                )
            )
        return token

    def at_hand(self, token: str) -> User | None:
        """Return whose token this is if the database told so a moment ago; it is not asked now."""
        return self._at_hand(token_digest(token), self._clock.now())

    def owner(self, token: str) -> User | None:
        """Return whose token this is; `None` when it is unknown, expired or withdrawn."""
        digest = token_digest(token)
        if digest not in self._told:
            return self._ask({digest}).get(digest)
        with self._asking:
            # Whoever waited finds it told: one asks for all who came lately.
            user = self._at_hand(digest, self._clock.now())
            return user or self._ask({digest} | self._lately()).get(digest)

    def withdraw(self, token: str) -> None:
        """End a token's life; one that is unknown is no error."""
        with self.withdrawing() as transaction:
            transaction.session.execute(
                delete(TokenRow).where(TokenRow.digest == token_digest(token))
            )

    def withdraw_all(self, transaction: Transaction, user: UserId) -> None:
        """End the life of all of somebody's, in a transaction of `withdrawing`."""
        transaction.session.execute(delete(TokenRow).where(TokenRow.user_id == user))

    @contextmanager
    def withdrawing(self) -> Iterator[Transaction]:
        """Give a transaction in which tokens end; from its end on nothing told before holds here.

        Not even when it failed: it may have been committed all the same.
        """
        try:
            with self._database.transaction() as transaction:
                yield transaction
        finally:
            self._era = object()

    def _at_hand(self, digest: str, now: datetime) -> User | None:
        told = self._told.get(digest)
        if (
            told is None
            or told.era is not self._era
            # A wall clock that was set back ends it, too.
            or not told.told_at <= now < min(told.told_at + TRUSTED, told.expires_at)
        ):
            return None
        told.used_at = now
        return told.user

    def _lately(self) -> AbstractSet[str]:
        """Return the tokens that were used lately, and forget the others."""
        since = self._clock.now() - _LATELY
        self._told = {d: told for d, told in self._told.copy().items() if told.used_at > since}
        return self._told.keys()

    def _ask(self, digests: AbstractSet[str]) -> Mapping[str, User]:
        """Return token → whose it is, as the database tells it now."""
        # Before it is asked: what is withdrawn meanwhile makes the answer an old one.
        era, now = self._era, self._clock.now()
        with self._database.reading() as session:
            rows = session.execute(_OF_TOKENS, {"digests": list(digests), "now": now}).all()
        if len(self._told) + len(rows) > _MOST_KEPT:
            self._told = {}
        found: dict[str, User] = {}
        for digest, expires_at, id_, name, role, display_name in rows:
            user = User(id=UserId(id_), name=name, role=Role(role), display_name=display_name)
            before = self._told.get(digest)
            self._told[digest] = _Told(
                user=user,
                expires_at=expires_at,
                told_at=now,
                era=era,
                used_at=before.used_at if before is not None else now,
            )
            found[digest] = user
        for gone in digests - found.keys():
            self._told.pop(gone, None)
        return found
