"""Bringing a database to the shape that this program expects, and back."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from core.db import DatabaseUnavailableError
from core.errors import Fault, PoligonError

_SCRIPTS = Path(__file__).resolve().parent.parent / "migrations"


class DatabaseOutdatedError(PoligonError):
    """The database has another shape than this program expects."""

    code = "database.outdated"
    fault = Fault.UPSTREAM

    def __init__(self, *, found: str | None, wanted: str | None) -> None:
        super().__init__(
            f"the database is at version {found or 'none'} and this program needs {wanted}",
            hint="Run `poligon db upgrade`",
        )


def upgrade(url: str, to: str = "head") -> None:
    """Bring the database at `url` up to version `to`; raises DatabaseUnavailableError."""
    _run(command.upgrade, url, to)


def downgrade(url: str, to: str) -> None:
    """Take the database at `url` back to version `to` (`base` is empty)."""
    _run(command.downgrade, url, to)


def require_current(engine: Engine) -> None:
    """Raise DatabaseOutdatedError unless the database has the shape that is expected."""
    wanted = ScriptDirectory(str(_SCRIPTS)).get_current_head()
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        raise _unavailable(error) from error
    if found != wanted:
        raise DatabaseOutdatedError(found=found, wanted=wanted)


def _run(act: Callable[[Config, str], None], url: str, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    # Alembic's options are interpolated, and a password may hold a per cent sign.
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    try:
        act(config, to)
    except DBAPIError as error:
        raise _unavailable(error) from error


def _unavailable(error: DBAPIError) -> DatabaseUnavailableError:
    return DatabaseUnavailableError(
        f"the database cannot be used: {str(error.orig).strip()}",
        hint="Check its address, that it runs, and that its folder can be written",
    )
