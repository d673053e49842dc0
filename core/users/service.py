"""Adding people, and telling who is calling."""

import base64
import binascii
import hashlib
import re
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, Transaction
from core.ids import UserId, new_id
from core.security import hash_password, new_token, token_digest, verify_password
from core.users.model import (
    KeyInvalidError,
    LoginRefusedError,
    Role,
    User,
    UserExistsError,
    UserNameInvalidError,
    UserUnknownError,
)
from core.users.tables import SshKeyRow, TokenRow, UserRow

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
TOKEN_LIFETIME = timedelta(hours=12)
_KEY_TYPES = re.compile(r"(ssh-|ecdsa-sha2-|sk-)[a-z0-9@.-]+")
_KEY_PARTS = 2


class Users:
    """Everybody who may log in."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(
        self, name: str, *, role: Role, password: str | None = None, display_name: str = ""
    ) -> User:
        """Add somebody; without a password they log in by key only.

        Raises UserNameInvalidError, UserExistsError.
        """
        hashed = hash_password(password) if password else None
        try:
            with self._database.transaction() as transaction:
                user = self.enrol(transaction, name, role=role, display_name=display_name)
                _row(transaction.session, name).password_hash = hashed
        except IntegrityError as error:
            raise UserExistsError(
                f"there is a user {name!r} already", hint="Choose another name"
            ) from error
        return user

    def enrol(
        self, transaction: Transaction, name: str, *, role: Role, display_name: str = ""
    ) -> User:
        """Add somebody within `transaction`, without a password; raises UserNameInvalidError."""
        if not _NAME.fullmatch(name):
            raise UserNameInvalidError(
                f"{name!r} cannot be a login name",
                hint="Use up to 32 of a-z, 0-9, - and _, beginning with a letter",
            )
        user = User(id=UserId(new_id()), name=name, role=role, display_name=display_name)
        transaction.session.add(
            UserRow(
                id=user.id,
                name=name,
                role=role.value,
                display_name=display_name,
                created_at=self._clock.now(),
            )
        )
        transaction.session.flush()
        return user

    def named(self, name: str) -> User:
        """Return the user of that name; raises UserUnknownError."""
        with self._database.reading() as session:
            return _user(_row(session, name))

    def everybody(self) -> tuple[User, ...]:
        """Return every user, by name."""
        with self._database.reading() as session:
            return tuple(_user(r) for r in session.scalars(select(UserRow).order_by(UserRow.name)))

    def set_password(self, name: str, password: str) -> None:
        """Give somebody a new password and end their API sessions; raises UserUnknownError."""
        hashed = hash_password(password)
        with self._database.transaction() as transaction:
            row = _row(transaction.session, name)
            row.password_hash = hashed
            transaction.session.execute(delete(TokenRow).where(TokenRow.user_id == row.id))

    def add_key(self, name: str, public_key: str) -> str:
        """Let somebody in by an OpenSSH public key (a line of a `.pub` file); return its SHA-256.

        Raises UserUnknownError, KeyInvalidError.
        """
        key, fingerprint = parse_public_key(public_key)
        with self._database.transaction() as transaction:
            user_id = _row(transaction.session, name).id
            if transaction.session.get(SshKeyRow, (user_id, fingerprint)) is None:
                transaction.session.add(
                    SshKeyRow(
                        user_id=user_id,
                        fingerprint=fingerprint,
                        public_key=key,
                        added_at=self._clock.now(),
                    )
                )
        return fingerprint

    def key_fingerprints(self, name: str) -> tuple[str, ...]:
        """Return the SHA-256 of each key that lets somebody in, oldest first."""
        with self._database.reading() as session:
            return tuple(
                session.scalars(
                    select(SshKeyRow.fingerprint)
                    .join(UserRow, UserRow.id == SshKeyRow.user_id)
                    .where(UserRow.name == name)
                    .order_by(SshKeyRow.added_at, SshKeyRow.fingerprint)
                )
            )

    def key_fits(self, name: str, public_key: str) -> bool:
        """Tell whether somebody added this key; one look-up, whoever asks."""
        try:
            _, fingerprint = parse_public_key(public_key)
        except KeyInvalidError:
            return False
        with self._database.reading() as session:
            return (
                session.scalar(
                    select(SshKeyRow.fingerprint)
                    .join(UserRow, UserRow.id == SshKeyRow.user_id)
                    .where(UserRow.name == name, SshKeyRow.fingerprint == fingerprint)
                )
                is not None
            )

    def password_fits(self, name: str, password: str) -> bool:
        """Tell whether name and password fit; an unknown name takes as long."""
        with self._database.reading() as session:
            hashed = session.scalar(select(UserRow.password_hash).where(UserRow.name == name))
        return verify_password(password, hashed)

    def log_in(self, name: str, password: str) -> tuple[User, str]:
        """Return who it is and a bearer token for TOKEN_LIFETIME; raises LoginRefusedError."""
        if not self.password_fits(name, password):
            raise LoginRefusedError(
                "name and password do not fit", hint="Check both; capitals count"
            )
        user = self.named(name)
        return user, self.issue_token(user)

    def issue_token(self, user: User) -> str:
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

    def of_token(self, token: str) -> User | None:
        """Return whose token this is; `None` when it is unknown, expired or withdrawn."""
        with self._database.reading() as session:
            row = session.scalar(
                select(UserRow)
                .join(TokenRow, TokenRow.user_id == UserRow.id)
                .where(
                    TokenRow.digest == token_digest(token),
                    TokenRow.expires_at > self._clock.now(),
                )
            )
            return _user(row) if row else None

    def withdraw_token(self, token: str) -> None:
        """End a token's life; one that is unknown is no error."""
        with self._database.transaction() as transaction:
            transaction.session.execute(
                delete(TokenRow).where(TokenRow.digest == token_digest(token))
            )


def parse_public_key(line: str) -> tuple[str, str]:
    """Return an OpenSSH public key without its comment, and its `SHA256:...` fingerprint.

    Raises KeyInvalidError.
    """
    parts = line.split()
    try:
        if len(parts) < _KEY_PARTS or not _KEY_TYPES.fullmatch(parts[0]):
            raise ValueError
        blob = base64.b64decode(parts[1], validate=True)
        name_length = int.from_bytes(blob[:4], "big")
        if blob[4 : 4 + name_length].decode("ascii") != parts[0]:
            raise ValueError
    except (ValueError, binascii.Error, UnicodeDecodeError) as error:
        raise KeyInvalidError(
            "this is not an OpenSSH public key", hint="Paste the one line of a .pub file"
        ) from error
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"{parts[0]} {parts[1]}", f"SHA256:{digest}"


def _row(session: Session, name: str) -> UserRow:
    row = session.scalar(select(UserRow).where(UserRow.name == name))
    if row is None:
        raise UserUnknownError(f"there is no user {name!r}", hint="`poligon user list` shows them")
    return row


def _user(row: UserRow) -> User:
    return User(
        id=UserId(row.id), name=row.name, role=Role(row.role), display_name=row.display_name
    )
