"""The self-test's eyes: a listener in the engine host's network, and a prober in a host's."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from ipaddress import IPv4Address

from docker.errors import APIError, NotFound

from core.ids import ExerciseId
from orchestrator.domain.isolation import Answer, Dial, Heard, Sentinel, Target
from orchestrator.domain.world import HostKey
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.errors import is_status
from orchestrator.engine.labels import Labels
from orchestrator.engine.names import container_name, sentinel_name
from orchestrator.engine.prober_scripts import LOOK_AROUND, SENTINEL
from orchestrator.engine.toolbox import Toolbox

_LIFETIME = timedelta(minutes=10)
# How long what must answer is waited for: an engine that starts hosts is slow to resolve names.
_PATIENCE = timedelta(seconds=5)
# An answer from the same machine takes a millisecond; what is farther the sentinel leaves out.
_SILENCE = timedelta(milliseconds=250)
_WITHIN = timedelta(seconds=20)


class Lookout:
    """The sentinels and probers of one installation."""

    def __init__(self, connection: EngineConnection, labels: Labels, toolbox: Toolbox) -> None:
        self._connection = connection
        self._labels = labels
        self._toolbox = toolbox

    def post(self, exercise: ExerciseId) -> None:
        """Have the exercise's sentinel stand; one that ended makes place for another."""
        name = sentinel_name(self._labels.installation, exercise)
        if self._report(name) is not None:
            return
        self.dismiss(exercise)
        lifetime = f"{_LIFETIME.total_seconds():g}"
        self._toolbox.begin(
            ("perl", "-e", SENTINEL, lifetime, f"{secrets.token_hex(8)}.test"),
            name=name,
            network_mode="host",
            labels=self._labels.sentinel(exercise),
        )

    def report(self, exercise: ExerciseId) -> Sentinel | None:
        """Return what the sentinel has seen; `None` when it does not run or has said nothing."""
        said = self._report(sentinel_name(self._labels.installation, exercise))
        return _sentinel(said) if said else None

    def dismiss(self, exercise: ExerciseId) -> None:
        """Take the sentinel away."""
        self._toolbox.end(sentinel_name(self._labels.installation, exercise))

    def look_around(
        self, host: HostKey, near: Sequence[Target], far: Sequence[Target]
    ) -> Mapping[Target, Answer]:
        """Try all targets from the host's network; empty when the prober failed."""
        targets = (*near, *far)
        result = self._toolbox.run(
            (
                "perl",
                "-e",
                LOOK_AROUND,
                str(len(near)),
                f"{_PATIENCE.total_seconds():g}",
                f"{_SILENCE.total_seconds():g}",
                *map(_spelled, targets),
            ),
            network_mode=f"container:{container_name(self._labels.installation, host)}",
            labels=self._labels.probe(host),
            timeout=_WITHIN,
        )
        lines = result.output.splitlines()
        if not result.ok or lines[-1:] != ["done"]:
            return {}
        return dict(_answer(targets, line) for line in lines[:-1])

    def _report(self, name: str) -> str | None:
        """Return what a running sentinel has said."""
        with self._connection.call() as api:
            try:
                if not api.inspect_container(name)["State"]["Running"]:
                    return None
                said: bytes = api.logs(name, stderr=False)
            except NotFound:
                return None
            except APIError as error:
                if is_status(error, HTTPStatus.CONFLICT):
                    return None  # it is being removed
                raise
        return said.decode(errors="replace")


def _spelled(target: Target) -> str:
    if isinstance(target, Dial):
        return f"dial {target.address} {target.port}"
    return f"name {target.name}"


def _answer(targets: Sequence[Target], line: str) -> tuple[Target, Answer]:
    number, heard, *address = line.split()
    where = IPv4Address(address[0]) if address else None
    return targets[int(number)], Answer(heard=Heard(heard), address=where)


def _sentinel(said: str) -> Sentinel | None:
    """Return what the lines say; the last one may be half written."""
    lines = [line.split() for line in said.splitlines(keepends=True) if line.endswith("\n")]
    ports = [int(line[1]) for line in lines if line[0] == "port"]
    if not ports:
        return None
    return Sentinel(
        port=ports[0],
        answers_at=frozenset(IPv4Address(line[1]) for line in lines if line[0] == "at"),
        outside=frozenset(
            Dial(address=IPv4Address(line[1]), port=int(line[2]))
            for line in lines
            if line[0] == "outside"
        ),
        resolves=["resolves"] in lines,
    )
