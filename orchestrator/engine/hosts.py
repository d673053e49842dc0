"""Hosts of a world: created, connected, filled, and only then started."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import structlog
from docker.errors import APIError, NotFound

from core.clock import Clock
from core.ids import ExerciseId
from core.waiting import until
from orchestrator.domain.health import ObservedHost
from orchestrator.domain.world import Attachment, HostKey, HostPlan, WorldKey
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.containers import inspect_container, names_no_container, remove_container
from orchestrator.engine.errors import is_status, needing_image, said
from orchestrator.engine.files import host_archive
from orchestrator.engine.hardening import host_options
from orchestrator.engine.image_contents import ContainerTree, ImageContents
from orchestrator.engine.images import ImageFacts, Images
from orchestrator.engine.labels import HOST, OWNER, PLAN, TEAM, Kind, Labels, having, plan_digest
from orchestrator.engine.names import container_name
from orchestrator.engine.networks import name_of
from orchestrator.engine.readiness import Readiness, starter
from orchestrator.engine.stats import usage_of
from orchestrator.ports import EngineRefusedError, HostGoneError, Usage

_log = structlog.get_logger()

_SETTLED_WITHIN = timedelta(seconds=30)
_STOPS_WITHIN_SECONDS = 5
_STAY = ["sleep", "infinity"]
_KILLED = 137
# What the storage drivers say: "--storage-opt is supported only for overlay over xfs with 'pquota'
# mount option", and others alike.
_HAS_NO_QUOTAS = re.compile(r"storage-?opt", re.IGNORECASE)

# What containerd and runc say of a task, or of its folder, that an engine left behind when it was
# killed.
_LOST_TASK = re.compile(
    r"task [0-9a-f]{64}: already exists|failed to start shim: mkdir \S+/[0-9a-f]{64}: file exists"
    r"|\bid already in use$"
)


class Hosts:
    """The hosts of one installation on an engine."""

    def __init__(
        self,
        connection: EngineConnection,
        labels: Labels,
        images: Images,
        readiness: Readiness,
        *,
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._labels = labels
        self._images = images
        self._readiness = readiness
        self._contents = ImageContents(connection, labels)
        self._clock = clock
        self._limits_disk = True  # until the engine refuses

    def raise_host(self, world: WorldKey, plan: HostPlan) -> None:
        """Have the host run from exactly this plan.

        A container that was created and never started was left half-way, by a crash or by
        somebody who is at it now: whatever may be missing is done again, which harms neither.
        """
        facts = self._images.facts(plan.image)
        until(
            lambda: self._stands(world, plan, facts),
            what=f"host {plan.host} of {world.team}",
            within=_SETTLED_WITHIN,
        )

    def stop(self, host: HostKey) -> None:
        """End a host's processes, by force after some seconds; raises HostGoneError."""
        name = container_name(self._labels.installation, host)
        with self._connection.call() as api:
            try:
                api.stop(name, timeout=_STOPS_WITHIN_SECONDS)
            except NotFound as error:
                raise HostGoneError(
                    f"there is no host {host.host} of {host.world.team}",
                    hint="Raise its world again",
                ) from error

    def observe(self, exercise: ExerciseId) -> tuple[ObservedHost, ...]:
        """Return every host of the exercise that exists.

        One call, and one more for each host that does not run: the list does not tell why.
        """
        wanted = having(self._labels.of_exercise(exercise), kind=Kind.HOST)
        with self._connection.call() as api:
            found = api.containers(all=True, filters=wanted)
        seen = (self._observed(exercise, container) for container in found)
        return tuple(host for host in seen if host is not None)

    def running(self, exercise: ExerciseId) -> frozenset[HostKey]:
        """Return the hosts of the exercise that run, by one call."""
        wanted = having(self._labels.of_exercise(exercise), kind=Kind.HOST)
        with self._connection.call() as api:
            found = api.containers(filters=wanted)
        return frozenset(_key(exercise, container["Labels"]) for container in found)

    def written(self, exercise: ExerciseId) -> Mapping[HostKey, int]:
        """Return the bytes that each host of the exercise holds beyond its image, by one call."""
        wanted = having(self._labels.of_exercise(exercise), kind=Kind.HOST)
        with self._connection.long_call() as api:
            found = api.containers(all=True, size=True, filters=wanted)
        # The engine leaves out the size of one that holds nothing.
        return {_key(exercise, seen["Labels"]): seen.get("SizeRw", 0) for seen in found}

    def usage(self, exercise: ExerciseId) -> Mapping[HostKey, Usage]:
        """Return what each running host of the exercise uses now."""
        wanted = having(self._labels.of_exercise(exercise), kind=Kind.HOST)
        with self._connection.call() as api:
            found = api.containers(filters=wanted)
        used: dict[HostKey, Usage] = {}
        for container in found:
            with self._connection.call() as api:
                try:
                    told = api.stats(container["Id"], stream=False, one_shot=True)
                except NotFound:
                    continue  # removed since
            usage = usage_of(told)
            if usage is not None:
                used[_key(exercise, container["Labels"])] = usage
        return used

    def remove_host(self, host: HostKey) -> None:
        """Remove a host, if it is there and ours."""
        name = container_name(self._labels.installation, host)
        found = inspect_container(self._connection, name)
        if found is not None:
            self._require_ours(found, name)
            remove_container(self._connection, found["Id"])

    def _observed(self, exercise: ExerciseId, container: Mapping[str, Any]) -> ObservedHost | None:
        seen = ObservedHost(
            key=_key(exercise, container["Labels"]),
            running=container["State"] in {"running", "paused"},
            networks=frozenset(
                name.rpartition(".")[2] for name in container["NetworkSettings"]["Networks"]
            ),
        )
        if seen.running:
            return seen
        found = inspect_container(self._connection, container["Id"])
        return None if found is None else _with_its_end(seen, found["State"])

    def _stands(self, world: WorldKey, plan: HostPlan, facts: ImageFacts) -> bool:
        key = HostKey(world=world, host=plan.host)
        name = container_name(self._labels.installation, key)
        created = self._create(name, key, plan, facts)
        if created is not None:
            return self._complete_new(created, world, plan, facts)
        found = inspect_container(self._connection, name)
        if found is None:
            return False  # the engine keeps a name a moment longer than its container
        self._require_ours(found, name)
        made_from = found["Config"]["Labels"].get(PLAN)
        if made_from != plan_digest(plan) or found["State"]["Status"] in {"dead", "removing"}:
            remove_container(self._connection, found["Id"])
            return False
        return self._revive(found, world, plan, facts)

    def _complete_new(
        self, container: str, world: WorldKey, plan: HostPlan, facts: ImageFacts
    ) -> bool:
        tree = self._contents.seen_through(container, image_id=facts.image_id)
        try:
            self._complete(container, world, plan, facts, tree, connected=plan.attachments[:1])
        except EngineRefusedError as error:
            if names_no_container(error):
                return False  # somebody removed it meanwhile
            raise
        return True

    def _revive(
        self, found: Mapping[str, Any], world: WorldKey, plan: HostPlan, facts: ImageFacts
    ) -> bool:
        """Have a container of this very plan run; False when it had to go."""
        networks, status = found["NetworkSettings"]["Networks"], found["State"]["Status"]
        connected = tuple(
            place for place in plan.attachments if self._network(world, place) in networks
        )
        try:
            if status == "created":
                with self._contents.seen_apart(facts.image_id) as tree:
                    self._complete(found["Id"], world, plan, facts, tree, connected=connected)
            else:
                self._connect_rest(found["Id"], world, plan, connected)
            if status == "exited":
                self._start(found["Id"])
        except EngineRefusedError as error:
            if status == "running" or not _never_starts(error):
                raise
            remove_container(self._connection, found["Id"])
            return False
        return True

    def _create(self, name: str, key: HostKey, plan: HostPlan, facts: ImageFacts) -> str | None:
        """Create the container with its first network; None when the name is in use.

        Without the limit of its disk on an engine that cannot keep to one.
        """
        if plan.limits.disk is None or not self._limits_disk:
            return self._created(name, key, plan, facts, disk=None)
        try:
            return self._created(name, key, plan, facts, disk=plan.limits.disk)
        except EngineRefusedError as error:
            if not _HAS_NO_QUOTAS.search(error.message):
                raise
        self._limits_disk = False
        _log.warning("disk_limit.not_enforced", host=key.host)
        return self._created(name, key, plan, facts, disk=None)

    def _created(
        self, name: str, key: HostKey, plan: HostPlan, facts: ImageFacts, *, disk: int | None
    ) -> str | None:
        first = {
            self._network(key.world, place): {
                "IPAMConfig": {"IPv4Address": str(place.address)},
                "Aliases": list(plan.names_on(place)),
            }
            for place in plan.attachments[:1]
        }
        network = next(iter(first), "host" if plan.privileges.host_network else "none")
        command = list(facts.command) or _STAY
        started = starter(plan, command, user=facts.user)
        with self._connection.call() as api, needing_image(plan.image):
            try:
                created = api.create_container(
                    plan.image,
                    entrypoint=started or command,
                    command=[],
                    hostname=plan.hostname,
                    name=name,
                    environment=dict(plan.environment),
                    labels=self._labels.host(key, plan),
                    host_config=host_options(plan, network=network, disk=disk),
                    networking_config={"EndpointsConfig": first},
                    use_config_proxy=False,  # the operator's proxy is no business of a host
                )
            except APIError as error:
                if is_status(error, HTTPStatus.CONFLICT):
                    return None
                raise
        return str(created["Id"])

    def _complete(
        self,
        container: str,
        world: WorldKey,
        plan: HostPlan,
        facts: ImageFacts,
        tree: ContainerTree,
        *,
        connected: tuple[Attachment, ...],
    ) -> None:
        """Connect what is not connected, fill and start."""
        self._connect_rest(container, world, plan, connected)
        self._fill(container, plan, tree)
        self._start(container)
        if starter(plan, (), user=facts.user) is not None:
            key = HostKey(world=world, host=plan.host)
            self._readiness.will_tell(container_name(self._labels.installation, key))

    def _connect_rest(
        self, container: str, world: WorldKey, plan: HostPlan, connected: tuple[Attachment, ...]
    ) -> None:
        for place in plan.attachments:
            if place not in connected:
                self._connect(container, world, plan, place)

    def _connect(self, container: str, world: WorldKey, plan: HostPlan, place: Attachment) -> None:
        with self._connection.call() as api:
            try:
                api.connect_container_to_network(
                    container,
                    self._network(world, place),
                    ipv4_address=str(place.address),
                    aliases=list(plan.names_on(place)),
                )
            except APIError as error:
                if "already exists in network" not in said(error):
                    raise

    def _fill(self, container: str, plan: HostPlan, tree: ContainerTree) -> None:
        archive = host_archive(plan, tree, now=self._clock.now())
        if archive is not None:
            with self._connection.call() as api:
                api.put_archive(container, "/", archive)

    def _start(self, container: str) -> None:
        with self._connection.call() as api:
            api.start(container)

    def _require_ours(self, found: Mapping[str, Any], name: str) -> None:
        labels = found["Config"]["Labels"] or {}
        if labels.get(OWNER) != self._labels.installation:
            raise EngineRefusedError(
                f"the container {name} exists, and is not this installation's",
                hint=f"Remove it (docker rm -f {name}) if nothing needs it",
            )

    def _network(self, world: WorldKey, place: Attachment) -> str:
        return name_of(self._labels.installation, world, place)


def _key(exercise: ExerciseId, labels: Mapping[str, str]) -> HostKey:
    return WorldKey(exercise=exercise, team=labels[TEAM]).host(labels[HOST])


def _never_starts(error: EngineRefusedError) -> bool:
    """Tell whether a container cannot be started any more, however often it is tried.

    It is tied to a network that was made again since, and such a tie stays cut; or the engine was
    killed while it started the container, and has a process of it that it knows nothing about.
    """
    return isinstance(error.__cause__, NotFound) or bool(_LOST_TASK.search(error.message))


def _with_its_end(host: ObservedHost, state: Mapping[str, Any]) -> ObservedHost:
    if state["Running"]:
        return replace(host, running=True)  # since the list was made
    if state["Status"] == "created":
        return replace(host, started=False)
    return replace(
        host,
        exit_code=state["ExitCode"],
        # The engine says so, too, when any process was killed for memory and the host ran on.
        out_of_memory=state["OOMKilled"] and state["ExitCode"] == _KILLED,
        ended_at=datetime.fromisoformat(state["FinishedAt"]),
    )
