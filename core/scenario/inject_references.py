"""What injects, and tasks that follow them, say of the rest of a scenario."""

from collections.abc import Iterator

from core.scenario.positions import Finding, Place
from core.scenario.references import Checked, no_payer, there
from core.scenario.schema import Scenario
from core.scenario.schema_errors import suggestion
from core.scenario.schema_injects import Inject
from core.scenario.schema_tasks import FeedTask, RubricTask, Task, TimedTask

_EVERYBODY = "all"


def inject_findings(checked: Checked) -> Iterator[Finding]:
    """Yield every error across sections that has to do with injects."""
    if not checked.declared["tasks"] and not checked.declared["injects"]:
        yield Finding(message="a scenario needs tasks or injects")
    for section, name, place in _names(checked.scenario):
        if name not in checked.declared[section]:
            near = suggestion(name, checked.declared[section])
            yield Finding(message=f"{section} has no {name!r}{near}", place=place)
    yield from _links(checked.scenario)
    yield from _files(checked)
    yield from _circles(checked.scenario)
    yield from _deadlines(checked.scenario)
    yield from _conditions(checked.scenario)


def _names(scenario: Scenario) -> Iterator[tuple[str, str, Place]]:
    """Yield each name, the section that it must be in, and where it stands."""
    for inject_id, inject in scenario.injects.items():
        for section, name, *steps in _names_of(inject):
            if name is not None:
                yield str(section), name, ("injects", inject_id, *map(str, steps))
    for task_id, task in scenario.tasks.items():
        if not isinstance(task, TimedTask):
            continue
        if task.opens is not None:
            yield "injects", task.opens.with_, ("tasks", task_id, "opens", "with")
        if task.due is not None:
            yield "injects", task.due.after, ("tasks", task_id, "due", "after")


def _names_of(inject: Inject) -> Iterator[tuple[str | None, ...]]:
    yield "injects", inject.after, "after"
    yield "hosts", inject.host, "host"
    if inject.link is not None:
        yield "networks", inject.link.network, "link", "network"
        yield "hosts", inject.link.host, "link", "host"
    if inject.when is not None:
        yield "checks", inject.when.check, "when", "check"
        yield "tasks", inject.when.task, "when", "task"
    if inject.message is not None and inject.message.to != _EVERYBODY:
        yield "roles", inject.message.to, "message", "to"
    if inject.expect is not None:
        yield "tasks", inject.expect.task, "expect", "task"


def _links(scenario: Scenario) -> Iterator[Finding]:
    for name, inject in scenario.injects.items():
        only = inject.link.host if inject.link is not None else None
        host = scenario.hosts.get(only) if only else None
        if host is not None and not host.networks:
            message = f"{only} is on no network of the exercise, so it has no link"
            yield Finding(message=message, place=("injects", name, "link", "host"))


def _files(checked: Checked) -> Iterator[Finding]:
    for name, inject in checked.scenario.injects.items():
        for index, file in enumerate(inject.message.files if inject.message is not None else ()):
            place: Place = ("injects", name, "message", "files", index)
            for key, path in (("from", file.from_), ("template", file.template)):
                if path is not None:
                    yield from there(checked.folder, path, (*place, key))


def _circles(scenario: Scenario) -> Iterator[Finding]:
    waits_for = {name: _before(scenario, inject) for name, inject in scenario.injects.items()}
    for name, first in waits_for.items():
        row, step = [name], first
        while step in waits_for and step not in row:
            row.append(step)
            step = waits_for[step]
        if step == name:
            circle = " → ".join([*row, name])
            yield Finding(message=f"a circle: {circle}", place=("injects", name))


def _before(scenario: Scenario, inject: Inject) -> str:
    """Return the inject that another one cannot go out without; empty when it waits for none."""
    if inject.when is not None and inject.when.solved:
        task = scenario.tasks.get(inject.when.task or "")
        if isinstance(task, TimedTask) and task.opens is not None:
            return task.opens.with_
    return inject.after or ""


def _deadlines(scenario: Scenario) -> Iterator[Finding]:
    for name, inject in scenario.injects.items():
        expect = inject.expect
        task = scenario.tasks.get(expect.task or "") if expect is not None else None
        if expect is None or task is None:
            continue
        place = ("injects", name, "expect")
        why = _never_solved(task)
        if why:
            message = f"{expect.task} is never solved: {why}"
            yield Finding(message=message, place=(*place, "task"))
        elif (
            isinstance(task, TimedTask)
            and task.due
            and task.due.after == name
            and task.due.within != expect.within
        ):
            message = f"{expect.task} is due within another time than this"
            yield Finding(message=message, place=(*place, "within"))


def _conditions(scenario: Scenario) -> Iterator[Finding]:
    for name, inject in scenario.injects.items():
        asked = inject.when.task if inject.when is not None else None
        task = scenario.tasks.get(asked or "")
        if inject.when is None or task is None:
            continue
        why = _never_solved(task)
        if inject.when.solved and why:
            message = f"{asked} is never solved: {why}"
            yield Finding(message=message, place=("injects", name, "when", "task"))
        if inject.cost is not None and no_payer(task):
            message = f"{asked} {no_payer(task)}, and pays for nothing"
            yield Finding(message=message, place=("injects", name, "cost"))


def _never_solved(task: Task) -> str:
    """Return why a team never solves a task; nothing when it may."""
    match task:
        case RubricTask(submit=None):
            return "assessors mark it"
        case FeedTask():
            return "another system gives its points"
        case TimedTask():
            return ""
        case _:
            return "its check counts round after round"
