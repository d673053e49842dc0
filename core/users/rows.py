"""Finding a user's row."""

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
