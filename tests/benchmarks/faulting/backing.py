"""What stands behind a site's processes: a database, and a queue of jobs. Both can be broken."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from core.clock import SystemClock
from core.db import Database
from core.migration import upgrade
from core.security import new_password
from core.users.model import Role
from core.users.service import Users
from tests.benchmarks.faulting.schedule import Kind
from tests.fakes.queue import RecordingQueue

KINDS = frozenset(
    {
        Kind.LOSE_MESSAGES,
        Kind.DOUBLE_MESSAGES,
        Kind.LOCK_DATABASE,
        Kind.KILL_BROKER,
        Kind.KILL_DATABASE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """The database and the queue of one site; an empty `broker_url` is the embedded queue's.

    `acts` has what can go wrong with them, of KINDS: each is done for so many seconds.
    """

    database_url: str
    broker_url: str
    acts: Mapping[Kind, Callable[[float], None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The instructor of every site."""

    name: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What the sites of a run begin with: a database with an instructor in it, and no messages.

    `lend` gives a copy to a site by its home, for as long as the block lasts.
    """

    instructor: Login
    lend: Callable[[Path], AbstractContextManager[Backing]]


def prepare_database(url: str) -> Login:
    """Give an empty database its tables and an instructor."""
    login = Login(name="ina", password=new_password())
    upgrade(url)
    opened = Database(url, queue=RecordingQueue())
    Users(opened, SystemClock()).add(login.name, role=Role.INSTRUCTOR, password=login.password)
    opened.close()
    return login
