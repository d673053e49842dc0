"""Routers of worlds: a container of the toolbox image on every routed network.

It learns its rules before it is on a second network, so there is no moment at which it forwards
without them. It keeps nothing: one that does not run is made anew.
"""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from docker.errors import APIError, ImageNotFound

from core.ids import ExerciseId
from core.waiting import until
from orchestrator.domain.world import Attachment, RouterPlan, WorldKey
from orchestrator.engine.commands import HostCommands
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.containers import inspect_container, names_no_container, remove_container
from orchestrator.engine.errors import is_status
from orchestrator.engine.hardening import router_options
from orchestrator.engine.labels import PLAN, TEAM, Kind, Labels, having, router_digest
from orchestrator.engine.names import router_name
from orchestrator.engine.networks import name_of
from orchestrator.engine.ruleset import DROPPED, parse_dropped, ruleset
from orchestrator.engine.toolbox import Toolbox
from orchestrator.ports import Dropped, EngineRefusedError, HostGoneError, ObservedRouter

_SETTLED_WITHIN = timedelta(seconds=30)
_RULED_WITHIN = timedelta(seconds=20)
_ASK_WITHIN = timedelta(seconds=10)
_FIRST_LOOK = timedelta(milliseconds=20)
_RULED = b"ruled"
# What leads nowhere is led to the rules, too: they drop and count it, where a missing route would
# only answer. In a table of its own, asked last: the engine connects no network that a route of the
# main one covers.
_PROCESS = """\
printf %s "$1" | nft -f - &&
ip route add default dev lo table 99 && ip rule add pref 40000 lookup 99 &&
echo ruled && exec sleep infinity"""


class Routers:
    """The routers of one installation on an engine."""

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

    def raise_router(self, world: WorldKey, plan: RouterPlan) -> None:
        """Have the world's router run with exactly these rules, on exactly these networks."""
        until(
            lambda: self._stands(world, plan),
            what=f"the router of {world.team}",
            within=_SETTLED_WITHIN,
        )

    def observe(self, exercise: ExerciseId) -> tuple[ObservedRouter, ...]:
        """Return every router of the exercise that exists, by one call."""
        wanted = having(self._labels.of_exercise(exercise), kind=Kind.ROUTER)
        with self._connection.call() as api:
            found = api.containers(all=True, filters=wanted)
        return tuple(
            ObservedRouter(
                world=WorldKey(exercise=exercise, team=container["Labels"][TEAM]),
                running=container["State"] == "running",
            )
            for container in found
        )

    def dropped(self, world: WorldKey) -> tuple[Dropped, ...]:
        """Return what the router dropped in the last half hour; raises HostGoneError."""
        try:
            said = self._commands.run(
                router_name(self._labels.installation, world),
                DROPPED,
                timeout=_ASK_WITHIN,
                account="root",
            )
        except HostGoneError as error:
            raise HostGoneError(
                f"{world.team} has no router that runs", hint="Only worlds with flows have one"
            ) from error
        return parse_dropped(said.output)

    def _stands(self, world: WorldKey, plan: RouterPlan) -> bool:
        name = router_name(self._labels.installation, world)
        found = inspect_container(self._connection, name)
        if found is not None:
            if self._is_whole(found, world, plan):
                return True
            remove_container(self._connection, found["Id"])
            return False
        try:
            container = self._create(name, world, plan)
            if container is None:
                return False
            self._start(container)
            for place in plan.attachments[1:]:
                self._connect(container, world, place)
        except EngineRefusedError as error:
            if names_no_container(error):
                return False  # somebody removed it meanwhile
            raise
        return True

    def _is_whole(self, found: Mapping[str, Any], world: WorldKey, plan: RouterPlan) -> bool:
        wanted = {self._network(world, place) for place in plan.attachments}
        return (
            found["State"]["Status"] == "running"
            and found["Config"]["Labels"].get(PLAN) == router_digest(plan)
            and wanted == set(found["NetworkSettings"]["Networks"])
        )

    def _create(self, name: str, world: WorldKey, plan: RouterPlan) -> str | None:
        """Create it on its first network; None when the name is in use or the image went."""
        place = plan.attachments[0]
        network = self._network(world, place)
        image = self._toolbox.have_image()
        with self._connection.call() as api:
            try:
                created = api.create_container(
                    image,
                    command=["sh", "-c", _PROCESS, "sh", ruleset(plan)],
                    hostname="router",
                    name=name,
                    labels=self._labels.router(world, plan),
                    host_config=router_options(network=network),
                    networking_config={"EndpointsConfig": {network: _endpoint(place)}},
                    use_config_proxy=False,
                )
            except ImageNotFound:
                self._toolbox.forget()
                return None
            except APIError as error:
                if is_status(error, HTTPStatus.CONFLICT):
                    return None
                raise
        return str(created["Id"])

    def _start(self, container: str) -> None:
        """Start it and return once its rules stand."""
        with self._connection.call() as api:
            api.start(container)
        until(
            lambda: self._is_ruled(container),
            what="the rules of a router to stand",
            within=_RULED_WITHIN,
            first=_FIRST_LOOK,
        )

    def _is_ruled(self, container: str) -> bool:
        with self._connection.call() as api:
            said: bytes = api.logs(container)
            if _RULED in said:
                return True
            running = api.inspect_container(container)["State"]["Running"]
        if not running:
            raise EngineRefusedError(
                f"the engine's kernel does not take a router's rules: {said.decode().strip()}",
                hint="Scenarios with flows need nftables (nf_tables) in the engine host's kernel",
            )
        return False

    def _connect(self, container: str, world: WorldKey, place: Attachment) -> None:
        with self._connection.call() as api:
            api.connect_container_to_network(
                container, self._network(world, place), ipv4_address=str(place.address)
            )

    def _network(self, world: WorldKey, place: Attachment) -> str:
        return name_of(self._labels.installation, world, place)


def _endpoint(place: Attachment) -> dict[str, object]:
    return {"IPAMConfig": {"IPv4Address": str(place.address)}}
