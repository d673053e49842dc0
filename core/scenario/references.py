"""What a scenario's parts say of each other: names that refer to nothing, rules across sections."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from core.scenario.access import lineage
from core.scenario.dry_run import invented_team
from core.scenario.evidence_references import evidence_findings, names_in_evidence
from core.scenario.folder import FileRefusedError, Folder
from core.scenario.networks import hosts_on, room
from core.scenario.positions import Finding, Place
from core.scenario.render import Renderer
from core.scenario.schema import Account, Host, Scenario
from core.scenario.schema_answers import Answer, ChoiceAnswer, FileAnswer, parts_of
from core.scenario.schema_checks import TcpPeer
from core.scenario.schema_errors import suggestion
from core.scenario.schema_networks import flow_end
from core.scenario.schema_services import Service
from core.scenario.schema_tasks import (
    AvailabilityTask,
    ChecksTask,
    FeedTask,
    FlagTask,
    GuardTask,
    QuestionTask,
    RubricTask,
    Task,
)
from core.scenario.schema_values import FlagValue

INSTRUCTOR = "instructor"
_RESERVED = frozenset({"all", INSTRUCTOR})


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A scenario under examination.

    `declared` has the ids of each section as the file has them, so that a name is not reported as
    unknown only because what it names has an error of its own.
    """

    scenario: Scenario
    declared: Mapping[str, frozenset[str]]
    folder: Folder

    @cached_property
    def renderer(self) -> Renderer:
        """What renders for a team that never is. Raises TooFewValuesError."""
        return Renderer(self.folder, invented_team(self.scenario, self.folder))


def reference_findings(checked: Checked) -> Iterator[Finding]:
    """Yield every error across sections."""
    for rule in _RULES:
        yield from rule(checked)


def _named(
    checked: Checked, section: str, name: str | None, *place: str | int
) -> Iterator[Finding]:
    if name is None or name in checked.declared[section]:
        return
    known = checked.declared[section]
    what = f"{section} has no {name!r}{suggestion(name, known)}"
    yield Finding(message=what, place=place)


def _roles(checked: Checked) -> Iterator[Finding]:
    for name, role in checked.scenario.roles.items():
        if name in _RESERVED:
            yield Finding(message=f"{name!r} is reserved", place=("roles", name), at_key=True)
        yield from _named(checked, "roles", role.extends, "roles", name, "extends")
        row = lineage(checked.scenario, name)
        if checked.scenario.roles[row[-1]].extends == name:
            circle = " → ".join([*row, name])
            yield Finding(message=f"a circle: {circle}", place=("roles", name, "extends"))


def _hosts(checked: Checked) -> Iterator[Finding]:
    for name, host in checked.scenario.hosts.items():
        for network in host.networks:
            place: Place = ("hosts", name, "networks", network)
            for finding in _named(checked, "networks", network, *place):
                yield Finding(message=finding.message, place=place, at_key=True)
        yield from _host_paths(checked, name, host)
        for index, account in enumerate(host.accounts):
            place = ("hosts", name, "accounts", index)
            for number, role in enumerate(account.roles):
                yield from _named(checked, "roles", role, *place, "roles", number)
        accounts = [account.name for account in host.accounts]
        yield from _twice("account", accounts, ("hosts", name, "accounts"), "name")
        files = [file.to for file in host.files]
        yield from _twice("file", files, ("hosts", name, "files"), "to")


def _needs(checked: Checked) -> Iterator[Finding]:
    hosts = checked.scenario.hosts
    for name, host in hosts.items():
        for index, needed in enumerate(host.needs):
            yield from _named(checked, "hosts", needed, "hosts", name, "needs", index)
        way = _circle({n: h.needs for n, h in hosts.items()}, name)
        # Told once for each circle: at its host that comes first in the file.
        if way and name == min(way, key=list(hosts).index):
            message = f"a circle: {' → '.join(way)}"
            yield Finding(message=message, place=("hosts", name, "needs"))


def _circle(needs: Mapping[str, tuple[str, ...]], start: str) -> tuple[str, ...]:
    """Return a way from `start` along its needs back to itself; empty when there is none."""
    ways: deque[tuple[str, ...]] = deque([(start,)])
    seen: set[str] = set()
    while ways:
        way = ways.popleft()
        for needed in needs.get(way[-1], ()):
            if needed == start:
                return (*way, start)
            if needed not in seen:
                seen.add(needed)
                ways.append((*way, needed))
    return ()


def _resets(checked: Checked) -> Iterator[Finding]:
    for name, host in checked.scenario.hosts.items():
        if host.reset is None:
            continue
        place = ("hosts", name, "reset")
        for index, role in enumerate(host.reset.by):
            if role != INSTRUCTOR:
                yield from _named(checked, "roles", role, *place, "by", index)
        if set(host.reset.by) <= {INSTRUCTOR}:
            for key in ("limit", "cost"):
                if getattr(host.reset, key) is not None:
                    message = f"a {key} binds teams, and no role of theirs stands in by"
                    yield Finding(message=message, place=(*place, key))
        if host.reset.cost is not None:
            yield from _paying(checked, host.reset.cost.task, (*place, "cost", "task"))


def _paying(checked: Checked, task: str, place: Place) -> Iterator[Finding]:
    yield from _named(checked, "tasks", task, *place)
    why = no_payer(checked.scenario.tasks.get(task))
    if why:
        yield Finding(message=f"{task} {why}, and pays for nothing", place=place)


def no_payer(task: Task | None) -> str:
    """Return why nothing can be taken from a task, as part of a sentence; nothing when it can."""
    match task:
        case AvailabilityTask() | GuardTask():
            return "is never solved"
        case RubricTask():
            return "is marked by assessors"
        case FeedTask():
            return "gets its points from outside"
        case _:
            return ""


def _twice(what: str, names: list[str], place: Place, key: str) -> Iterator[Finding]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Finding(message=f"a second {what} {name} here", place=(*place, index, key))


def _host_paths(checked: Checked, name: str, host: Host) -> Iterator[Finding]:
    if host.build:
        place: Place = ("hosts", name, "build", "context")
        dockerfile = f"{host.build.context}/Dockerfile"
        yield from there(checked.folder, dockerfile, place)
    for index, file in enumerate(host.files):
        place = ("hosts", name, "files", index)
        for key, path in (("from", file.from_), ("template", file.template)):
            if path is not None:
                yield from there(checked.folder, path, (*place, key))


def there(folder: Folder, path: str, place: Place) -> Iterator[Finding]:
    """Yield what is wrong with a path that should be a file of the scenario."""
    try:
        if not folder.has_file(path):
            yield Finding(message=f"there is no file {path} in the scenario", place=place)
    except FileRefusedError as exc:
        yield Finding(message=exc.message, place=place)


def _networks(checked: Checked) -> Iterator[Finding]:
    for name, network in checked.scenario.networks.items():
        used = len(hosts_on(checked.scenario, name))
        if network.size is not None and used > room(network.size):
            most = room(network.size)
            message = f"/{network.size} has room for {most} hosts; {used} are on it"
            yield Finding(message=message, place=("networks", name, "size"))


def _shared(scenario: Scenario) -> frozenset[str]:
    return frozenset(name for name, network in scenario.networks.items() if network.shared)


def _flows(checked: Checked) -> Iterator[Finding]:
    for index, flow in enumerate(checked.scenario.flows):
        for key, end in (("from", flow.from_), ("to", flow.to)):
            yield from _flow_end(checked, end, ("flows", index, key))


def _flow_end(checked: Checked, end: str, place: Place) -> Iterator[Finding]:
    network, name = flow_end(end)
    yield from _named(checked, "networks", network, *place)
    yield from _named(checked, "hosts", name, *place)
    if network in _shared(checked.scenario):
        message = f"{network} is shared: hosts on it are reached there without flows"
        yield Finding(message=message, place=place)
    host = checked.scenario.hosts.get(name) if name else None
    known = network in checked.declared["networks"]
    if host is not None and known and network not in host.networks:
        message = f"{name} is not on {network}, but on {_places(host)}"
        yield Finding(message=message, place=place)


def _places(host: Host) -> str:
    return ", ".join(host.networks) or "none"


def _aliases(checked: Checked) -> Iterator[Finding]:
    owner = {name: name for name in checked.scenario.hosts}
    for name, host in checked.scenario.hosts.items():
        for network, attachment in host.networks.items():
            alias = attachment.alias
            if alias and network in _shared(checked.scenario):
                place: Place = ("hosts", name, "networks", network, "alias")
                message = f"{network} is shared: hosts on it are called <host>.<team>"
                yield Finding(message=message, place=place)
            if alias and owner.setdefault(alias, name) != name:
                place = ("hosts", name, "networks", network, "alias")
                yield Finding(message=f"{alias} already names {owner[alias]}", place=place)


def _access(checked: Checked) -> Iterator[Finding]:
    scenario = checked.scenario
    for index, entry in enumerate(scenario.access):
        for number, role in enumerate(entry.roles):
            yield from _named(checked, "roles", role, "access", index, "roles", number)
        yield from _named(checked, "hosts", entry.host, "access", index, "host")
        host = scenario.hosts.get(entry.host)
        if host is None:
            continue
        account = next((a for a in host.accounts if a.name == entry.as_), None)
        if account is None:
            near = suggestion(entry.as_, [a.name for a in host.accounts])
            message = f"{entry.host} has no account {entry.as_!r}{near}"
            yield Finding(message=message, place=("access", index, "as"))
        else:
            yield from _unlisted(scenario, account, entry.roles, ("access", index, "roles"))
    yield from _defaults(scenario)


def _unlisted(
    scenario: Scenario, account: Account, roles: Iterable[str], place: Place
) -> Iterator[Finding]:
    for number, role in enumerate(roles):
        if role in scenario.roles and not set(lineage(scenario, role)) & set(account.roles):
            message = f"the account {account.name} does not list the role {role}"
            yield Finding(message=message, place=(*place, number))


def _defaults(scenario: Scenario) -> Iterator[Finding]:
    for role in scenario.roles:
        mine = [i for i, entry in enumerate(scenario.access) if role in entry.roles]
        defaults = [i for i in mine if scenario.access[i].default]
        if len(defaults) > 1:
            message = f"a second default for {role}; one host is where it lands"
            yield Finding(message=message, place=("access", defaults[1], "default"))


def _checks(checked: Checked) -> Iterator[Finding]:
    for name, check in checked.scenario.checks.items():
        yield from _named(checked, "hosts", check.host, "checks", name, "host")
        yield from _named(checked, "hosts", check.from_, "checks", name, "from")
        if isinstance(check.tcp, TcpPeer):
            yield from _met(checked, check.tcp.host, "checks", name, "tcp", "host")
        if check.http is not None and check.http.ca is not None:
            yield from there(checked.folder, check.http.ca, ("checks", name, "http", "ca"))
        if check.dns is not None:
            yield from _met(checked, check.dns.server, "checks", name, "dns", "server")
        for key, server in check.servers.items():
            yield from _met(checked, server.host, "checks", name, key, "host")


def _evidence(checked: Checked) -> Iterator[Finding]:
    for section, name, place in names_in_evidence(checked.scenario):
        yield from _named(checked, section, name, *place)
    yield from evidence_findings(checked.scenario)


def _met(checked: Checked, name: str | None, *place: str) -> Iterator[Finding]:
    """Yield why a host cannot be met on a network."""
    yield from _named(checked, "hosts", name, *place)
    host = checked.scenario.hosts.get(name) if name else None
    if host is not None and not host.networks:
        message = f"{name} is on no network of the exercise, and is met on none"
        yield Finding(message=message, place=place)


def _tasks(checked: Checked) -> Iterator[Finding]:
    for name, task in checked.scenario.tasks.items():
        place = ("tasks", name)
        yield from _named(checked, "objectives", task.objective, *place, "objective")
        match task:
            case ChecksTask():
                for number, check in enumerate(task.checks):
                    yield from _named(checked, "checks", check, *place, "checks", number)
                yield from _partial(checked, task, (*place, "partial"))
            case AvailabilityTask():
                yield from _named(checked, "checks", task.availability, *place, "availability")
            case GuardTask():
                yield from _named(checked, "checks", task.guard, *place, "guard")
            case FlagTask():
                yield from _named(checked, "values", task.flag, *place, "flag")
                value = checked.scenario.values.get(task.flag)
                if value is not None and not isinstance(value, FlagValue):
                    message = f"{task.flag} is a {value.type}, not a flag"
                    yield Finding(message=message, place=(*place, "flag"))
            case RubricTask():
                yield from _named(checked, "rubrics", task.rubric, *place, "rubric")
                for number, role in enumerate(task.submit.by if task.submit is not None else ()):
                    yield from _named(checked, "roles", role, *place, "submit", "by", number)
            case _:
                pass


def _answers(checked: Checked) -> Iterator[Finding]:
    for name, task in checked.scenario.tasks.items():
        if isinstance(task, QuestionTask):
            yield from _hashed(checked, task.answer, ("tasks", name, "answer"))


def _hashed(checked: Checked, answer: Answer | ChoiceAnswer, place: Place) -> Iterator[Finding]:
    if isinstance(answer, FileAnswer):
        yield from there(checked.folder, answer.file, (*place, "file"))
    key, parts = parts_of(answer)
    for number, part in enumerate(parts):
        yield from _hashed(checked, part, (*place, key, number))


def _partial(checked: Checked, task: ChecksTask, place: Place) -> Iterator[Finding]:
    for check in task.partial:
        if check not in task.checks and check in checked.declared["checks"]:
            message = f"{check} is not one of this task's checks{suggestion(check, task.checks)}"
            yield Finding(message=message, place=(*place, check), at_key=True)
        for finding in _named(checked, "checks", check, *place, check):
            yield replace(finding, at_key=True)


def _objectives(checked: Checked) -> Iterator[Finding]:
    for name, objective in checked.scenario.objectives.items():
        place = ("objectives", name, "competency")
        yield from _named(checked, "competencies", objective.competency, *place)


def _end(checked: Checked) -> Iterator[Finding]:
    freeze, duration = checked.scenario.end.freeze, checked.scenario.scenario.duration
    if freeze is not None and freeze > duration:
        yield Finding(message="the board freezes after the end", place=("end", "freeze"))


def _services(checked: Checked) -> Iterator[Finding]:
    scenario = checked.scenario
    ports: dict[tuple[str, int], str] = {}
    for name, service in scenario.services.items():
        place = ("services", name)
        yield from _named(checked, "hosts", service.host, *place, "host")
        yield from _named(checked, "networks", service.network, *place, "network")
        yield from _attacked(checked, service, place)
        context = service.checker.build.context
        yield from there(
            checked.folder, f"{context}/Dockerfile", (*place, "checker", "build", "context")
        )
        other = ports.setdefault((service.host, service.port), name)
        if other != name:
            message = f"{other} has this port of {service.host} already"
            yield Finding(message=message, place=(*place, "port"))
    if scenario.services and not checked.declared["rounds"]:
        message = "services are asked in rounds; write how long one is, like rounds: {every: 3m}"
        yield Finding(message=message, place=("services",), at_key=True)


def _attacked(checked: Checked, service: Service, place: Place) -> Iterator[Finding]:
    """Yield why other teams would not reach a service."""
    network = checked.scenario.networks.get(service.network)
    if network is not None and not network.shared:
        message = f"other teams reach a service over a shared network, and {service.network} is not"
        yield Finding(message=message, place=(*place, "network"))
    host = checked.scenario.hosts.get(service.host)
    if host is None:
        return
    if network is not None and service.network not in host.networks:
        message = f"{service.host} is not on {service.network}, but on {_places(host)}"
        yield Finding(message=message, place=(*place, "network"))
    if host.hidden:
        message = f"{service.host} is hidden, and a service is there to be found"
        yield Finding(message=message, place=(*place, "host"))


def _solution(checked: Checked) -> Iterator[Finding]:
    solution = checked.scenario.solution
    if solution:
        yield from there(checked.folder, solution.run, ("solution", "run"))
        if checked.scenario.hosts and not checked.declared["access"]:
            message = "a solution is played on a host that a role has access to; access has none"
            yield Finding(message=message, place=("solution",))


_RULES: tuple[Callable[[Checked], Iterator[Finding]], ...] = (
    _roles,
    _hosts,
    _needs,
    _resets,
    _networks,
    _flows,
    _aliases,
    _access,
    _checks,
    _evidence,
    _objectives,
    _tasks,
    _answers,
    _end,
    _services,
    _solution,
)
