"""The self-test's eyes: a sentinel on the engine's host, which looks around from inside worlds.

A prober is a process that the sentinel lets enter a host's network: a container for each would cost
as much as a host (measured: a fifth of raising 5 worlds of 4).
"""

import secrets
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address

from docker.errors import APIError, NotFound

from core.ids import ExerciseId
from orchestrator.domain.isolation import (
    Answer,
    Dial,
    Heard,
    Look,
    Sentinel,
    Target,
    View,
)
from orchestrator.domain.world import HostKey
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.containers import inspect_container
from orchestrator.engine.errors import is_status
from orchestrator.engine.hardening import sentinel_options
from orchestrator.engine.labels import Labels
from orchestrator.engine.names import container_name, sentinel_name
from orchestrator.engine.prober import Prober, ProberEndedError, is_whole, start_prober
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
    ) -> None:
        self._connection = connection
        self._labels = labels
        self._toolbox = toolbox
        self._probers = _Probers(connection)

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
        name = sentinel_name(self._labels.installation, exercise)
        self._probers.forget(name)
        self._toolbox.end(name)

    def look_around(self, looks: Sequence[Look], *, silence: timedelta) -> Mapping[HostKey, View]:
        """Try all targets from the hosts' networks; a host whose prober failed has no view."""
        processes = [self._first_process(look.host) for look in looks]
        question = "|".join(
            (
                f"{_PATIENCE.total_seconds():g}",
                f"{silence.total_seconds():g}",
                *map(_words, processes, looks),
            )
        )
        sentinel = sentinel_name(self._labels.installation, looks[0].host.world.exercise)
        said = _said(self._probers.ask(sentinel, question, within=_WITHIN))
        return {
            look.host: _view((*look.near, *look.far), said[number])
            for number, (look, process) in enumerate(zip(looks, processes, strict=True))
            # Another number may have been another process's, and another network was asked.
            if said[number][-1:] == ["done"] and self._first_process(look.host) == process
        }

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


@dataclass(frozen=True, slots=True)
class _Idle:
    """The idle probers in a sentinel's container."""

    container: str
    probers: list[Prober] = field(default_factory=list)


class _Probers:
    """The idle probers of each sentinel: as many as ever looked around at the same time."""

    def __init__(self, connection: EngineConnection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._idle: dict[str, _Idle] = {}

    def ask(self, sentinel: str, question: str, *, within: timedelta) -> str:
        """Return what a prober of the sentinel's says. Raises HostGoneError."""
        container = self._container(sentinel)
        prober = self._taken(sentinel, container)
        try:
            answer = prober.ask(question, within=within)
        except ProberEndedError as error:
            prober.close()
            raise HostGoneError(
                f"{sentinel} ended while it looked around", hint="Raise its world again"
            ) from error
        except BaseException:
            prober.close()
            raise
        # What it says next, after less than an answer, would be taken for another's.
        if not is_whole(answer) or not self._is_kept(prober, sentinel, container):
            prober.close()
        return answer

    def forget(self, sentinel: str) -> None:
        """Let the sentinel's probers end."""
        with self._lock:
            idle = self._idle.pop(sentinel, None)
        for prober in idle.probers if idle else ():
            prober.close()

    def _container(self, sentinel: str) -> str:
        """Return which container a sentinel is; raises HostGoneError."""
        found = inspect_container(self._connection, sentinel)
        if found is None:
            raise HostGoneError(f"{sentinel} does not run", hint="Raise its world again")
        return str(found["Id"])

    def _taken(self, sentinel: str, container: str) -> Prober:
        with self._lock:
            self._drop_ended()
            idle = self._idle.get(sentinel)
            if idle and idle.container == container:
                return idle.probers.pop()
        # Another worker put this one in the former's place, and the engine does not tell that what
        # ran in there has ended (20.10, of containers that see all of its host's processes).
        self.forget(sentinel)
        return start_prober(self._connection, sentinel, "perl", "-e", LOOK_AROUND)

    def _is_kept(self, prober: Prober, sentinel: str, container: str) -> bool:
        """Tell whether a prober is idle from now on, and not of a container that was replaced."""
        with self._lock:
            idle = self._idle.setdefault(sentinel, _Idle(container))
            if idle.container == container:
                idle.probers.append(prober)
            return idle.container == container

    def _drop_ended(self) -> None:
        """Close what ended: another worker may have taken a sentinel away."""
        for sentinel, idle in list(self._idle.items()):
            for prober in [one for one in idle.probers if one.has_ended()]:
                prober.close()
                idle.probers.remove(prober)
            if not idle.probers:
                del self._idle[sentinel]


def _spelled(target: Target) -> str:
    if isinstance(target, Dial):
        return f"dial {target.address} {target.port}"
    return f"name {target.name}"


def _words(process: int, look: Look) -> str:
    """Return what LOOK_AROUND takes of a look."""
    targets = (*look.near, *look.far)
    return ";".join((str(process), str(len(look.near)), *map(_spelled, targets)))


def _said(output: str) -> Mapping[int, list[str]]:
    """Return each prober's lines, by its number; of one that said nothing, none."""
    said: defaultdict[int, list[str]] = defaultdict(list)
    for line in output.splitlines():
        number, _, rest = line.partition(" ")
        if number.isdigit():  # else it is a complaint of perl
            said[int(number)].append(rest)
    return said


def _view(targets: Sequence[Target], lines: Sequence[str]) -> View:
    words = [line.split() for line in lines]
    return View(
        answers=dict(_answer(targets, *line) for line in words if line[0].isdigit()),
        ipv6={IPv6Address(line[1]): Heard(line[2]) for line in words if line[0] == "ipv6"},
        beyond=frozenset(IPv6Address(line[1]) for line in words if line[0] == "beyond"),
    )


def _answer(
    targets: Sequence[Target], number: str, heard: str, *address: str
) -> tuple[Target, Answer]:
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
        answers_over_ipv6=frozenset(
            (IPv4Address(line[1]), IPv6Address(line[2])) for line in lines if line[0] == "over-ipv6"
        ),
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
