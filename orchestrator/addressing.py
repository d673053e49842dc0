"""Addresses for worlds that have none yet: shared out once, and held in the database."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network

import structlog

from core.scenario.schema import Scenario
from orchestrator.domain.addresses import Pools, share_out
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.repository import ExerciseRepository

log = structlog.get_logger()


def hold_addresses(
    repository: ExerciseRepository,
    exercise: Exercise,
    teams: Sequence[Team],
    scenario: Scenario,
    *,
    pools: Pools,
    routed: Sequence[IPv4Network],
) -> None:
    """Have a subnet held for each network of these teams, and for each that all teams share.

    Raises AddressPoolExhaustedError.
    """
    own = [name for name, network in scenario.networks.items() if not network.shared]
    without = [team for team in teams if not repository.subnets(team.id)]
    held = repository.shared_subnets(exercise.id)
    shared = [name for name in scenario.networks if name not in own and name not in held]
    found = share_out(
        scenario,
        [*((team.slug, name) for team in without for name in own), *((None, n) for n in shared)],
        teams=len(exercise.teams),
        pools=pools,
        taken=[*routed, *repository.held_subnets()],
    )
    for team in without:
        repository.hold_subnets(team.id, {name: found[team.slug, name] for name in own})
    repository.hold_shared_subnets(exercise.id, {name: found[None, name] for name in shared})
    _tell(scenario, found.items(), pools)


def _tell(
    scenario: Scenario, found: Iterable[tuple[tuple[str | None, str], IPv4Network]], pools: Pools
) -> None:
    for (team, name), subnet in found:
        public = any(subnet.subnet_of(pool) for pool in pools.internet)
        if scenario.networks[name].simulates and not public:
            log.warning("addresses.internet_pool_full", team=team, network=name, given=str(subnet))
