"""Who may log in where, with what a role inherits."""

from collections.abc import Iterator

from core.scenario.schema import Access, Scenario


def lineage(scenario: Scenario, role: str) -> tuple[str, ...]:
    """Return the role and those it extends, nearest first; a circle or a gap ends the row."""
    row: list[str] = []
    step: str | None = role
    while step is not None and step in scenario.roles and step not in row:
        row.append(step)
        step = scenario.roles[step].extends
    return tuple(row)


def entries_for(scenario: Scenario, role: str) -> tuple[Access, ...]:
    """Return every access entry of a role, its own and inherited ones, in the file's order."""
    row = set(lineage(scenario, role))
    return tuple(entry for entry in scenario.access if row & set(entry.roles))


def default_entry(scenario: Scenario, role: str) -> Access | None:
    """Return where a role lands: its own default, an inherited one, or its only entry."""
    for ancestor in lineage(scenario, role):
        for entry in scenario.access:
            if ancestor in entry.roles and entry.default:
                return entry
    entries = entries_for(scenario, role)
    return entries[0] if len(entries) == 1 else None


def widest_role(scenario: Scenario) -> str:
    """Return the role with the most access entries, the first of them in the file's order."""
    return max(scenario.roles, key=lambda role: len(entries_for(scenario, role)))


def reachable_hosts(scenario: Scenario) -> frozenset[str]:
    """Return the hosts that somebody logs in to, and those in a network with one of them."""
    return frozenset(_reachable(scenario))


def _reachable(scenario: Scenario) -> Iterator[str]:
    entered = {entry.host for entry in scenario.access}
    networks = {n for h in entered if h in scenario.hosts for n in scenario.hosts[h].networks}
    for name, host in scenario.hosts.items():
        if name in entered or networks & set(host.networks):
            yield name
