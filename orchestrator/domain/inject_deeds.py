"""What injects have done to hosts and links of a team, as far as it still holds. Pure."""

from collections.abc import Sequence
from datetime import timedelta

from core.scenario.schema import Scenario
from core.scenario.schema_injects import Link as LinkSpec
from orchestrator.domain.injects import Firing, FiringState
from orchestrator.domain.links import AS_PLANNED, HostLink, Link, LinkState, NetworkLink

_DONE = frozenset({FiringState.FIRING, FiringState.FIRED})


def stopped_hosts(scenario: Scenario, firings: Sequence[Firing]) -> frozenset[str]:
    """Return the hosts that injects stop or have stopped, and none has started again."""
    last: dict[str, str] = {}
    for firing in _in_order(firings):
        inject = scenario.injects[firing.inject]
        is_under_way = firing.state is FiringState.FIRING and inject.do == "start"
        if inject.do is not None and inject.host is not None and not is_under_way:
            last[inject.host] = inject.do
    return frozenset(host for host, do in last.items() if do == "stop")


def is_overtaken(scenario: Scenario, firings: Sequence[Firing], firing: Firing) -> bool:
    """Tell whether a later inject changed the link that a firing changed."""
    mine = scenario.injects[firing.inject].link
    assert mine is not None
    later = _in_order(firings)
    later = later[later.index(firing) + 1 :]
    others = [scenario.injects[f.inject].link for f in later]
    return any(o is not None and place_of(o) == place_of(mine) for o in others)


def _in_order(firings: Sequence[Firing]) -> list[Firing]:
    done = [f for f in firings if f.state in _DONE and f.at is not None]
    return sorted(done, key=lambda f: f.at or timedelta())


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
