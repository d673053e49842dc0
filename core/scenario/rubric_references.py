"""Criteria that injects have marked: each at one place, and for one task."""

from collections.abc import Iterator

from core.scenario.positions import Finding, Place
from core.scenario.references import Checked
from core.scenario.schema import Scenario
from core.scenario.schema_errors import suggestion
from core.scenario.schema_tasks import RubricTask


def rubric_findings(checked: Checked) -> Iterator[Finding]:
    """Yield every error of injects that have a criterion of a rubric marked."""
    scenario = checked.scenario
    first: dict[tuple[str, str], str] = {}
    for inject, (rubric, criterion) in marked_at_injects(scenario).items():
        place: Place = ("injects", inject, "expect")
        if rubric not in checked.declared["rubrics"]:
            near = suggestion(rubric, checked.declared["rubrics"])
            yield Finding(message=f"rubrics has no {rubric!r}{near}", place=(*place, "rubric"))
            continue
        known = scenario.rubrics[rubric].criteria if rubric in scenario.rubrics else {criterion: 0}
        if criterion not in known:
            message = f"{rubric} has no criterion {criterion!r}{suggestion(criterion, known)}"
            yield Finding(message=message, place=(*place, "criterion"))
        elif first.setdefault((rubric, criterion), inject) != inject:
            message = f"{criterion} is marked at {first[rubric, criterion]} already"
            yield Finding(message=message, place=(*place, "criterion"))
        if scenario.injects[inject].every is not None:
            message = f"{criterion} is marked once, and this inject repeats"
            yield Finding(message=message, place=(*place, "criterion"))
        tasks = tasks_marked_by(scenario, rubric)
        if len(tasks) > 1:
            message = f"{rubric} marks {' and '.join(tasks)}: for which of them is this?"
            yield Finding(message=message, place=(*place, "rubric"))


def marked_at_injects(scenario: Scenario) -> dict[str, tuple[str, str]]:
    """Return which criterion of which rubric is marked where an inject expects something."""
    return {
        name: (inject.expect.rubric, inject.expect.criterion)
        for name, inject in scenario.injects.items()
        if inject.expect is not None
        and inject.expect.rubric is not None
        and inject.expect.criterion is not None
    }


def tasks_marked_by(scenario: Scenario, rubric: str) -> list[str]:
    """Return the tasks whose points a rubric decides on."""
    tasks = scenario.tasks.items()
    return [name for name, t in tasks if isinstance(t, RubricTask) and t.rubric == rubric]
