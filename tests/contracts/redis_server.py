"""A Redis for tests: the deployment's own image, gone afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import docker
from docker.models.containers import Container
from redis import Redis
from redis.exceptions import RedisError

from core.waiting import until
from tests.contracts.containers import deployed

_PATIENCE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisServer:
    """A running server; it writes nothing to disk, so killed it has lost everything."""

    container: Container
    url: str

    def answers(self) -> bool:
        """Tell whether it answers."""
        with suppress(RedisError), Redis.from_url(self.url) as redis:
            return bool(redis.ping())
        return False

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.container.kill()
        self.container.wait()

    def start(self) -> None:
        """Start it again, and return when it answers."""
        self.container.start()
        self.until_it_answers()

    def until_it_answers(self) -> None:
        """Return when it does."""
        until(self.answers, what="Redis's first answer", within=_PATIENCE)


@contextmanager
def redis_server(client: docker.DockerClient) -> Iterator[RedisServer]:
    """Run deploy/redis.Dockerfile."""
    password = uuid4().hex
    environment = {"REDIS_PASSWORD": password}
    with deployed(client, "redis", port=6379, environment=environment) as (container, port):
        server = RedisServer(container=container, url=f"redis://:{password}@127.0.0.1:{port}/0")
        server.until_it_answers()
        yield server
