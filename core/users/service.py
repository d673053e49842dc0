"""Adding people, and telling who is calling."""

import re
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from core.clock import Clock
from core.db import Database, Transaction
from core.ids import UserId, new_id
from core.security import hash_password, verify_password
from core.users.codes import Codes
from core.users.keys import keep_key, parse_public_key
from core.users.model import (
    KeyInvalidError,
    LoginRefusedError,
    Role,
    User,
    UserExistsError,
    UserNameInvalidError,
)
from core.users.rows import user_row
from core.users.tables import SshKeyRow, UserRow
from core.users.tokens import Tokens

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class Users:
    """Everybody who may log in."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._tokens = Tokens(database, clock)
        self.codes = Codes(database, clock, self._tokens)

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
                user_row(transaction.session, name).password_hash = hashed
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
            return _user(user_row(session, name))

    def everybody(self) -> tuple[User, ...]:
        """Return every user, by name."""
        with self._database.reading() as session:
            return tuple(_user(r) for r in session.scalars(select(UserRow).order_by(UserRow.name)))

    def set_password(self, name: str, password: str) -> None:
        """Give somebody a new password and end their API sessions; raises UserUnknownError."""
        hashed = hash_password(password)
        with self._tokens.withdrawing() as transaction:
            row = user_row(transaction.session, name)
            row.password_hash = hashed
            self._tokens.withdraw_all(transaction, UserId(row.id))

    def add_key(self, name: str, public_key: str) -> str:
        """Let somebody in by an OpenSSH public key (a line of a `.pub` file); return its SHA-256.

        Raises UserUnknownError, KeyInvalidError.
        """
        with self._database.transaction() as transaction:
            return keep_key(
                transaction.session,
                user_row(transaction.session, name).id,
                public_key,
                at=self._clock.now(),
            )

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

    def owner_of_key(self, public_key: str) -> User | None:
        """Return whose key this is; `None` when it is nobody's, or several people's."""
        try:
            _, fingerprint = parse_public_key(public_key)
        except KeyInvalidError:
            return None
        with self._database.reading() as session:
            owners = session.scalars(
                select(UserRow)
                .join(SshKeyRow, SshKeyRow.user_id == UserRow.id)
                .where(SshKeyRow.fingerprint == fingerprint)
                .limit(2)
            ).all()
        return _user(owners[0]) if len(owners) == 1 else None

    def without_way_in(self, names: Collection[str]) -> frozenset[str]:
        """Return the trainees among `names` who have neither a password nor a key.

        Staff are left out: whoever is handed their code would have their rights.
        """
        with self._database.reading() as session:
            return frozenset(
                session.scalars(
                    select(UserRow.name)
                    .outerjoin(SshKeyRow, SshKeyRow.user_id == UserRow.id)
                    .where(
                        UserRow.name.in_(names),
                        UserRow.role == Role.TRAINEE.value,
                        UserRow.password_hash.is_(None),
                        SshKeyRow.user_id.is_(None),
                    )
                )
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
        return self._tokens.issue(user)

    def of_token(self, token: str) -> User | None:
        """Return whose token this is; `None` when it is unknown, expired or withdrawn."""
        return self._tokens.owner(token)

    def of_token_at_hand(self, token: str) -> User | None:
        """Return whose token this is if the database told so a moment ago; nothing is read."""
        return self._tokens.at_hand(token)

    def withdraw_token(self, token: str) -> None:
        """End a token's life; one that is unknown is no error."""
        self._tokens.withdraw(token)


def _user(row: UserRow) -> User:
    return User(
        id=UserId(row.id), name=row.name, role=Role(row.role), display_name=row.display_name
    )
