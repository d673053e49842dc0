"""Who may log in where, with what a role inherits."""

from core.scenario.networks import hosts_at
from core.scenario.schema import Access, Account, Scenario


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


def accounts_shown(scenario: Scenario, role: str) -> tuple[tuple[str, Account], ...]:
    """Return the accounts whose passwords a role is shown, each after its host; of none hidden."""
    row = set(lineage(scenario, role))
    return tuple(
        (name, account)
        for name, host in scenario.hosts.items()
        for account in host.accounts
        if not host.hidden and account.password is not None and row & set(account.roles)
    )


def widest_role(scenario: Scenario) -> str:
    """Return the role with the most access entries: of several the one that extends most others.

    So a lead reads what is meant for those whom they lead, also where there are no hosts.
    """
    return max(
        scenario.roles,
        key=lambda role: (len(entries_for(scenario, role)), len(lineage(scenario, role))),
    )


def reachable_hosts(scenario: Scenario) -> frozenset[str]:
    """Return the hosts that somebody logs in to, and those that can be reached from there.

    Step by step, as an intruder would go: over a common network or along a flow.
    """
    reached = {entry.host for entry in scenario.access if entry.host in scenario.hosts}
    while further := _next_to(scenario, reached) - reached:
        reached |= further
    return frozenset(reached)


def _next_to(scenario: Scenario, hosts: set[str]) -> set[str]:
    networks = {network for name in hosts for network in scenario.hosts[name].networks}
    near = {n for n, host in scenario.hosts.items() if networks & set(host.networks)}
    for flow in scenario.flows:
        if hosts & set(hosts_at(scenario, flow.from_)):
            near |= set(hosts_at(scenario, flow.to))
    return near
