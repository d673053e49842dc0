"""A PostgreSQL for tests: the deployment's own image, gone afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import docker
import psycopg
from docker.models.containers import Container
from psycopg import sql
from sqlalchemy import make_url

from core.waiting import until
from tests.contracts.containers import deployed

_OWNER = "poligon"
_PORT = 5432
_PATIENCE = timedelta(seconds=60)
_DATA = "/var/lib/postgresql/data"
# Where nothing outlives the test, durability would only cost time; and a database that is being
# vacuumed cannot be dropped by its owner.
_HASTY = tuple(
    word
    for setting in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum")
    for word in ("-c", f"{setting}=off")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A running server whose owner may make databases."""

    container: Container
    port: int
    password: str

    def url(self, database: str = _OWNER) -> str:
        """Return the SQLAlchemy address of a database."""
        return f"postgresql+psycopg://{_OWNER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def near(self, url: str) -> str:
        """Return a database's address past the engine's proxy, which no deployment has between.

        This machine's own engine only: its containers have addresses that can be reached.
        """
        self.container.reload()
        own = self.container.attrs["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
        return make_url(url).set(host=own, port=_PORT).render_as_string(hide_password=False)

    @contextmanager
    def database(self, *, template: str = "template1") -> Iterator[str]:
        """Give the address of a fresh database, a copy of `template`, until the block ends.

        Nobody may be connected to the template meanwhile; who still is to the copy is cut off.
        """
        name = f"test_{uuid4().hex[:12]}"
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        try:
            yield self.url(name)
        finally:
            self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def answers(self) -> bool:
        """Tell whether it lets its owner in."""
        try:
            self._execute(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=_OWNER,
            password=self.password,
            dbname=_OWNER,
            connect_timeout=60,
            autocommit=True,
        ) as connection:
            connection.execute(statement)


@contextmanager
def postgres_server(
    client: docker.DockerClient, *, lasting: bool = False
) -> Iterator[PostgresServer]:
    """Run deploy/postgres.Dockerfile; a `lasting` one keeps its data when it is killed."""
    password = uuid4().hex
    with deployed(
        client,
        "postgres",
        port=_PORT,
        environment={"POSTGRES_PASSWORD": password},
        command=() if lasting else _HASTY,
        in_memory=None if lasting else {_DATA: "uid=990,gid=990,mode=0700"},
        on_disk=_DATA if lasting else None,
    ) as (container, port):
        server = PostgresServer(container=container, port=port, password=password)
        until(
            server.answers,
            what="PostgreSQL's first answer",
            within=_PATIENCE,
            last_seen=lambda: str(container.logs(tail=5)),
        )
        _let_owner_make_databases(container)
        yield server


def _let_owner_make_databases(container: Container) -> None:
    statement = f"ALTER ROLE {_OWNER} CREATEDB"
    done = container.exec_run(["psql", "-q", "-d", "postgres", "-c", statement])
    assert done.exit_code == 0, done.output
