"""Warnings: what loads and runs, and is probably not what the author meant."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from core.file_types import TYPES
from core.scenario.access import reachable_hosts
from core.scenario.dry_run import template_files
from core.scenario.folder import Folder
from core.scenario.networks import crossing_flows
from core.scenario.positions import Finding, Place, Severity, strings_of
from core.scenario.render import Renderer
from core.scenario.rubric_references import marked_at_injects, tasks_marked_by
from core.scenario.schema import Scenario
from core.scenario.schema_answers import (
    AddressAnswer,
    Answer,
    ChoiceAnswer,
    Equals,
    HashAnswer,
    RegexAnswer,
    each_of,
)
from core.scenario.schema_tasks import (
    AnsweredTask,
    FlagTask,
    QuestionTask,
    RubricTask,
    SolvableTask,
)
from core.scenario.schema_values import FlagValue, PasswordValue, TokenValue

_VALUE = re.compile(r"""\bvalues(?:\.([a-z0-9_]+)|\[\s*['"]([a-z0-9_-]+)['"]\s*\])""")
_SHORT = 4
_TEXT_KEYS = frozenset({"title", "ask", "script"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    scenario: Scenario
    folder: Folder
    data: object
    renderer: Renderer


def advice(scenario: Scenario, folder: Folder, data: object, renderer: Renderer) -> list[Finding]:
    """Return the warnings of a scenario that has no errors; `data` is its file as read."""
    subject = _Subject(scenario=scenario, folder=folder, data=data, renderer=renderer)
    return [finding for rule in _RULES for finding in rule(subject)]


def _warn(message: str, *place: str | int, at_key: bool = True) -> Finding:
    return Finding(message=message, place=place, at_key=at_key, severity=Severity.WARNING)


def _folder_name(subject: _Subject) -> Iterator[Finding]:
    head, name = subject.scenario.scenario, subject.folder.root.name
    if head.id != name:
        yield _warn(f"the id is {head.id}, the folder {name}", "scenario", "id", at_key=False)


def _licence(subject: _Subject) -> Iterator[Finding]:
    licence = subject.scenario.scenario.licence
    try:
        if licence is not None:
            canonicalize_license_expression(licence)
    except InvalidLicenseExpression:
        message = f"SPDX knows no licence {licence!r}; one that it knows is CC-BY-4.0"
        yield _warn(message, "scenario", "licence", at_key=False)


def _networks(subject: _Subject) -> Iterator[Finding]:
    used = {n for host in subject.scenario.hosts.values() for n in host.networks}
    for name in subject.scenario.networks:
        if name not in used:
            yield _warn(f"no host is on the network {name}", "networks", name)


def _flows(subject: _Subject) -> Iterator[Finding]:
    for index, flow in enumerate(subject.scenario.flows):
        if flow not in crossing_flows(subject.scenario):
            message = "inside a network everything passes; this flow changes nothing"
            yield _warn(message, "flows", index, at_key=False)


def _reach(subject: _Subject) -> Iterator[Finding]:
    reachable = reachable_hosts(subject.scenario)
    for name in subject.scenario.hosts:
        if name not in reachable:
            yield _warn(f"nobody can log in to {name} or reach it", "hosts", name)
    for name, check in subject.scenario.checks.items():
        if check.evidence is None and check.place not in reachable:
            message = f"this checks {check.place}, where no role gets"
            yield _warn(message, "checks", name)


def _points(subject: _Subject) -> Iterator[Finding]:
    tasks = subject.scenario.tasks
    if tasks and not any(task.points > 0 for task in tasks.values()):
        yield _warn("the points of all tasks sum to nothing", "tasks")


def _injects(subject: _Subject) -> Iterator[Finding]:
    scenario = subject.scenario
    end = scenario.scenario.duration
    for name, inject in scenario.injects.items():
        if inject.at is not None and inject.at >= end:
            yield _warn("this comes after the end", "injects", name, "at", at_key=False)
        if inject.cost is not None and inject.when is not None and inject.when.task is not None:
            yield from _dear(subject, inject.when.task, inject.cost, ("injects", name, "cost"))


def _resets(subject: _Subject) -> Iterator[Finding]:
    for name, host in subject.scenario.hosts.items():
        if host.reset is not None and host.reset.cost is not None:
            cost, place = host.reset.cost, ("hosts", name, "reset", "cost", "points")
            yield from _dear(subject, cost.task, cost.points, place)


def _hints(subject: _Subject) -> Iterator[Finding]:
    duration = subject.scenario.scenario.duration
    for name, task in subject.scenario.tasks.items():
        for index, hint in enumerate(task.hints if isinstance(task, SolvableTask) else ()):
            place: Place = ("tasks", name, "hints", index)
            yield from _dear(subject, name, hint.cost, (*place, "cost"))
            if hint.after >= duration:
                message = "this hint comes after the end of the exercise"
                yield _warn(message, *place, "after", at_key=False)


def _answered(subject: _Subject) -> Iterator[Finding]:
    duration = subject.scenario.scenario.duration
    for name, task in subject.scenario.tasks.items():
        if not isinstance(task, AnsweredTask):
            continue
        place: Place = ("tasks", name)
        yield from _dear(subject, name, task.wrong_cost, (*place, "wrong_cost"))
        if task.cooldown is not None and task.cooldown >= duration:
            message = "after a wrong answer the exercise would end before the next is taken"
            yield _warn(message, *place, "cooldown", at_key=False)
        for index, step in enumerate(task.late):
            if step.after >= duration:
                message = "this comes after the end of the exercise"
                yield _warn(message, *place, "late", index, "after", at_key=False)
        once = {"cooldown": task.cooldown, "wrong_cost": task.wrong_cost}
        for key in (key for key, value in once.items() if value and task.attempts == 1):
            yield _warn("with one attempt nothing comes after a wrong answer", *place, key)
        if task.late and not task.points:
            yield _warn("the task gives no points, late or not", *place, "late")


def _dear(subject: _Subject, task: str, points: int, place: Place) -> Iterator[Finding]:
    most = subject.scenario.tasks[task].points
    if points > most:
        message = f"this costs more than the {most} points of the task"
        yield _warn(message, *place, at_key=False)


def _rubrics(subject: _Subject) -> Iterator[Finding]:
    scenario = subject.scenario
    at_injects = marked_at_injects(scenario).values()
    for name, rubric in scenario.rubrics.items():
        tasks, taken = tasks_marked_by(scenario, name), {c for r, c in at_injects if r == name}
        if not tasks and not taken:
            yield _warn(f"nothing is marked by the rubric {name}", "rubrics", name)
        elif not tasks:
            message = f"{name} moves no points: no task is marked by it"
            yield _warn(message, "rubrics", name)
        for task in tasks if taken == set(rubric.criteria) else ():
            if _hands_in(scenario, task):
                message = f"every criterion of {name} is marked at injects, and none by the file"
                yield _warn(message, "tasks", task, "submit")
        for criterion, marked in rubric.criteria.items():
            if min(marked.levels):
                message = f"the lowest level is {min(marked.levels)}: nobody gets less than that"
                yield _warn(message, "rubrics", name, "criteria", criterion, "levels")


def _hands_in(scenario: Scenario, task: str) -> bool:
    found = scenario.tasks[task]
    return isinstance(found, RubricTask) and found.submit is not None


def _file_types(subject: _Subject) -> Iterator[Finding]:
    for name, task in subject.scenario.tasks.items():
        submit = task.submit if isinstance(task, RubricTask) else None
        for position, ending in enumerate(submit.files if submit is not None else ()):
            if ending not in TYPES:
                message = f"nobody can tell by its content whether a file is really a {ending}"
                yield _warn(message, "tasks", name, "submit", "files", position)


def _names_for_people(subject: _Subject) -> Iterator[Finding]:
    for name, task in subject.scenario.tasks.items():
        if task.title is None and task.ask is None:
            yield _warn("trainees would see the id only; give it a title or ask", "tasks", name)
        elif isinstance(task, QuestionTask) and task.ask is None:
            yield _warn("a question without ask", "tasks", name)
    for name in {entry.host for entry in subject.scenario.access}:
        if subject.scenario.hosts[name].title is None:
            yield _warn("trainees would see the id only; give it a title", "hosts", name)


def _services(subject: _Subject) -> Iterator[Finding]:
    scenario = subject.scenario
    for name, service in scenario.services.items():
        if service.title is None:
            message = "trainees would see the id only; give it a title"
            yield _warn(message, "services", name)
    if scenario.services:
        return
    if scenario.scenario.kind == "attack-defence":
        message = "there are no services: the tasks alone score"
        yield _warn(message, "scenario", "kind", at_key=False)
    for key in ("rounds", "scoring"):
        if key in scenario.model_fields_set:
            yield _warn("there are no services that this would concern", key)


def _given_away(subject: _Subject) -> Iterator[Finding]:
    texts = [(place, subject.renderer.text(text)) for place, text in _texts(subject.scenario)]
    for name, task in subject.scenario.tasks.items():
        answers = _answers(task.answer) if isinstance(task, QuestionTask) else ()
        for answer in {subject.renderer.text(a).strip() for a in answers}:
            words = re.compile(rf"(?<!\w){re.escape(answer)}(?!\w)", re.IGNORECASE)
            for place, text in texts:
                if place[:3] == ("tasks", name, "hints"):
                    continue  # the last hint may well say it
                if len(answer) >= _SHORT and words.search(text):
                    yield _warn(f"this gives away the answer to {name}", *place, at_key=False)


def _texts(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    head = scenario.scenario
    found: list[tuple[Place, str | None]] = [
        (("scenario", "title"), head.title),
        (("scenario", "summary"), head.summary),
    ]
    found += [(("hosts", n, "title"), h.title) for n, h in scenario.hosts.items() if not h.hidden]
    found += [(("services", n, "title"), s.title) for n, s in scenario.services.items()]
    found += [(("checks", n, "title"), c.title) for n, c in scenario.checks.items()]
    for name, task in scenario.tasks.items():
        found += [(("tasks", name, "title"), task.title), (("tasks", name, "ask"), task.ask)]
        if isinstance(task, QuestionTask) and isinstance(task.answer, Equals | RegexAnswer):
            found.append((("tasks", name, "answer", "format"), task.answer.format))
        hints = task.hints if isinstance(task, SolvableTask) else ()
        found += [(("tasks", name, "hints", i, "text"), h.text) for i, h in enumerate(hints)]
    for name, inject in scenario.injects.items():
        if inject.message is not None:
            found.append((("injects", name, "message", "text"), inject.message.text))
    return ((place, text) for place, text in found if text is not None)


def _answers(answer: Answer | ChoiceAnswer) -> Iterator[str]:
    for one in each_of(answer):
        match one:
            case Equals():
                yield one.equals
            case AddressAnswer():
                yield one.ip
            case HashAnswer():
                yield one.hash
            case _:
                pass


def _values(subject: _Subject) -> Iterator[Finding]:
    in_texts, in_world = _used_values(subject)
    for name, value in subject.scenario.values.items():
        if name not in in_texts | in_world:
            yield _warn(f"the value {name} is used nowhere", "values", name)
        elif name not in in_world and isinstance(value, PasswordValue | TokenValue | FlagValue):
            yield _warn(
                f"{name} stands in a text only; nothing in the world has it", "values", name
            )


def _used_values(subject: _Subject) -> tuple[set[str], set[str]]:
    in_texts: set[str] = set()
    in_world = {t.flag for t in subject.scenario.tasks.values() if isinstance(t, FlagTask)}
    for place, text in strings_of(subject.data):
        told = {(("injects",), ("message",)), (("tasks",), ("hints",))}
        in_telling = (place[:1], place[2:3]) in told and place[3:4] != ("files",)
        is_text = place[-1] in _TEXT_KEYS or place[0] == "rubrics" or in_telling
        (in_texts if is_text else in_world).update(_names_in(text))
    for _, path in template_files(subject.scenario):
        in_world |= _names_in(subject.folder.read(path).decode())
    return in_texts, in_world


def _names_in(text: str) -> set[str]:
    return {a or b for a, b in _VALUE.findall(text)}


_RULES: tuple[Callable[[_Subject], Iterator[Finding]], ...] = (
    _folder_name,
    _licence,
    _networks,
    _flows,
    _resets,
    _hints,
    _answered,
    _reach,
    _points,
    _injects,
    _rubrics,
    _file_types,
    _names_for_people,
    _services,
    _given_away,
    _values,
)
