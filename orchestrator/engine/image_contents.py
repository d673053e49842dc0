"""What stands in images, asked of containers that nothing was put into and remembered by image."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from docker.errors import NotFound
from requests import Response, codes

from orchestrator.engine.connection import EngineConnection, api_url
from orchestrator.engine.containers import remove_container
from orchestrator.engine.errors import said
from orchestrator.engine.files import Entry, entries
from orchestrator.engine.labels import Labels


def size_of(response: Response) -> int:
    """Return a file's size in bytes, from the engine's answer to a HEAD of its archive."""
    told = json.loads(base64.b64decode(response.headers["X-Docker-Container-Path-Stat"]))
    return int(told["size"])


class ImageContents:
    """The remembered file systems of an engine's images, by image id, which names fixed content."""

    def __init__(self, connection: EngineConnection, labels: Labels) -> None:
        self._connection = connection
        self._labels = labels
        self._existing: dict[tuple[str, str], bool] = {}
        self._read: dict[tuple[str, str], tuple[Entry, ...]] = {}

    def seen_through(self, container: str, *, image_id: str) -> "ContainerTree":
        """Return the image's tree; what is not yet remembered is asked of the fresh container."""
        return ContainerTree(self, container=lambda: container, image_id=image_id)

    @contextmanager
    def seen_apart(self, image_id: str) -> Iterator["ContainerTree"]:
        """Lend the image's tree; what is not yet remembered is asked of a container made for that.

        One that somebody began to fill may hold half a file: a full disk leaves `/etc/passwd` so.
        """
        made: list[str] = []

        def container() -> str:
            if not made:
                made.append(self._made(image_id))
            return made[0]

        try:
            yield ContainerTree(self, container=container, image_id=image_id)
        finally:
            for one in made:
                remove_container(self._connection, one)

    def _made(self, image_id: str) -> str:
        with self._connection.call() as api:
            created = api.create_container(
                image_id,
                entrypoint=["true"],
                command=[],
                labels=self._labels.helper(),
                host_config={"NetworkMode": "none"},
            )
        return str(created["Id"])

    def exists(self, container: Callable[[], str], image_id: str, path: str) -> bool:
        """Tell whether the path stands in the image."""
        place = (image_id, path)
        if place not in self._existing:
            self._existing[place] = self._ask_whether(container(), path)
        return self._existing[place]

    def read(self, container: Callable[[], str], image_id: str, path: str) -> tuple[Entry, ...]:
        """Return the thing at the path and below."""
        place = (image_id, path)
        if place not in self._read:
            self._read[place] = self._ask_for(container(), path)
        return self._read[place]

    def _ask_whether(self, container: str, path: str) -> bool:
        with self._connection.call() as api:
            url = api_url(api, f"/containers/{container}/archive")
            response = api.head(url, params={"path": path}, timeout=api.timeout)
        if response.status_code == codes.not_found:
            # A HEAD has no body to tell a missing path from a missing container; a GET has.
            return bool(self._ask_for(container, path))
        return response.ok

    def _ask_for(self, container: str, path: str) -> tuple[Entry, ...]:
        with self._connection.call() as api:
            try:
                chunks, _ = api.get_archive(container, path)
            except NotFound as error:
                if "No such container" in said(error):
                    raise
                return ()
            archive = b"".join(chunks)
        return tuple(entries(archive, at=path))


class ContainerTree:
    """An image's file system, behind a container of it that nothing was put into."""

    def __init__(
        self, contents: ImageContents, *, container: Callable[[], str], image_id: str
    ) -> None:
        self._contents = contents
        self._container = container
        self._image_id = image_id

    def exists(self, path: str) -> bool:
        """Tell whether something stands at the path."""
        return self._contents.exists(self._container, self._image_id, path)

    def read(self, path: str) -> tuple[Entry, ...]:
        """Return the thing at the path and all below it; nothing there is empty."""
        return self._contents.read(self._container, self._image_id, path)
