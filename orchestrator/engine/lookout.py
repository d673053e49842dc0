"""The self-test's eyes: a sentinel on the engine's host, which looks around from inside worlds.

A prober is a process that the sentinel lets enter a host's network: a container for each would cost
as much as a host (measured: a fifth of raising 5 worlds of 4).
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from ipaddress import IPv4Address

from docker.errors import APIError, NotFound

from core.ids import ExerciseId
from orchestrator.domain.isolation import Answer, Dial, Heard, Sentinel, Target
from orchestrator.domain.world import HostKey
from orchestrator.engine.commands import HostCommands
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.containers import inspect_container
from orchestrator.engine.errors import is_status
from orchestrator.engine.hardening import sentinel_options
from orchestrator.engine.labels import Labels
from orchestrator.engine.names import container_name, sentinel_name
from orchestrator.engine.prober_scripts import LOOK_AROUND, SENTINEL
from orchestrator.engine.toolbox import AS_NOBODY, Toolbox
from orchestrator.ports import HostGoneError

_LIFETIME = timedelta(minutes=10)
# How long what must answer is waited for: an engine that starts hosts is slow to resolve names.
_PATIENCE = timedelta(seconds=5)
_WITHIN = timedelta(seconds=20)
# What the sentinel tells with the seconds it took.
_TIMED = frozenset({"outside", "resolves"})


class Lookout:
    """The sentinels of one installation."""

    def __init__(
        self,
        connection: EngineConnection,
        labels: Labels,
        toolbox: Toolbox,
        commands: HostCommands,
    ) -> None:
        self._connection = connection
        self._labels = labels
        self._toolbox = toolbox
        self._commands = commands

    def post(self, exercise: ExerciseId) -> None:
        """Have the exercise's sentinel stand; one that ended makes place for another."""
        name = sentinel_name(self._labels.installation, exercise)
        if self._report(name) is not None:
            return
        self.dismiss(exercise)
        lifetime = f"{_LIFETIME.total_seconds():g}"
        self._toolbox.begin(
            (*AS_NOBODY, "perl", "-e", SENTINEL, lifetime, f"{secrets.token_hex(8)}.test"),
            name=name,
            options=sentinel_options(),
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
        self, host: HostKey, near: Sequence[Target], far: Sequence[Target], *, silence: timedelta
    ) -> Mapping[Target, Answer]:
        """Try all targets from the host's network; empty when the prober failed."""
        targets = (*near, *far)
        process = self._first_process(host)
        result = self._commands.run(
            sentinel_name(self._labels.installation, host.world.exercise),
            (
                "nsenter",
                f"--net=/proc/{process}/ns/net",
                *AS_NOBODY,
                "perl",
                "-e",
                LOOK_AROUND,
                str(len(near)),
                f"{_PATIENCE.total_seconds():g}",
                f"{silence.total_seconds():g}",
                *map(_spelled, targets),
            ),
            timeout=_WITHIN,
            account="root",
        )
        if self._first_process(host) != process:
            return {}  # the number may have been another process's, and another network was asked
        lines = result.output.splitlines()
        if not result.ok or lines[-1:] != ["done"]:
            return {}
        return dict(_answer(targets, line) for line in lines[:-1])

    def _first_process(self, host: HostKey) -> int:
        """Return the number of a host's first process on the engine's host."""
        found = inspect_container(self._connection, container_name(self._labels.installation, host))
        process = found["State"]["Pid"] if found is not None else 0
        if not process:
            raise HostGoneError(
                f"host {host.host} of {host.world.team} does not run", hint="Raise its world again"
            )
        return int(process)

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
        resolves=any(line[0] == "resolves" for line in lines),
        slowest=timedelta(
            seconds=max((float(line[-1]) for line in lines if line[0] in _TIMED), default=0)
        ),
    )
