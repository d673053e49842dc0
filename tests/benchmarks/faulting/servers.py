"""The backing of a grown-up site: PostgreSQL and Redis, each a container that can be killed.

They run on this machine's engine, which no fault touches, from the deployment's own images.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import docker
from docker.models.containers import Container
from redis import Redis
from sqlalchemy import Engine, inspect, make_url, text
from sqlalchemy.exc import OperationalError

from core.db import open_engine
from core.waiting import pause, until
from tests.benchmarks.faulting.backing import Backing, Template, prepare_database
from tests.benchmarks.faulting.schedule import Kind
from tests.contracts.postgres import PostgresServer, postgres_server
from tests.contracts.redis_server import RedisServer, redis_server

_QUEUE = "poligon"  # kombu's list of the messages that nobody has taken yet
_BACK = timedelta(seconds=60)
_LOOK_S = 0.2
_QUICK_S = 0.005
# Redis serves the reader that has waited longest: most of them must be ours.
_TAKERS = 6


@contextmanager
def servers_template(client: docker.DockerClient) -> Iterator[Template]:
    """Run both servers until the block ends.

    A site gets a database of its own, and the one Redis, emptied: one site at a time.
    """
    with (
        postgres_server(client, lasting=True) as postgres,
        _broker(client) as broker,
        postgres.database() as template,
    ):
        instructor = prepare_database(template)

        @contextmanager
        def lend(_home: Path) -> Iterator[Backing]:
            broker.empty()
            with postgres.database(template=str(make_url(template).database)) as url:
                database = _Database(postgres, url)
                yield Backing(
                    database_url=url,
                    broker_url=broker.url,
                    acts={
                        Kind.LOSE_MESSAGES: broker.lose_messages,
                        Kind.DOUBLE_MESSAGES: broker.double_messages,
                        Kind.KILL_BROKER: broker.outage.strike,
                        Kind.LOCK_DATABASE: database.lock,
                        Kind.KILL_DATABASE: database.outage.strike,
                    },
                )

        yield Template(instructor=instructor, lend=lend)


class _Outage:
    """Kills a server as `kill -9` does. What else is done to it waits its `turn`."""

    def __init__(self, container: Container, answers: Callable[[], bool]) -> None:
        self.turn = threading.Lock()
        self._container = container
        self._answers = answers

    def strike(self, seconds: float) -> None:
        """Kill it, start it again after so long, and return when it answers."""
        with self.turn:
            self._container.kill()
            self._container.wait()
            try:
                pause(seconds)
            finally:
                self._container.start()
                until(self._answers, what="a killed server's first answer", within=_BACK)


class _Database:
    """PostgreSQL, as far as one site sees it."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self.outage = _Outage(server.container, server.answers)
        self._url = url

    def lock(self, seconds: float) -> None:
        """Lock every table, as a change of their shape does: nobody else reads or writes them."""
        engine = open_engine(self._url)
        try:
            with self.outage.turn:
                until(lambda: _lock(engine, seconds), what="a lock on all tables", within=_BACK)
        finally:
            engine.dispose()


def _lock(engine: Engine, seconds: float) -> bool:
    """Tell whether it could be had: of two that wait for each other PostgreSQL sends one away."""
    with suppress(OperationalError), engine.begin() as connection:
        tables = ", ".join(inspect(connection).get_table_names())
        connection.execute(text(f"LOCK TABLE {tables}"))
        pause(seconds)
        return True
    return False


class _Broker:
    """Redis. It writes nothing to disk: killed, it has lost every message."""

    def __init__(self, server: RedisServer) -> None:
        self.url = server.url
        self.outage = _Outage(server.container, server.answers)

    def empty(self) -> None:
        """Take everything out of it."""
        with Redis.from_url(self.url) as redis:
            redis.flushall()

    def lose_messages(self, seconds: float) -> None:
        """Take messages away, before a worker does."""
        self._take(seconds, lambda _redis, _message: None)

    def double_messages(self, seconds: float) -> None:
        """Take messages out and put each of them back twice."""
        seen: set[bytes] = set()

        def put_back(redis: Redis, message: bytes) -> None:
            redis.lpush(_QUEUE, *([message] if message in seen else [message, message]))
            seen.add(message)
            pause(_QUICK_S)  # a worker is to have it now

        self._take(seconds, put_back)

    def _take(self, seconds: float, then: Callable[[Redis, bytes], object]) -> None:
        end = time.monotonic() + seconds

        def take() -> None:
            with Redis.from_url(self.url) as redis:
                while time.monotonic() < end:
                    if taken := redis.brpop([_QUEUE], timeout=_LOOK_S):
                        then(redis, taken[1])

        with self.outage.turn, ThreadPoolExecutor(_TAKERS) as takers:
            for taker in [takers.submit(take) for _ in range(_TAKERS)]:
                taker.result()


@contextmanager
def _broker(client: docker.DockerClient) -> Iterator[_Broker]:
    with redis_server(client) as server:
        yield _Broker(server)
