"""A server for tests: an image of deploy/ on a port of 127.0.0.1, gone afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import docker
from docker.models.containers import Container
from docker.types import Mount

from tests.ports import free_port

_ROOT = Path(__file__).parents[2]
# Not one of the product's labels: no installation takes it for its own.
_LABEL = "test-of-cyberpoligon"


@contextmanager
def deployed(
    client: docker.DockerClient,
    name: str,
    *,
    port: int,
    environment: Mapping[str, str],
    command: Sequence[str] = (),
    in_memory: Mapping[str, str] | None = None,
    on_disk: str | None = None,
) -> Iterator[tuple[Container, int]]:
    """Build deploy/NAME.Dockerfile, run it, and give the container and its port on 127.0.0.1.

    The port stays the same when the container is started again; so does what is in the folder
    `on_disk`, and what is in a folder `in_memory` does not.
    """
    tag = f"cyberpoligon-{name}:test-{uuid4().hex[:12]}"
    client.images.build(
        path=str(_ROOT), dockerfile=f"deploy/{name}.Dockerfile", tag=tag, forcerm=True
    )
    published = free_port()
    try:
        container = client.containers.run(
            tag,
            list(command),
            name=tag.replace(":", "-"),
            environment=dict(environment),
            labels={_LABEL: name},
            ports={f"{port}/tcp": ("127.0.0.1", published)},
            mounts=[Mount(target=on_disk, source=None, type="volume")] if on_disk else [],
            tmpfs=dict(in_memory or {}),
            init=True,
            detach=True,
        )
        try:
            yield container, published
        finally:
            container.remove(force=True, v=True)
    finally:
        client.images.remove(tag)
