"""What a launch would create, and whether this site has room for it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import IPv4Network
from typing import Any

from core.ids import ExerciseId
from core.scenario.generated import team_seed
from core.scenario.load import LoadedScenario
from core.scenario.render import TeamFacts
from core.scenario.site_policy import NOTHING_PERMITTED, SitePolicy, wishes
from core.scenario.values import derive_values
from core.settings import Settings
from orchestrator.domain.addresses import Place, Pools, host_addresses, share_out
from orchestrator.domain.diagnosis import is_full, told_of_space
from orchestrator.domain.engine_facts import Space
from orchestrator.domain.plan import named_images, plan_world
from orchestrator.domain.world import HostPlan, WorldKey, WorldPlan
from orchestrator.images import checker_namer, image_namer
from orchestrator.ports import (
    EngineUnavailableError,
    ForeignImageError,
    RangeEngine,
    UnknownImageError,
)

# Values differ with every launch; a plan shows their places, so any key and any time will do.
_KEY = bytes(32)
_START = datetime(2000, 1, 1, tzinfo=UTC)
_MIB = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class HostForecast:
    """A host that would run; `memory` and `disk` in bytes, and no `disk` for no limit of it."""

    host: str
    image: str
    addresses: tuple[str, ...]
    memory: int
    cpus: float
    pids: int
    disk: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamForecast:
    """A team's world."""

    team: str
    networks: Mapping[str, str]
    hosts: tuple[HostForecast, ...]


class ImageState(StrEnum):
    """What a launch has to do for an image."""

    THERE = "there"
    TO_BUILD = "to build"
    MISSING = "missing"  # nothing is pulled: somebody has to bring it
    FOREIGN = "foreign"  # it is for another processor
    UNKNOWN = "unknown"  # the engine was not asked


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceForecast:
    """A service of every team, and the image of its checker."""

    service: str
    host: str
    network: str
    port: int
    checker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageForecast:
    """An image of the scenario and its bytes where it is there.

    It is run by `hosts`, and by the checkers of `services`.
    """

    image: str
    hosts: tuple[str, ...]
    services: tuple[str, ...]
    state: ImageState
    bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteForecast:
    """What this site has; sizes in bytes, the disk is the one of the engine's data."""

    version: str
    memory: int
    cpus: int
    disk: Space
    limits_disk: bool
    containers: int
    runtimes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """All worlds of a launch; `memory` in bytes is what its hosts may use at most.

    `round_seconds` is how long a round of an attack-defence exercise is.
    `addresses` is how many the subnets hold, of `pool` that this site's pools have. `site` is
    `None` when the engine was not asked; `short` is what does not suffice, a sentence each.
    `permitted` says what the site's policy permits the hosts, and where; `refused` are the lines
    that it lacks, `beyond` the quotas that are exceeded.
    """

    title: str
    teams: tuple[TeamForecast, ...]
    hosts: int
    networks: int
    memory: int
    cpus: float
    pids: int
    addresses: int
    pool: int
    images: tuple[ImageForecast, ...]
    services: tuple[ServiceForecast, ...]
    round_seconds: float | None
    site: SiteForecast | None
    short: tuple[str, ...]
    remarks: tuple[str, ...]
    permitted: tuple[str, ...]
    refused: tuple[str, ...]
    beyond: tuple[str, ...]

    @property
    def may_be_launched(self) -> bool:
        """Whether the site's policy lets it."""
        return not self.refused and not self.beyond

    def as_data(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


def forecast(
    loaded: LoadedScenario,
    settings: Settings,
    engine: RangeEngine,
    *,
    teams: int,
    policy: SitePolicy = NOTHING_PERMITTED,
) -> Forecast:
    """Return what launching for `teams` teams would create; raises AddressPoolExhaustedError."""
    try:
        site, taken, unknown = _site(engine), engine.taken_subnets(), ""
    except EngineUnavailableError as error:
        site, taken, unknown = None, (), f"The engine was not asked: {error.message}"
    worlds = _worlds(loaded, settings, taken, teams)
    hosts = [host for world in worlds for host in world.hosts]
    subnets = {network.subnet for world in worlds for network in world.networks}
    images = tuple(_images(loaded, settings, engine if site else None))
    rounds = loaded.scenario.rounds
    memory, cpus = sum(h.limits.memory for h in hosts), sum(h.limits.cpus for h in hosts)
    return Forecast(
        title=loaded.scenario.scenario.title,
        teams=tuple(map(_team, worlds)),
        hosts=len(hosts),
        networks=len(subnets),
        memory=memory,
        cpus=cpus,
        pids=sum(host.limits.pids for host in hosts),
        addresses=sum(subnet.num_addresses for subnet in subnets),
        pool=sum(n.num_addresses for n in (*settings.address_pool, *settings.internet_pool)),
        images=images,
        services=tuple(_services(loaded, settings)),
        round_seconds=rounds.every.total_seconds() if rounds is not None else None,
        site=site,
        short=(
            *_short(site, images, memory, cpus, sum(h.limits.disk or 0 for h in hosts)),
            *_no_runtime(loaded, site),
        ),
        remarks=(
            *((unknown,) if unknown else ()),
            *_routers(worlds),
            *_not_isolated(loaded),
            *(_not_enforced(loaded, engine, site) if site else ()),
        ),
        permitted=tuple(
            f"{wish}, as {place} permits"
            for wish in wishes(loaded.scenario)
            if (place := policy.permission(wish))
        ),
        refused=tuple(wish.line for wish in policy.refused(loaded.scenario)),
        beyond=policy.beyond_quota(loaded.scenario, teams=teams),
    )


def _site(engine: RangeEngine) -> SiteForecast:
    info, facts = engine.info(), engine.diagnose()
    return SiteForecast(
        version=info.version,
        memory=info.memory,
        cpus=info.cpus,
        disk=facts.space,
        limits_disk=facts.limits_disk,
        containers=info.containers,
        runtimes=tuple(sorted(info.runtimes)),
    )


def _images(
    loaded: LoadedScenario, settings: Settings, engine: RangeEngine | None
) -> Iterator[ImageForecast]:
    name = image_namer(settings.installation, loaded)
    hosts: dict[str, list[str]] = {}
    for host_id, host in loaded.scenario.hosts.items():
        hosts.setdefault(name(host_id, host), []).append(host_id)
    checked: dict[str, list[str]] = {}
    for service in _services(loaded, settings):
        checked.setdefault(service.checker, []).append(service.service)
    named = frozenset(named_images(loaded))
    for image in dict.fromkeys((*hosts, *checked)):
        state, size = ImageState.UNKNOWN, None
        if engine is not None:
            try:
                engine.require_image(image)
                state, size = ImageState.THERE, engine.image_size(image)
            except UnknownImageError:
                state = ImageState.MISSING if image in named else ImageState.TO_BUILD
            except ForeignImageError:
                state = ImageState.FOREIGN
        yield ImageForecast(
            image=image,
            hosts=tuple(hosts.get(image, ())),
            services=tuple(checked.get(image, ())),
            state=state,
            bytes=size,
        )


def _services(loaded: LoadedScenario, settings: Settings) -> Iterator[ServiceForecast]:
    name = checker_namer(settings.installation, loaded)
    for service_id, service in loaded.scenario.services.items():
        yield ServiceForecast(
            service=service_id,
            host=service.host,
            network=service.network,
            port=service.port,
            checker=name(service),
        )


def _short(
    site: SiteForecast | None,
    images: tuple[ImageForecast, ...],
    memory: int,
    cpus: float,
    disk: int,
) -> Iterator[str]:
    """Yield what a launch lacks here, and what may run short when every host takes all it may."""
    for image in images:
        if image.state is ImageState.MISSING:
            yield f"The image {image.image} is not on the engine; docker pull {image.image}"
        if image.state is ImageState.FOREIGN:
            yield f"The image {image.image} is for another processor than this engine's"
    if site is None:
        return
    if memory > site.memory:
        yield (
            f"The hosts may use {memory // _MIB} MiB of memory together, and the engine has"
            f" {site.memory // _MIB} MiB"
        )
    if cpus > site.cpus:
        yield f"The hosts may use {cpus:g} CPUs together, and the engine has {site.cpus}"
    if disk > site.disk.free:
        yield (
            f"The hosts that have a limit may write {disk // _MIB} MiB together, and the engine's"
            f" disk has {site.disk.free // _MIB} MiB free"
        )
    if is_full(site.disk):
        told = told_of_space(site.disk)
        yield f"{told[0].upper()}{told[1:]}; nothing is launched like that"


def _not_enforced(loaded: LoadedScenario, engine: RangeEngine, site: SiteForecast) -> Iterator[str]:
    """Yield what the scenario asks of links and disks that this site cannot do."""
    limited = [name for name, host in loaded.scenario.hosts.items() if host.limits.disk]
    if limited and not site.limits_disk:
        hosts = ", ".join(limited)
        yield f"Not enforced here: the limit of the disk of {hosts}; the engine has no quotas"
    injects = loaded.scenario.injects.items()
    delayed = [name for name, inject in injects if inject.link and inject.link.delay]
    if delayed and not engine.can_delay():
        yield f"Not enforced here: the delay of {', '.join(delayed)}; the kernel has no netem"


def _not_isolated(loaded: LoadedScenario) -> Iterator[str]:
    """Yield which hosts no wall stands around, by what the site's policy may permit them."""
    hosts = loaded.scenario.hosts.items()
    in_its_network = [name for name, host in hosts if host.network_mode == "host"]
    if in_its_network:
        yield (
            f"Not isolated, and not asked by the self-test: {', '.join(in_its_network)}; the"
            " network is the machine's (network_mode: host), and reaches every team's"
        )
    among_its_processes = [name for name, host in hosts if host.pid == "host"]
    if among_its_processes:
        yield (
            f"Not isolated: {', '.join(among_its_processes)}; the processes are the machine's"
            " (pid: host), and by them files of every team's hosts are read"
        )


def _no_runtime(loaded: LoadedScenario, site: SiteForecast | None) -> Iterator[str]:
    for name, host in loaded.scenario.hosts.items():
        if site is not None and host.runtime is not None and host.runtime not in site.runtimes:
            yield f"The engine has no runtime {host.runtime}, which {name} asks for"


def _worlds(
    loaded: LoadedScenario, settings: Settings, taken: tuple[IPv4Network, ...], teams: int
) -> tuple[WorldPlan, ...]:
    networks = loaded.scenario.networks
    slugs = tuple(f"team-{number}" for number in range(1, teams + 1))
    places: list[Place] = [
        (None if network.shared else slug, name)
        for slug in slugs
        for name, network in networks.items()
    ]
    found = share_out(
        loaded.scenario,
        list(dict.fromkeys(places)),
        teams=teams,
        pools=Pools(ordinary=settings.address_pool, internet=settings.internet_pool),
        taken=taken,
    )
    name = image_namer(settings.installation, loaded)
    worlds = []
    for number, slug in enumerate(slugs, start=1):
        subnets = {
            name: found[None if network.shared else slug, name]
            for name, network in networks.items()
        }
        facts = TeamFacts(
            slug=slug,
            name=f"Team {number}",
            number=number,
            teams=slugs,
            values=derive_values(
                loaded.scenario, loaded, key=_KEY, team=slug, start=_START, subnets=subnets
            ),
            addresses=host_addresses(loaded.scenario, subnets, team=number),
            subnets=subnets,
            start=_START,
            seed=team_seed(_KEY, slug),
        )
        key = WorldKey(exercise=ExerciseId("plan"), team=slug)
        worlds.append(plan_world(key, loaded, facts=facts, subnets=subnets, image_name=name))
    return tuple(worlds)


def _team(world: WorldPlan) -> TeamForecast:
    return TeamForecast(
        team=world.key.team,
        networks={network.network: str(network.subnet) for network in world.networks},
        hosts=tuple(map(_host, world.hosts)),
    )


def _host(plan: HostPlan) -> HostForecast:
    return HostForecast(
        host=plan.host,
        image=plan.image,
        addresses=tuple(str(place.address) for place in plan.attachments),
        memory=plan.limits.memory,
        cpus=plan.limits.cpus,
        pids=plan.limits.pids,
        disk=plan.limits.disk,
    )


def _routers(worlds: tuple[WorldPlan, ...]) -> tuple[str, ...]:
    routers = sum(world.router is not None for world in worlds)
    return (f"{routers} routers carry the flows between networks",) if routers else ()
