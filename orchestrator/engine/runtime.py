"""The RangeEngine on Docker: API 1.41 (Engine 20.10) and newer, local or remote."""

import re
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network

from core.clock import Clock, SystemClock
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
    RouterPlan,
    WorldKey,
)
from orchestrator.engine.apart import Apart
from orchestrator.engine.beside import needing, network_of
from orchestrator.engine.commands import HostCommands
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.diagnosis import Diagnosis
from orchestrator.engine.events import Events
from orchestrator.engine.guard import Guard
from orchestrator.engine.host_routes import HostRoutes
from orchestrator.engine.host_rules import HostRules
from orchestrator.engine.hosts import Hosts
from orchestrator.engine.images import Images
from orchestrator.engine.inventory import inventory
from orchestrator.engine.labels import Labels
from orchestrator.engine.links import Links
from orchestrator.engine.lookout import Lookout
from orchestrator.engine.names import container_name
from orchestrator.engine.networks import Networks
from orchestrator.engine.readiness import Readiness
from orchestrator.engine.relays import Goal, Relays
from orchestrator.engine.removal import Removal
from orchestrator.engine.routers import Routers
from orchestrator.engine.routes import Routes
from orchestrator.engine.space import space_of
from orchestrator.engine.toolbox import Toolbox
from orchestrator.engine.turns import Ranks
from orchestrator.engine.visitors import Visitors
from orchestrator.ports import (
    Dropped,
    EngineInfo,
    EngineRefusedError,
    ObservedRouter,
    RelayEnd,
    Removed,
    RunResult,
    Usage,
)

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


class DockerEngine:
    """One Docker Engine as `orchestrator.ports.RangeEngine`, for one installation.

    Nothing is asked of the engine before the first call. At most `parallelism` calls that cost
    the engine work are under way at once, however many threads call; worlds that were begun are
    finished first, and what builds no world goes before.
    """

    def __init__(
        self,
        base_url: str,
        *,
        installation: str,
        parallelism: int = 4,
        clock: Clock | None = None,
    ) -> None:
        self._installation = installation
        self._connection = EngineConnection(base_url, parallelism=parallelism)
        self._ranks = Ranks()
        self._labels = Labels(installation=installation)
        self._images = Images(self._connection, self._labels)
        self._networks = Networks(self._connection, self._labels)
        self._commands = HostCommands(self._connection)
        self._readiness = Readiness(self._connection, self._commands)
        self._hosts = Hosts(
            self._connection,
            self._labels,
            self._images,
            self._readiness,
            clock=clock or SystemClock(),
        )
        self._toolbox = Toolbox(self._connection, self._labels, self._images)
        self._relays = Relays(self._connection, self._toolbox)
        self._apart = Apart(self._connection, self._labels, self._toolbox)
        self._visitors = Visitors(self._connection, self._labels)
        self._routers = Routers(self._connection, self._labels, self._toolbox, self._commands)
        self._guard = Guard(self._toolbox, self._labels)
        self._host_routes = HostRoutes(self._toolbox, self._labels)
        self._links = Links(self._connection, self._toolbox, self._labels)
        self._diagnosis = Diagnosis(
            self._connection, self._labels, self._toolbox, clock or SystemClock()
        )
        self._lookout = Lookout(self._connection, self._labels, self._toolbox)
        self._rules = HostRules(self._toolbox, self._labels)
        self._routes = Routes(self._connection, self._toolbox, self._labels)
        self._removal = Removal(self._connection, self._labels)
        self._events = Events(self._connection, self._labels)

    def info(self) -> EngineInfo:
        """Return the engine's version and size."""
        with self._connection.call() as api:
            told = api.info()
            return EngineInfo(
                version=told["ServerVersion"],
                api_version=api.api_version,
                cpus=told["NCPU"],
                memory=told["MemTotal"],
                containers=told["Containers"],
                runtimes=frozenset(told.get("Runtimes") or ()),
            )

    def diagnose(self) -> EngineFacts:
        """Return what the engine and its host say of themselves."""
        return self._diagnosis.facts()

    def taken_subnets(self) -> tuple[IPv4Network, ...]:
        """Return what the engine's host routes, in any table, and its networks hold."""
        return self._routes.taken_subnets()

    def build_image(self, build: ImageBuild) -> None:
        """Have `build.reference` on the engine."""
        self._images.build(build)

    def require_image(self, reference: str) -> None:
        """Raise UnknownImageError unless the engine has the image."""
        self._images.facts(reference)

    def protect_host(self) -> Room:
        """Have the firewall rules that keep ranges off the engine's host, and let routers work."""
        told = self._rules.protect()
        return Room(space=space_of(told), taken=self._routes.taken(told))

    def raise_network(self, world: WorldKey, plan: NetworkPlan) -> None:
        """Have the network stand."""
        with self._ranks.building(world):
            self._networks.raise_network(world, plan)

    def raise_host(self, world: WorldKey, plan: HostPlan) -> None:
        """Have the host run; besides the port's errors, those of its files (input faults)."""
        with self._ranks.building(world):
            self._hosts.raise_host(world, plan)
            host = HostKey(world=world, host=plan.host)
            if plan.sends_raw:
                self._guarded(host, plan)
            if plan.gateway is not None:
                self._host_routes.lead(host, plan.gateway)

    def raise_router(self, world: WorldKey, plan: RouterPlan) -> None:
        """Have the world's router run."""
        with self._ranks.building(world):
            self._routers.raise_router(world, plan)

    def remove_host(self, host: HostKey) -> None:
        """Remove a host with all that is in it."""
        self._hosts.remove_host(host)

    def await_ready(self, world: WorldKey, plan: HostPlan) -> None:
        """Return when every readiness probe of the plan has passed inside the host."""
        self._readiness.wait(self._name(HostKey(world=world, host=plan.host)), plan)

    def observe(self, exercise: ExerciseId) -> tuple[ObservedHost, ...]:
        """Return every host of an exercise that exists."""
        return self._hosts.observe(exercise)

    def running(self, exercise: ExerciseId) -> frozenset[HostKey]:
        """Return the hosts of an exercise that run."""
        return self._hosts.running(exercise)

    def written(self, exercise: ExerciseId) -> Mapping[HostKey, int]:
        """Return how many bytes each host of an exercise holds beyond its image."""
        return self._hosts.written(exercise)

    def usage(self, exercise: ExerciseId) -> Mapping[HostKey, Usage]:
        """Return what each running host of an exercise uses now."""
        return self._hosts.usage(exercise)

    def image_size(self, reference: str) -> int:
        """Return how many bytes an image has."""
        return self._images.facts(reference).size

    def observe_routers(self, exercise: ExerciseId) -> tuple[ObservedRouter, ...]:
        """Return every router of an exercise that exists."""
        return self._routers.observe(exercise)

    def dropped(self, world: WorldKey) -> tuple[Dropped, ...]:
        """Return what a world's router dropped lately."""
        return self._routers.dropped(world)

    def watch(self, on_change: Callable[[Change], None], stop: threading.Event) -> None:
        """Tell of hosts and routers that end, go or lack memory, and of networks that go."""
        self._events.watch(on_change, stop)

    def run(
        self,
        host: HostKey,
        command: Sequence[str],
        *,
        timeout: timedelta,
        account: str = "root",
    ) -> RunResult:
        """Run a command inside a host; the host needs a POSIX shell."""
        return self._commands.run(self._name(host), command, timeout=timeout, account=account)

    def put_folder(self, host: HostKey, path: str, files: Sequence[Entry]) -> None:
        """Have a folder with these files stand in a host that runs."""
        self._apart.put_folder(self._name(host), path, files)

    def run_apart(
        self,
        command: Sequence[str],
        *,
        timeout: timedelta,
        image: str = "",
        folder: str = "",
        files: Sequence[Entry] = (),
    ) -> RunResult:
        """Run a command in a throw-away container of an image, without any network."""
        if image:
            self._images.facts(image)
        return self._apart.run(command, image=image, folder=folder, files=files, timeout=timeout)

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
        """Run a command in a throw-away container on a network that worlds share."""
        self._images.facts(image)
        return self._visitors.run(
            exercise, network, command, image=image, environment=environment, timeout=timeout
        )

    def accepts_tcp(self, host: HostKey, port: int) -> bool:
        """Tell whether a socket of the host listens on the port; raises HostGoneError."""
        return self._commands.accepts_tcp(self._name(host), port)

    def probe(self, host: HostKey, command: Sequence[str], *, timeout: timedelta) -> RunResult:
        """Run a command of the toolbox inside a host's network."""
        with needing(host):
            return self._toolbox.run(
                command,
                network_mode=network_of(self._installation, host),
                labels=self._labels.probe(host),
                timeout=timeout,
            )

    def relay(
        self,
        host: HostKey,
        address: IPv4Address,
        port: int,
        end: socket.socket,
        *,
        timeout: timedelta,
    ) -> RelayEnd:
        """Join a socket of ours with a TCP connection from inside a host's network."""
        with needing(host):
            return self._relays.join(
                network_of(self._installation, host),
                self._labels.probe(host),
                Goal(address=address, port=port),
                end,
                timeout=timeout,
            )

    def shape(self, world: WorldKey, link: Link, state: LinkState) -> None:
        """Have a link of a network's hosts, or of one host, be so."""
        self._links.shape(world, link, state)

    def can_delay(self) -> bool:
        """Tell whether the engine's kernel can delay packets."""
        return self._links.can_delay()

    def stop_host(self, host: HostKey) -> None:
        """End a host's processes; its file system stays."""
        self._hosts.stop(host)

    def post_sentinel(self, exercise: ExerciseId) -> None:
        """Have a listener stand in the engine host's own network."""
        self._lookout.post(exercise)

    def sentinel(self, exercise: ExerciseId) -> Sentinel | None:
        """Return what the exercise's listener has seen so far."""
        return self._lookout.report(exercise)

    def dismiss_sentinel(self, exercise: ExerciseId) -> None:
        """Take the exercise's listener away."""
        self._lookout.dismiss(exercise)

    def look_around(self, looks: Sequence[Look], *, silence: timedelta) -> Mapping[HostKey, View]:
        """Try every target once from hosts' own networks, by one prober of the sentinel's."""
        return self._lookout.look_around(looks, silence=silence)

    def remove_world(self, world: WorldKey) -> Removed:
        """Remove a world's hosts and networks."""
        return self._removal.worlds(self._labels.of_world(world))

    def remove_exercise(self, exercise: ExerciseId) -> Removed:
        """Remove every world of an exercise."""
        return self._removal.worlds(self._labels.of_exercise(exercise))

    def standing(self) -> tuple[Standing, ...]:
        """Return every container and network of this installation."""
        return inventory(self._connection, self._labels)

    def remove_standing(self, things: Sequence[Standing]) -> Removed:
        """Remove exactly these things."""
        return self._removal.things(things)

    def remaining(self) -> tuple[str, ...]:
        """Return the installation's containers, networks and images, by name."""
        return self._removal.remaining()

    def nameless_volumes(self) -> frozenset[str]:
        """Return the names that the engine gave: no label tells whose such a volume is."""
        with self._connection.call() as api:
            names = (volume["Name"] for volume in api.volumes()["Volumes"] or ())
            return frozenset(name for name in names if _ANONYMOUS.fullmatch(name))

    def remove_everything(self) -> Removed:
        """Remove all of this installation: hosts, networks, firewall rules, images."""
        removed = self._removal.worlds(self._labels.everything())
        if self._toolbox.is_there():
            self._rules.clear()
        images = self._removal.images()
        self._toolbox.forget()
        return replace(removed, images=images)

    def _guarded(self, host: HostKey, plan: HostPlan) -> None:
        try:
            self._guard.hold(host, plan)
        except EngineRefusedError:
            self._hosts.remove_host(host)  # it would run on without its guard
            raise

    def _name(self, host: HostKey) -> str:
        return container_name(self._installation, host)
