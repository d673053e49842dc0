"""One-time codes: with one, somebody without a key or password gets the first of either."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database
from core.ids import UserId
from core.security import hash_password, new_password
from core.users.keys import keep_key
from core.users.model import CodeRefusedError, PasswordTooShortError
from core.users.rows import user_row
from core.users.tables import CodeRow, UserRow
from core.users.tokens import Tokens

CODE_LIFETIME = timedelta(hours=24)
SHORTEST_PASSWORD = 10


class Codes:
    """At most one code a person; a new one withdraws the one before."""

    def __init__(self, database: Database, clock: Clock, tokens: Tokens) -> None:
        self._database = database
        self._clock = clock
        self._tokens = tokens

    def issue(self, name: str, *, lasts: timedelta = CODE_LIFETIME) -> tuple[str, datetime]:
        """Return a new code of 60 bits and when it expires; only its digest is kept.

        Raises UserUnknownError.
        """
        code, now = new_password(), self._clock.now()
        with self._database.transaction() as transaction:
            session = transaction.session
            user_id = user_row(session, name).id
            session.merge(
                CodeRow(
                    user_id=user_id,
                    digest=_digest(user_id, code),
                    created_at=now,
                    expires_at=now + lasts,
                )
            )
        return code, now + lasts

    def fits(self, name: str, code: str) -> bool:
        """Tell whether this is somebody's code, neither used nor expired; it stays good."""
        expires = self._expiry(name, code)
        return expires is not None and expires > self._clock.now()

    def has_expired(self, name: str, code: str) -> bool:
        """Tell whether this was somebody's last code, was not used, and its time is over."""
        expires = self._expiry(name, code)
        return expires is not None and expires <= self._clock.now()

    def _expiry(self, name: str, code: str) -> datetime | None:
        """Return until when somebody's code is good; None when theirs is not this one."""
        with self._database.reading() as session:
            row = session.execute(
                select(CodeRow.user_id, CodeRow.digest, CodeRow.expires_at)
                .join(UserRow, UserRow.id == CodeRow.user_id)
                .where(UserRow.name == name)
            ).one_or_none()
        if row is None or row.digest != _digest(row.user_id, code):
            return None
        expires: datetime = row.expires_at
        return expires

    def enrol_key(self, name: str, code: str, public_key: str) -> str:
        """Use the code for a public key; return the key's SHA-256.

        Raises UserUnknownError, KeyInvalidError (the code stays good), CodeRefusedError.
        """
        with self._database.transaction() as transaction:
            session = transaction.session
            user_id = user_row(session, name).id
            fingerprint = keep_key(session, user_id, public_key, at=self._clock.now())
            self._use(session, user_id, code)
        return fingerprint

    def enrol_password(self, name: str, code: str, password: str) -> None:
        """Use the code for a password, and end the person's API sessions.

        Raises UserUnknownError, PasswordTooShortError (the code stays good), CodeRefusedError.
        """
        if len(password) < SHORTEST_PASSWORD:
            raise PasswordTooShortError(
                f"a password has at least {SHORTEST_PASSWORD} characters", hint="Choose another"
            )
        hashed = hash_password(password)
        with self._tokens.withdrawing() as transaction:
            session = transaction.session
            row = user_row(session, name)
            self._use(session, row.id, code)
            row.password_hash = hashed
            self._tokens.withdraw_all(transaction, UserId(row.id))

    def _use(self, session: Session, user_id: str, code: str) -> None:
        """Take the code away; of two who use it at once one is refused."""
        used = session.execute(
            delete(CodeRow).where(
                CodeRow.user_id == user_id,
                CodeRow.digest == _digest(user_id, code),
                CodeRow.expires_at > self._clock.now(),
            )
        )
        assert isinstance(used, CursorResult)
        if used.rowcount != 1:
            raise CodeRefusedError(
                "this code is wrong, was used or has expired",
                hint="Ask your instructor for another",
            )


def _digest(user_id: str, code: str) -> str:
    """Return the SHA-256 that is kept: quick is enough for 60 random bits that live for a day."""
    return hashlib.sha256(f"{user_id}:{code.strip().lower()}".encode()).hexdigest()
