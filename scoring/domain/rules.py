"""What a scenario says of points, found by what facts name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from core.scenario.schema import Scenario
from core.scenario.schema_tasks import AvailabilityTask, ChecksTask, GuardTask, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRules:
    """The tasks that a check moves, by name, and how long it has to hold."""

    hold: timedelta = timedelta()
    availability: dict[str, AvailabilityTask] = field(default_factory=dict)
    guards: dict[str, GuardTask] = field(default_factory=dict)
    checked: dict[str, ChecksTask] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Tasks and checks by name."""

    tasks: Mapping[str, Task] = field(default_factory=dict)
    checks: Mapping[str, CheckRules] = field(default_factory=dict)

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """Return the rules of a scenario."""
        checks = {name: CheckRules(hold=check.hold) for name, check in scenario.checks.items()}
        for name, task in scenario.tasks.items():
            if isinstance(task, AvailabilityTask):
                checks[task.availability].availability[name] = task
            elif isinstance(task, GuardTask):
                checks[task.guard].guards[name] = task
            elif isinstance(task, ChecksTask):
                for check in task.checks:
                    checks[check].checked[name] = task
        return cls(tasks=scenario.tasks, checks=checks)


NO_RULES = Rules()
"""For facts that say themselves what they cost."""
