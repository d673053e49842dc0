"""Finding users' rows."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.users.model import UserUnknownError
from core.users.tables import UserRow


def user_row(session: Session, name: str) -> UserRow:
    """Return the row of that name; raises UserUnknownError."""
    row = session.scalar(select(UserRow).where(UserRow.name == name))
    if row is None:
        raise UserUnknownError(f"there is no user {name!r}", hint="`poligon user list` shows them")
    return row


def login_names(session: Session, users: Iterable[str]) -> Mapping[str, str]:
    """Return the login names of users by their ids, of those who are still known."""
    of_them = UserRow.id.in_(set(users))
    return dict(session.execute(select(UserRow.id, UserRow.name).where(of_them)).all())
