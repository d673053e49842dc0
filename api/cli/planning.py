"""What a launch would create, and whether this site has room for it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network
from typing import Any

from core.ids import ExerciseId
from core.scenario.generated import team_seed
from core.scenario.load import LoadedScenario
from core.scenario.render import TeamFacts
from core.scenario.values import derive_values
from core.settings import Settings
from orchestrator.domain.addresses import Place, Pools, host_addresses, share_out
from orchestrator.domain.plan import plan_world
from orchestrator.domain.world import HostPlan, WorldKey, WorldPlan
from orchestrator.images import image_namer
from orchestrator.ports import EngineInfo, EngineUnavailableError, RangeEngine

# Values differ with every launch; a plan shows their places, so any key and any time will do.
_KEY = bytes(32)
_START = datetime(2000, 1, 1, tzinfo=UTC)
_MIB = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class HostForecast:
    """A host that would run; `memory` in bytes."""

    host: str
    image: str
    addresses: tuple[str, ...]
    memory: int
    cpus: float
    pids: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamForecast:
    """A team's world."""

    team: str
    networks: Mapping[str, str]
    hosts: tuple[HostForecast, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """All worlds of a launch; `memory` in bytes is what its hosts may use at most."""

    title: str
    teams: tuple[TeamForecast, ...]
    hosts: int
    networks: int
    memory: int
    cpus: float
    pids: int
    remarks: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


def forecast(
    loaded: LoadedScenario, settings: Settings, engine: RangeEngine, *, teams: int
) -> Forecast:
    """Return what launching for `teams` teams would create; raises AddressPoolExhaustedError."""
    try:
        info, taken = engine.info(), engine.taken_subnets()
        unknown = ""
    except EngineUnavailableError as error:
        info, taken, unknown = None, (), f"The engine was not asked: {error.message}"
    worlds = _worlds(loaded, settings, taken, teams)
    hosts = [host for world in worlds for host in world.hosts]
    memory = sum(host.limits.memory for host in hosts)
    return Forecast(
        title=loaded.scenario.scenario.title,
        teams=tuple(map(_team, worlds)),
        hosts=len(hosts),
        networks=len({network.subnet for world in worlds for network in world.networks}),
        memory=memory,
        cpus=sum(host.limits.cpus for host in hosts),
        pids=sum(host.limits.pids for host in hosts),
        remarks=(
            _room(info, memory) if info else unknown,
            *_routers(worlds),
            *(_not_enforced(loaded, engine) if info else ()),
        ),
    )


def _not_enforced(loaded: LoadedScenario, engine: RangeEngine) -> Iterator[str]:
    """Yield what the scenario's injects ask of links that this site cannot do."""
    injects = loaded.scenario.injects.items()
    delayed = [name for name, inject in injects if inject.link and inject.link.delay]
    if delayed and not engine.can_delay():
        yield f"Not enforced here: the delay of {', '.join(delayed)}; the kernel has no netem"


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
    )


def _routers(worlds: tuple[WorldPlan, ...]) -> tuple[str, ...]:
    routers = sum(world.router is not None for world in worlds)
    return (f"{routers} routers carry the flows between networks",) if routers else ()


def _room(info: EngineInfo, memory: int) -> str:
    fits = "enough" if memory <= info.memory else "less than the hosts may use at most"
    return (
        f"The engine {info.version} has {info.memory // _MIB} MiB of memory ({fits}),"
        f" {info.cpus} CPUs and runs {info.containers} containers"
    )
