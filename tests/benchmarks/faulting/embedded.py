"""The backing that needs no server: SQLite's file and the queue's folder, both in the home."""

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

from core.waiting import pause
from tests.benchmarks.faulting.backing import Backing, Template, prepare_database
from tests.benchmarks.faulting.schedule import Kind

_QUICK_S = 0.005
_LOCK_PATIENCE_S = 10


def embedded_template(folder: Path) -> Template:
    """Make a template whose database is a file in `folder`."""
    file = folder / "template.db"
    instructor = prepare_database(f"sqlite:///{file}")

    @contextmanager
    def lend(home: Path) -> Iterator[Backing]:
        database, queue = home / "poligon.db", home / "queue"
        shutil.copyfile(file, database)
        yield Backing(
            database_url=f"sqlite:///{database}",
            broker_url="",
            acts={
                Kind.LOSE_MESSAGES: partial(_lose_messages, queue),
                Kind.DOUBLE_MESSAGES: partial(_double_messages, queue),
                Kind.LOCK_DATABASE: partial(_lock, database),
            },
        )

    return Template(instructor=instructor, lend=lend)


def _lock(database: Path, seconds: float) -> None:
    file = f"file:{database}?mode=rw"
    lock = sqlite3.connect(file, uri=True, timeout=_LOCK_PATIENCE_S, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        pause(seconds)
    finally:
        lock.close()


def _lose_messages(queue: Path, seconds: float) -> None:
    for message in _messages(queue, seconds):
        message.unlink(missing_ok=True)


def _double_messages(queue: Path, seconds: float) -> None:
    doubled: set[str] = set()
    for message in _messages(queue, seconds):
        if message.name not in doubled:
            twin = _twin(message)
            doubled |= {message.name, twin.name if twin is not None else message.name}


def _messages(queue: Path, seconds: float) -> Iterator[Path]:
    """Yield the messages that lie in the queue's folder, again and again for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield from queue.glob("*.msg")
        pause(_QUICK_S)


def _twin(message: Path) -> Path | None:
    """Leave the same message a second time; `None` when it is being written or was taken."""
    with suppress(OSError, ValueError):
        content = message.read_text()
        json.loads(content)
        number, _, rest = message.name.partition("_")
        twin = message.with_name(f"{number}_{uuid4()}.{rest.partition('.')[2]}")
        hidden = twin.with_suffix(".part")
        hidden.write_text(content)
        shutil.move(hidden, twin)
        return twin
    return None
