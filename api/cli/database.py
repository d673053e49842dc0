"""`poligon db`, and the database's shape before anything else begins."""

from collections.abc import Iterator
from contextlib import contextmanager

from api.bootstrap import Services, open_services
from api.cli.output import Json, reporting
from core.db import open_engine
from core.migration import DatabaseOutdatedError, require_current, upgrade
from core.settings import Settings, read_settings


def upgrade_command(*, as_json: Json = False) -> None:
    """Bring the database to what this version needs. Example: poligon db upgrade."""
    with reporting(as_json=as_json) as output:
        settings = read_settings()
        current = is_current(settings)
        if not current:
            upgrade(settings.effective_database_url())
        output.data({"upgraded": not current})
        output.line("The database was current already" if current else "The database is current")


def is_current(settings: Settings) -> bool:
    """Tell whether the database has the shape that this version needs."""
    try:
        check_current(settings)
    except DatabaseOutdatedError:
        return False
    return True


def check_current(settings: Settings) -> None:
    """Raise DatabaseOutdatedError when it has another shape, DatabaseUnavailableError."""
    engine = open_engine(settings.effective_database_url())
    try:
        require_current(engine)
    finally:
        engine.dispose()


def have_current(settings: Settings) -> None:
    """Upgrade the embedded database; raise DatabaseOutdatedError for a site's own.

    A site upgrades its PostgreSQL when it chooses to, with a backup at hand.
    """
    if settings.database_url.get_secret_value():
        check_current(settings)
    elif not is_current(settings):
        upgrade(settings.effective_database_url())


@contextmanager
def services_ready() -> Iterator[Services]:
    """Give the services over a database that is in the right shape, and close them."""
    settings = read_settings()
    have_current(settings)
    services = open_services(settings)
    try:
        yield services
    finally:
        services.close()
