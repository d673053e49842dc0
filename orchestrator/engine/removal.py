"""Removal by label: hosts first, then networks, then images."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from docker.errors import APIError, NotFound

from core.waiting import until
from orchestrator.domain.leftovers import Standing
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.containers import inspect_container, remove_container
from orchestrator.engine.errors import is_status, said
from orchestrator.engine.labels import Kind, Labels, having
from orchestrator.ports import Removed

_GONE_WITHIN = timedelta(seconds=20)
# Longer than a helper may run; younger ones may be at work, for another process.
_STRAY_AFTER = "1m"


class Removal:
    """Takes things of one installation off an engine."""

    def __init__(self, connection: EngineConnection, labels: Labels) -> None:
        self._connection = connection
        self._labels = labels

    def worlds(self, labels: Sequence[str]) -> Removed:
        """Remove containers and networks that carry all of `labels`; return how many went."""
        self._remove_strays()
        with self._connection.call() as api:
            containers = api.containers(all=True, quiet=True, filters=having(labels))
            networks = api.networks(filters=having(labels))
        return Removed(
            containers=self._each(self._remove_container, [c["Id"] for c in containers]),
            networks=self._each(self._remove_network, [n["Id"] for n in networks]),
        )

    def things(self, things: Sequence[Standing]) -> Removed:
        """Remove exactly these, containers first; return how many went."""
        return Removed(
            containers=self._each(
                self._remove_container, [thing.id for thing in things if not thing.is_network]
            ),
            networks=self._each(
                self._remove_network, [thing.id for thing in things if thing.is_network]
            ),
        )

    def remaining(self) -> tuple[str, ...]:
        """Return what is left of the installation, a line each, in order."""
        ours = having(self._labels.everything())
        with self._connection.call() as api:
            containers = api.containers(all=True, filters=ours)
            networks = api.networks(filters=ours)
            images = api.images(filters=ours)
        return (
            *sorted(f"container {c['Names'][0].lstrip('/')}" for c in containers),
            *sorted(f"network {n['Name']}" for n in networks),
            *sorted(f"image {name}" for name in _names(images)),
        )

    def images(self) -> int:
        """Remove the images that this installation built; return how many went."""
        wanted = having(self._labels.everything(), kind=Kind.IMAGE)
        with self._connection.call() as api:
            images = api.images(filters=wanted)
        for name in _names(images):
            self._remove_image(name)
        return len(images)

    def _remove_strays(self) -> None:
        """Remove helpers of processes that were killed; by the engine's clock, whatever ours says.

        They belong to no exercise, so that no label of one would find them.
        """
        strays = having(self._labels.everything(), kind=Kind.HELPER) | {"until": [_STRAY_AFTER]}
        with self._connection.call() as api:
            try:
                api.prune_containers(filters=strays)  # type: ignore[no-untyped-call]  # the stubs leave it bare
            except APIError as error:
                if not is_status(error, HTTPStatus.CONFLICT):  # somebody else is doing it
                    raise

    def _each(self, remove: Callable[[str], bool], ids: Sequence[str]) -> int:
        with ThreadPoolExecutor(max_workers=self._connection.parallelism) as pool:
            return sum(pool.map(remove, ids))

    def _remove_container(self, container: str) -> bool:
        """Remove a container; one that somebody else removes, as the engine may, is waited for."""
        went = remove_container(self._connection, container)
        if not went:
            until(
                lambda: inspect_container(self._connection, container) is None,
                what=f"container {container[:12]} to be gone",
                within=_GONE_WITHIN,
            )
        return went

    def _remove_network(self, network: str) -> bool:
        went: list[bool] = []

        def is_gone() -> bool:
            with self._connection.call() as api:
                try:
                    api.remove_network(network)
                except NotFound:
                    went.append(False)
                except APIError as error:
                    if "active endpoints" not in said(error):
                        raise
                    return False
                else:
                    went.append(True)
            return True

        until(is_gone, what=f"network {network[:12]} to be empty", within=_GONE_WITHIN)
        return went[-1]

    def _remove_image(self, name: str) -> None:
        with self._connection.call() as api:
            try:
                api.remove_image(name, force=True)
            except NotFound:
                return


def _names(images: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Yield every name of the images, or the id of one that has none."""
    for image in images:
        tags = [tag for tag in image.get("RepoTags") or [] if tag != "<none>:<none>"]
        yield from tags or [image["Id"]]
