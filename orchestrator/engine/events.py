"""The engine's event stream: what ends or goes of an installation, told as it happens."""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import structlog
from docker import APIClient
from docker.types.daemon import CancellableStream

from core.errors import PoligonError
from core.ids import ExerciseId
from core.waiting import pause
from orchestrator.domain.changes import Change, ChangeKind
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.labels import EXERCISE, HOST, KIND, OWNER, TEAM, Kind, Labels
from orchestrator.engine.names import exercise_of_network

_log = structlog.get_logger()

_AGAIN_AFTER_SECONDS = 1.0
# Not `start`: a launch is hundreds of them, and each would be looked at for nothing.
_KINDS = {
    "die": ChangeKind.ENDED,
    "destroy": ChangeKind.GONE,
    "oom": ChangeKind.OUT_OF_MEMORY,
}
_STANDING = frozenset({Kind.HOST, Kind.ROUTER})
_WATCHED = {"type": ["container", "network"], "event": list(_KINDS)}


class Events:
    """Follows one engine, and finds it again when it comes back."""

    def __init__(self, connection: EngineConnection, labels: Labels) -> None:
        self._connection = connection
        self._labels = labels

    def watch(self, on_change: Callable[[Change], None], stop: threading.Event) -> None:
        """Tell of hosts and routers that end, go or lack memory, and of networks that go."""
        stream = _Stream(stop)
        while not stop.is_set():
            try:
                with self._connection.long_call() as api:
                    self._follow(stream.opened(api), on_change)
            except PoligonError as error:
                _log.warning("events.lost", error=str(error))
            pause(_AGAIN_AFTER_SECONDS, interrupted_by=stop)

    def _follow(
        self, events: Iterable[Mapping[str, Any]], on_change: Callable[[Change], None]
    ) -> None:
        for event in events:
            change = self._change(event)
            if change is not None:
                if event["Action"] == "die":
                    self._see_ended(event["Actor"]["ID"])
                on_change(change)

    def _see_ended(self, container: str) -> None:
        """Return when the engine's lists have it, too.

        It tells of an end while it still writes it down, and who looked at once would see a
        container that runs. Asked for that one, it answers when it is through with it.
        """
        with suppress(PoligonError), self._connection.call() as api:  # gone, by now, is as good
            api.inspect_container(container)

    def _change(self, event: Mapping[str, Any]) -> Change | None:
        about, kind = event["Actor"]["Attributes"], _KINDS[event["Action"]]
        if event["Type"] == "network":  # the engine does not tell a network's labels
            whose = exercise_of_network(self._labels.installation, about["name"])
            return Change(exercise=whose, kind=kind) if whose is not None else None
        if about.get(OWNER) != self._labels.installation or about.get(KIND) not in _STANDING:
            return None
        exercise = ExerciseId(about[EXERCISE])
        if about[KIND] == Kind.ROUTER:
            return Change(exercise=exercise, kind=kind)
        world = WorldKey(exercise=exercise, team=about[TEAM])
        return Change(exercise=exercise, kind=kind, host=HostKey(world=world, host=about[HOST]))


class _Stream:
    """The stream that is open now; it ends when `stop` is set, also while nothing happens."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._open: CancellableStream[Mapping[str, Any]] | None = None
        self._lock = threading.Lock()
        threading.Thread(target=self._close_at_the_end, name="events-end", daemon=True).start()

    def opened(self, api: APIClient) -> Iterable[Mapping[str, Any]]:
        with self._lock:
            if self._stop.is_set():
                return ()
            self._open = api.events(decode=True, filters=_WATCHED)
            return self._open

    def _close_at_the_end(self) -> None:
        self._stop.wait()
        with self._lock:
            if self._open is not None:
                self._open.close()
