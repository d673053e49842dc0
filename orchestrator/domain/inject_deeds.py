"""What injects have done to hosts and links of a team, as far as it still holds. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from core.scenario.schema import Scenario
from core.scenario.schema_injects import Link as LinkSpec
from orchestrator.domain.injects import Firing, FiringState
from orchestrator.domain.links import AS_PLANNED, HostLink, Link, LinkState, NetworkLink

_DONE = frozenset({FiringState.FIRING, FiringState.FIRED})


def stopped_hosts(scenario: Scenario, firings: Sequence[Firing]) -> frozenset[str]:
    """Return the hosts that injects stop or have stopped, and none has started again."""
    last: dict[str, str] = {}
    for firing in _in_order(scenario, firings):
        inject = scenario.injects[firing.inject]
        is_under_way = firing.state is FiringState.FIRING and inject.do == "start"
        if inject.do is not None and inject.host is not None and not is_under_way:
            last[inject.host] = inject.do
    return frozenset(host for host, do in last.items() if do == "stop")


def links_in_force(
    scenario: Scenario, firings: Sequence[Firing], elapsed: timedelta
) -> Mapping[Link, LinkState]:
    """Return the links that are not as planned at a time of the team's clock, and how they are."""
    last: dict[Link, LinkState] = {}
    for firing in _in_order(scenario, firings):
        link = scenario.injects[firing.inject].link
        if link is not None:
            is_over = link.for_ is not None and _at(firing) + link.for_ <= elapsed
            last[place_of(link)] = AS_PLANNED if is_over else state_of(link)
    return {link: state for link, state in last.items() if state != AS_PLANNED}


def is_overtaken(scenario: Scenario, firings: Sequence[Firing], firing: Firing) -> bool:
    """Tell whether a later inject changed the link that a firing changed."""
    mine = scenario.injects[firing.inject].link
    assert mine is not None
    later = _in_order(scenario, firings)
    later = later[later.index(firing) + 1 :]
    others = [scenario.injects[f.inject].link for f in later]
    return any(o is not None and place_of(o) == place_of(mine) for o in others)


def _in_order(scenario: Scenario, firings: Sequence[Firing]) -> list[Firing]:
    """Return what was done in the order in which it was: at one time, as in the file."""
    position = {name: number for number, name in enumerate(scenario.injects)}
    done = [f for f in firings if f.state in _DONE and f.at is not None]
    return sorted(done, key=lambda f: (_at(f), position[f.inject]))


def _at(firing: Firing) -> timedelta:
    return firing.at or timedelta()


def place_of(link: LinkSpec) -> Link:
    """Return which links an inject means."""
    if link.network is not None:
        return NetworkLink(network=link.network)
    return HostLink(host=link.host or "")


def state_of(link: LinkSpec) -> LinkState:
    """Return how an inject wants them."""
    if link.restore:
        return AS_PLANNED
    return LinkState(
        down=link.down is True,
        loss=float(link.loss) if link.loss is not None else 0.0,
        rate=link.rate,
        delay=link.delay,
    )
