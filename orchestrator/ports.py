"""What the orchestrator needs from a container engine, in our words.

The contract suite in `tests/contracts` runs over every implementation.
"""

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Protocol

from core.errors import Fault, PoligonError
from core.ids import ExerciseId
from core.scenario.folder import Entry
from orchestrator.domain.changes import Change
from orchestrator.domain.engine_facts import EngineFacts, Room
from orchestrator.domain.health import ObservedHost
from orchestrator.domain.isolation import Look, Sentinel, View
from orchestrator.domain.leftovers import Standing
from orchestrator.domain.links import Link, LinkState
from orchestrator.domain.world import (
    HostKey,
    HostPlan,
    ImageBuild,
    NetworkPlan,
    ReadyProbe,
    RouterPlan,
    WorldKey,
)


class EngineUnavailableError(PoligonError):
    """The container engine does not answer, or went away half-way. A retry may help."""

    code = "engine.unavailable"
    fault = Fault.UPSTREAM


class EngineRefusedError(PoligonError):
    """The container engine answered, and refused. A retry will not help."""

    code = "engine.refused"
    fault = Fault.UPSTREAM


class EngineTooOldError(EngineRefusedError):
    """The engine speaks an API that is older than 1.41."""

    code = "engine.too_old"


class EngineExhaustedError(EngineRefusedError):
    """The engine's host has no memory or no disk space left."""

    code = "engine.exhausted"


class EngineFullError(EngineExhaustedError):
    """The engine's host has no disk space left, or so little that nothing more is begun."""

    code = "engine.full"


class UnknownImageError(PoligonError):
    """An image that the scenario names is not on the engine; nothing is pulled at exercise time."""

    code = "engine.unknown_image"
    fault = Fault.INPUT


class ForeignImageError(PoligonError):
    """An image is for another processor architecture than the engine's host has."""

    code = "engine.foreign_image"
    fault = Fault.INPUT


class ImageBuildFailedError(PoligonError):
    """A Dockerfile of the scenario does not build; `hint` ends with the last lines of the build."""

    code = "engine.image_build_failed"
    fault = Fault.INPUT


class SubnetTakenError(PoligonError):
    """The engine's host routes this subnet already; another one will do."""

    code = "engine.subnet_taken"
    fault = Fault.CONFLICT

    def __init__(self, message: str, *, subnet: IPv4Network, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.subnet = subnet


class NotEnforcedError(PoligonError):
    """The engine's host cannot do what the scenario asks; the sentence says what and why."""

    code = "engine.not_enforced"
    fault = Fault.UPSTREAM


class HostGoneError(PoligonError):
    """The host does not run: it was never raised, it ended, or somebody removed it."""

    code = "engine.host_gone"
    fault = Fault.CONFLICT


class HostFullError(PoligonError):
    """A host has no free process slot: nothing more starts in it."""

    code = "engine.host_full"
    fault = Fault.UPSTREAM


def full(host: HostKey) -> HostFullError:
    """Return what is said of a host in which nothing more can be started."""
    return HostFullError(
        f"host {host.host} of {host.world.team} has no free process slot",
        hint="End some processes there, or ask for a reset",
    )


class HostNotReadyError(PoligonError):
    """A host runs and did not become ready; `output` is what the failing probe said last."""

    code = "engine.host_not_ready"
    fault = Fault.UPSTREAM

    def __init__(self, *, host: str, probe: ReadyProbe, output: str) -> None:
        super().__init__(
            f"{host} did not become ready within {probe.within.total_seconds():g} s: {probe}"
        )
        self.host = host
        self.probe = probe
        self.output = output


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """What an engine says of itself; `memory` in bytes."""

    version: str
    api_version: str
    cpus: int
    memory: int
    containers: int
    runtimes: frozenset[str] = frozenset({"runc"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a command ended; `output` is stdout and stderr together, cut at 64 KiB.

    Where the two are told apart, `output` is stdout alone, and `errors` is stderr.
    """

    exit_code: int
    output: str
    errors: str = ""

    @property
    def ok(self) -> bool:
        """Whether it exited with 0."""
        return self.exit_code == 0


class RelayEnd(StrEnum):
    """Why a relay ended."""

    NO_ANSWER = "no answer"  # nobody took the connection
    CLOSED = "closed"  # either side is done
    LATE = "late"  # time was over
    FLOODED = "flooded"  # more came than is let through


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a host uses: bytes of memory now, caches aside, and processor time since it started."""

    memory: int
    cpu: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedRouter:
    """A world's router as the engine sees it now."""

    world: WorldKey
    running: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Packets of one kind that a router did not let pass; `port` is none but with TCP and UDP."""

    source: IPv4Address
    target: IPv4Address
    protocol: str
    port: int | None
    packets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """How many things of ours went."""

    containers: int = 0
    networks: int = 0
    images: int = 0


class RangeEngine(Protocol):
    """A container engine that holds worlds. Calls are synchronous and safe from many threads.

    Every method may raise EngineUnavailableError. Everything made carries our labels and is found
    again by them; every method may be repeated.
    """

    def info(self) -> EngineInfo:
        """Return the engine's version and size."""
        ...

    def diagnose(self) -> EngineFacts:
        """Return what the engine and its host say of themselves; nothing is changed."""
        ...

    def taken_subnets(self) -> tuple[IPv4Network, ...]:
        """Return what the engine's host routes already, its own networks among it."""
        ...

    def build_image(self, build: ImageBuild) -> None:
        """Have `build.reference` on the engine. One that is there already is not built again.

        Raises ImageBuildFailedError.
        """
        ...

    def require_image(self, reference: str) -> None:
        """Raise UnknownImageError unless the engine has the image."""
        ...

    def protect_host(self) -> Room:
        """Let no range bridge reach the engine's own host; the host still reaches ranges.

        And let the engine's host stand in no router's way. Returns what room the host has, seen in
        the same run. Raises EngineFullError when its disk has none to look.
        """
        ...

    def raise_network(self, world: WorldKey, plan: NetworkPlan) -> None:
        """Have the network stand, internal, with exactly this subnet.

        A shared one is the exercise's, however many of its worlds raise it; who is on it without
        a planned place gets one in the upper half. It goes with `remove_exercise`.

        Raises SubnetTakenError when something else holds the subnet.
        """
        ...

    def raise_host(self, world: WorldKey, plan: HostPlan) -> None:
        """Have the host run: accounts and files first, then the image's own process.

        A host that runs from the same plan is left alone, or put back on a network that it lost;
        one that ended starts again with its file system as it was; one from another plan is
        replaced. Its way to the router stands in any case.
        Raises UnknownImageError, EngineRefusedError.
        """
        ...

    def raise_router(self, world: WorldKey, plan: RouterPlan) -> None:
        """Have the world's router run with exactly these rules; its networks stand already.

        It never forwards without its rules. One that does not run, or runs from another plan, is
        made anew. Raises EngineRefusedError.
        """
        ...

    def remove_host(self, host: HostKey) -> None:
        """Remove a host with all that is in it; one that is not there is no error."""
        ...

    def await_ready(self, world: WorldKey, plan: HostPlan) -> None:
        """Return when every readiness probe of the plan has passed inside the host, in order.

        Each has its own `within`. Raises HostNotReadyError, HostGoneError.
        """
        ...

    def observe(self, exercise: ExerciseId) -> tuple[ObservedHost, ...]:
        """Return every host of an exercise that exists, running or not, and why it does not run.

        One call for all of them, and one more for each that does not run.
        """
        ...

    def watch(self, on_change: Callable[[Change], None], stop: threading.Event) -> None:
        """Tell of every host that ends, goes or lacks memory, and every network that goes.

        Memory is lacking when a process of the host was killed for it, whether or not the host's
        own runs on. Routers are told of as hosts are, without a name.

        Returns once `stop` is set. An engine that went away is followed again when it is back, and
        what happened in between is not told: never raises EngineUnavailableError. What `on_change`
        raises ends it.
        """
        ...

    def running(self, exercise: ExerciseId) -> frozenset[HostKey]:
        """Return the hosts of an exercise that run; nothing is asked of those that do not."""
        ...

    def written(self, exercise: ExerciseId) -> Mapping[HostKey, int]:
        """Return how many bytes each host of an exercise holds beyond its image.

        The engine looks through their files for it, so this is for when it matters.
        """
        ...

    def usage(self, exercise: ExerciseId) -> Mapping[HostKey, Usage]:
        """Return what each running host of an exercise uses now; a call to the engine for each."""
        ...

    def image_size(self, reference: str) -> int:
        """Return how many bytes an image has, its layers together; raises UnknownImageError."""
        ...

    def observe_routers(self, exercise: ExerciseId) -> tuple[ObservedRouter, ...]:
        """Return every router of an exercise that exists, running or not."""
        ...

    def dropped(self, world: WorldKey) -> tuple[Dropped, ...]:
        """Return what the world's router dropped in the last half hour, the most frequent first.

        Up to some hundred kinds are told apart. Raises HostGoneError when no router runs.
        """
        ...

    def run(
        self,
        host: HostKey,
        command: Sequence[str],
        *,
        timeout: timedelta,
        account: str = "root",
    ) -> RunResult:
        """Run a command inside a host, in `/`, and return how it ended.

        One that outlives `timeout` is ended and returns 124. Raises HostGoneError.
        """
        ...

    def put_folder(self, host: HostKey, path: str, files: Sequence[Entry]) -> None:
        """Have a folder with these files stand in a host that runs, root's and readable by all.

        What the folder held under other names stays. Its parent is there. Raises HostGoneError.
        """
        ...

    def run_apart(
        self,
        command: Sequence[str],
        *,
        timeout: timedelta,
        image: str = "",
        folder: str = "",
        files: Sequence[Entry] = (),
    ) -> RunResult:
        """Run a command as root in a throw-away container of an image, without any network.

        Nothing of a scenario is in it but the image, and `files` at `folder`. Without an image it
        is our toolbox. One that outlives `timeout` is ended and returns 124. Raises
        UnknownImageError.
        """
        ...

    def visit(
        self,
        exercise: ExerciseId,
        network: str,
        command: Sequence[str],
        *,
        image: str,
        environment: Mapping[str, str],
        timeout: timedelta,
    ) -> RunResult:
        """Run a command in a throw-away container on a network that an exercise's worlds share.

        As nobody, with nothing to write but a small `/tmp`; its place is none that a host has. The
        result tells stdout and stderr apart. One that outlives `timeout` is ended and returns 124.
        Raises UnknownImageError, and EngineRefusedError when the network does not stand.
        """
        ...

    def accepts_tcp(self, host: HostKey, port: int) -> bool:
        """Tell whether a port of the host accepts, seen from its own network namespace."""
        ...

    def probe(self, host: HostKey, command: Sequence[str], *, timeout: timedelta) -> RunResult:
        """Run a command of our toolbox image in a throw-away container inside a host's network.

        The toolbox has bash, curl, nc and dig. Raises HostGoneError.
        """
        ...

    def relay(
        self,
        host: HostKey,
        address: IPv4Address,
        port: int,
        end: socket.socket,
        *,
        timeout: timedelta,
    ) -> RelayEnd:
        """Join `end` with a TCP connection from inside a host's network until either is closed.

        `end` is one of a pair, and closed in the end; what comes is handed on up to 4 MiB.
        `timeout` is for all of it and begins when our prober runs. Raises HostGoneError.
        """
        ...

    def shape(self, world: WorldKey, link: Link, state: LinkState) -> None:
        """Have a link be so, whatever it was; `AS_PLANNED` restores it.

        Of a network's hosts those that run now are concerned; one that runs again later has its
        links as planned. Terminals stay. Raises HostGoneError for a host that does not run, and
        NotEnforcedError, before anything changed, for a `delay` that the kernel cannot do.
        """
        ...

    def can_delay(self) -> bool:
        """Tell whether `delay` of links is enforced here."""
        ...

    def stop_host(self, host: HostKey) -> None:
        """End a host's processes, after some seconds by force; `raise_host` lets it run again.

        Its file system stays. One that ended already is no error; raises HostGoneError when there
        is none.
        """
        ...

    def post_sentinel(self, exercise: ExerciseId) -> None:
        """Have a listener stand in the engine host's own network, at every address of it.

        It tells what the host itself reaches (`sentinel`) and ends by itself after ten minutes.
        """
        ...

    def sentinel(self, exercise: ExerciseId) -> Sentinel | None:
        """Return what the exercise's listener has seen so far; `None` when it does not stand."""
        ...

    def dismiss_sentinel(self, exercise: ExerciseId) -> None:
        """Take the exercise's listener away; none is no error."""
        ...

    def look_around(self, looks: Sequence[Look], *, silence: timedelta) -> Mapping[HostKey, View]:
        """Try every target once from the own networks of hosts of one exercise, all at one time.

        From each host, what is near has to answer and is waited for; what is far has `silence`
        more after that. A host whose prober failed has no view. Raises HostGoneError, also when
        the exercise's listener does not stand.
        """
        ...

    def remove_world(self, world: WorldKey) -> Removed:
        """Remove a world's hosts and networks; nothing left is no error."""
        ...

    def remove_exercise(self, exercise: ExerciseId) -> Removed:
        """Remove every world of an exercise, also of teams that nobody remembers."""
        ...

    def standing(self) -> tuple[Standing, ...]:
        """Return every container and network of this installation, and nobody else's."""
        ...

    def remove_standing(self, things: Sequence[Standing]) -> Removed:
        """Remove exactly these, with what runs in them; one that is gone is no error."""
        ...

    def remaining(self) -> tuple[str, ...]:
        """Return what stands of this installation, a line each; empty after remove_everything."""
        ...

    def nameless_volumes(self) -> frozenset[str]:
        """Return the engine's anonymous volumes, the only kind that an image could bring along."""
        ...

    def remove_everything(self) -> Removed:
        """Remove all that is this installation's: hosts, networks, built images, rules."""
        ...
