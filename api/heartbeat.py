"""The worker's sign of life: a file in the site's home, touched with every sweep."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.settings import Settings

_FRESH = timedelta(seconds=15)


def sign_of_life(settings: Settings) -> Callable[[], None]:
    """Return what a worker calls with every sweep."""
    file = _file(settings)

    def sign() -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()

    return sign


def worker_seen(settings: Settings, now: datetime) -> bool:
    """Tell whether a worker gave a sign of life in the last 15 seconds."""
    try:
        touched = datetime.fromtimestamp(_file(settings).stat().st_mtime, UTC)
    except FileNotFoundError:
        return False
    return now - touched < _FRESH


def _file(settings: Settings) -> Path:
    return settings.home / "worker.seen"
