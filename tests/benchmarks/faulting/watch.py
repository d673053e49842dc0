"""Looking at the engine all the while, past the product: nothing may ever stand twice."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import DockerException

from core.waiting import pause

_EVERY_S = 0.3
_PLACE = ("cyberpoligon.exercise", "cyberpoligon.team")
_KIND = "cyberpoligon.kind"


class EngineWatch:
    """What stood of one installation; `looks` counts the times that the engine answered."""

    def __init__(self, engine: Path, installation: str) -> None:
        self.doubled: set[str] = set()
        self.looks = 0
        self.most = 0
        self._filter = {"label": [f"cyberpoligon={installation}"]}
        self._engine = f"unix://{engine}"
        self._done = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look again and again until the block ends."""
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()

    def standing(self) -> list[str]:
        """Return a line for each container and network of the installation that is there now."""
        client = docker.APIClient(self._engine, version="auto")
        try:
            return [_line(thing) for thing in self._listed(client)]
        finally:
            client.close()

    def _watch(self) -> None:
        while not pause(_EVERY_S, interrupted_by=self._done):
            try:
                client = docker.APIClient(self._engine, version="auto", timeout=10)
            except DockerException:
                continue  # it is down: part of the game
            try:
                self._look(client)
            except (DockerException, requests.RequestException):
                continue
            finally:
                client.close()

    def _look(self, client: docker.APIClient) -> None:
        things = self._listed(client)
        counts = Counter(_line(t) for t in things if t["Labels"].get(_KIND) in {"host", "network"})
        self.doubled |= {line for line, count in counts.items() if count > 1}
        self.most = max(self.most, counts.total())
        self.looks += 1

    def _listed(self, client: docker.APIClient) -> list[Mapping[str, Any]]:
        containers = client.containers(all=True, filters=self._filter)
        return [*containers, *client.networks(filters=self._filter)]


def _line(thing: Mapping[str, Any]) -> str:
    labels = thing["Labels"]
    what = [labels.get(f"cyberpoligon.{name}") for name in ("host", "network")]
    words = [labels.get(_KIND), *(labels.get(key) for key in _PLACE), *what]
    return " ".join(word for word in words if word)
