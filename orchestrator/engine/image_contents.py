"""What stands in images, asked of containers that never ran and remembered by image."""

import base64
import json

from docker.errors import NotFound
from requests import Response, codes

from orchestrator.engine.connection import EngineConnection, api_url
from orchestrator.engine.errors import said
from orchestrator.engine.files import Entry, entries


def size_of(response: Response) -> int:
    """Return a file's size in bytes, from the engine's answer to a HEAD of its archive."""
    told = json.loads(base64.b64decode(response.headers["X-Docker-Container-Path-Stat"]))
    return int(told["size"])


class ImageContents:
    """The remembered file systems of an engine's images, by image id, which names fixed content."""

    def __init__(self, connection: EngineConnection) -> None:
        self._connection = connection
        self._existing: dict[tuple[str, str], bool] = {}
        self._read: dict[tuple[str, str], tuple[Entry, ...]] = {}

    def seen_through(self, container: str, *, image_id: str) -> "ContainerTree":
        """Return the image's tree; what is not yet remembered is asked of the container."""
        return ContainerTree(self, container=container, image_id=image_id)

    def exists(self, container: str, image_id: str, path: str) -> bool:
        """Tell whether the path stands in the image."""
        place = (image_id, path)
        if place not in self._existing:
            self._existing[place] = self._ask_whether(container, path)
        return self._existing[place]

    def read(self, container: str, image_id: str, path: str) -> tuple[Entry, ...]:
        """Return the thing at the path and below."""
        place = (image_id, path)
        if place not in self._read:
            self._read[place] = self._ask_for(container, path)
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
    """An image's file system, behind a container of it that has not run yet."""

    def __init__(self, contents: ImageContents, *, container: str, image_id: str) -> None:
        self._contents = contents
        self._container = container
        self._image_id = image_id

    def exists(self, path: str) -> bool:
        """Tell whether something stands at the path."""
        return self._contents.exists(self._container, self._image_id, path)

    def read(self, path: str) -> tuple[Entry, ...]:
        """Return the thing at the path and all below it; nothing there is empty."""
        return self._contents.read(self._container, self._image_id, path)
