"""What evidence says of other parts: names, records that must be kept, and circles."""

from collections.abc import Iterator

from core.scenario.positions import Finding, Place
from core.scenario.schema import Scenario
from core.scenario.schema_evidence import Evidence
from core.scenario.schema_tasks import AvailabilityTask, GuardTask


def evidence_of(scenario: Scenario) -> dict[str, Evidence]:
    """Return the checks that are evidence."""
    checks = scenario.checks.items()
    return {name: check.evidence for name, check in checks if check.evidence is not None}


def names_in_evidence(scenario: Scenario) -> Iterator[tuple[str, str, Place]]:
    """Yield each name, the section that it must be in, and where it stands."""
    for name, evidence in evidence_of(scenario).items():
        place = ("checks", name, "evidence")
        for below, command in evidence.commands.items():
            yield "hosts", command.host, (*place, *below, "host")
        for below, file in evidence.files.items():
            yield "hosts", file.host, (*place, *below, "host")
        for below, check in evidence.checks.items():
            yield "checks", check, (*place, *below)
        for key, happening in evidence.happenings.items():
            if happening.inject is not None:
                yield "injects", happening.inject, (*place, key, "inject")


def evidence_findings(scenario: Scenario) -> Iterator[Finding]:
    """Yield what else is wrong with evidence."""
    found = evidence_of(scenario)
    for name, evidence in found.items():
        place = ("checks", name, "evidence")
        for below, command in evidence.commands.items():
            host = scenario.hosts.get(command.host)
            if host is not None and not host.record.commands:
                message = f"{command.host} keeps no commands: give it record: {{commands: true}}"
                yield Finding(message=message, place=(*place, *below, "host"))
        if name in _named_by(found, name):
            yield Finding(message=f"{name} waits for itself", place=place)
    for name, task in scenario.tasks.items():
        for key, kind in (("availability", AvailabilityTask), ("guard", GuardTask)):
            if isinstance(task, kind) and getattr(task, key) in found:
                message = "evidence stays once it is there; use it in checks"
                yield Finding(message=message, place=("tasks", name, key))


def _named_by(found: dict[str, Evidence], start: str) -> set[str]:
    """Return the checks that evidence names, and those that these name in their turn."""
    seen: set[str] = set()
    left = [start]
    while left:
        evidence = found.get(left.pop())
        for check in evidence.checks.values() if evidence is not None else ():
            if check not in seen:
                seen.add(check)
                left.append(check)
    return seen
