"""What templates may say of a team, derived once from all that it follows from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network

from core.scenario.generated import team_seed
from core.scenario.render import TeamFacts
from core.scenario.schema import Scenario
from core.scenario.values import derive_values
from orchestrator.domain.addresses import host_addresses
from orchestrator.library import Library

_KEPT = 2048  # all teams of two exercises that are as large as may be

Held = tuple[tuple[str, str], ...]
"""Each network that has a subnet, and the subnet, by network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Network → subnet, and host → network → address, of a team's world."""

    subnets: Mapping[str, IPv4Network]
    addresses: Mapping[str, Mapping[str, IPv4Address]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """All that a team's facts follow from; two that are equal have the same."""

    digest: str
    secret: bytes
    start: datetime
    slug: str
    name: str
    number: int
    teams: tuple[str, ...]
    held: Held


class DerivedFacts:
    """The facts of teams, kept while there is room: deriving them takes as long as an answer."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.of = lru_cache(maxsize=_KEPT)(self._derived)

    def _derived(self, source: Source) -> TeamFacts:
        loaded = self._library.scenario(source.digest)
        places = places_of(loaded.scenario, source.held, team=source.number)
        return TeamFacts(
            slug=source.slug,
            name=source.name,
            number=source.number,
            teams=source.teams,
            values=derive_values(
                loaded.scenario,
                loaded,
                key=source.secret,
                team=source.slug,
                start=source.start,
                subnets=places.subnets,
            ),
            addresses=places.addresses,
            subnets=places.subnets,
            start=source.start,
            seed=team_seed(source.secret, source.slug),
        )


def places_of(scenario: Scenario, held: Held, *, team: int) -> Places:
    """Return where the hosts of a team are, by its number; nowhere before all networks are."""
    of_networks = {network: IPv4Network(subnet) for network, subnet in held}
    # In the order of the file, whatever the order of the rows: addresses depend on it.
    subnets = {name: of_networks[name] for name in scenario.networks if name in of_networks}
    complete = len(subnets) == len(scenario.networks)
    addresses = host_addresses(scenario, subnets, team=team) if complete else {}
    return Places(subnets=subnets, addresses=addresses)
