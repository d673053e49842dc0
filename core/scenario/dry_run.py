"""Templates tried on an invented team, so that what would fail at launch fails at the desk."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from ipaddress import IPv4Address, IPv4Network

from core.scenario.fields import is_template, require_sha256
from core.scenario.folder import FileRefusedError, Files
from core.scenario.generated import generated, message_file
from core.scenario.generators.scene import GenerationFailedError
from core.scenario.networks import prefix_length
from core.scenario.positions import Finding, Mark, Place, strings_of
from core.scenario.render import Renderer, TeamFacts
from core.scenario.schema import HostFile, Scenario
from core.scenario.schema_answers import (
    AddressAnswer,
    Answer,
    ChoiceAnswer,
    HashAnswer,
    InstantAnswer,
    NetworkAnswer,
    NumberAnswer,
    RegexAnswer,
    parse_address,
    parse_digest,
    parse_network,
    parts_of,
)
from core.scenario.schema_checks import ServerProbe, TcpPeer, require_line
from core.scenario.schema_evidence import Evidence
from core.scenario.schema_tasks import QuestionTask
from core.scenario.template import (
    TemplateFailedError,
    compile_file,
    compile_leaf,
    undefined_names,
)
from core.scenario.values import derive_values

_START = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
_FIRST_ADDRESS = int(IPv4Address("10.0.0.0"))
_STEP = 1 << 16
_STATEMENT = "{%"
_MAX_SECONDS = 3
_MAX_GENERATING = 20


def invented_team(scenario: Scenario, files: Files) -> TeamFacts:
    """Return facts of a team that never is: its values from an empty key, its networks in 10/8.

    Raises TooFewValuesError, and FileRefusedError and ListRefusedError for lists of texts.
    """
    subnets = {
        name: IPv4Network(
            (_FIRST_ADDRESS + 2 * number * _STEP, prefix_length(scenario, name, teams=2))
        )
        for number, name in enumerate(scenario.networks)
    }
    free = {name: subnet.hosts() for name, subnet in subnets.items()}
    return TeamFacts(
        slug="team-1",
        name="Team 1",
        number=1,
        teams=("team-1", "team-2"),
        values=derive_values(
            scenario, files, key=b"", team="team-1", start=_START, subnets=subnets
        ),
        addresses={
            name: {n: next(free[n], IPv4Address(0)) for n in host.networks if n in free}
            for name, host in scenario.hosts.items()
        },
        subnets=subnets,
        start=_START,
    )


def template_files(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield where each template file of the scenario is named, and its path."""
    for name, host in scenario.hosts.items():
        for index, file in enumerate(host.files):
            if file.template is not None:
                yield ("hosts", name, "files", index, "template"), file.template
    for name, inject in scenario.injects.items():
        for index, sent in enumerate(inject.message.files if inject.message is not None else ()):
            if sent.template is not None:
                yield ("injects", name, "message", "files", index, "template"), sent.template


def template_findings(
    scenario: Scenario, files: Files, data: object, renderer: Renderer
) -> Iterator[Finding]:
    """Yield what fails in the strings of `data` and in the template files of the scenario."""
    failed: set[Place] = set()
    attempts = _attempts(scenario, renderer, files, data)
    yield from _failures("templates", attempts, failed, seconds=_MAX_SECONDS)
    generating = _generating(scenario, renderer)
    yield from _failures("generators", generating, failed, seconds=_MAX_GENERATING)


def text_findings(renderer: Renderer, texts: Iterable[tuple[Place, str]]) -> Iterator[Finding]:
    """Yield what fails in texts for people, for a team of a scenario that is right without them."""
    for place, text in texts:
        yield from _leaf(renderer, text, place)


_Attempt = tuple[Place, Callable[[], Iterator[Finding]]]


def _failures(
    what: str, attempts: Iterator[_Attempt], failed: set[Place], *, seconds: float
) -> Iterator[Finding]:
    """Yield what attempts find; none where something has `failed` already, or below that."""
    # Time of this thread alone: that the machine has other work is no fault of a file.
    most = time.thread_time() + seconds
    for place, attempt in attempts:
        if time.thread_time() > most:
            message = f"the {what} take more than {seconds} s of processor time together"
            yield Finding(message=message, place=place)
            return
        known = any(place == earlier[: len(place)] for earlier in failed)
        for finding in attempt() if not known else ():
            failed.add(finding.place or place)
            yield finding


def _generating(scenario: Scenario, renderer: Renderer) -> Iterator[_Attempt]:
    for name, host in scenario.hosts.items():
        for index, file in enumerate(host.files):
            if file.generate is not None:
                place: Place = ("hosts", name, "files", index)
                yield place, partial(_made, partial(_host_file, file, name, renderer), place)
    for name, inject in scenario.injects.items():
        for index, sent in enumerate(inject.message.files if inject.message is not None else ()):
            if sent.generate is not None:
                place = ("injects", name, "message", "files", index)
                make = partial(message_file, sent, inject=name, renderer=renderer)
                yield place, partial(_made, make, place)


def _host_file(file: HostFile, host: str, renderer: Renderer) -> None:
    assert file.generate is not None
    path = renderer.text(file.to)
    generated(file.generate, file.with_, renderer=renderer, host=host, path=path)


def _made(make: Callable[[], object], place: Place) -> Iterator[Finding]:
    try:
        make()
    except TemplateFailedError as exc:
        below = exc.place if isinstance(exc, GenerationFailedError) else ()
        yield Finding(message=exc.reason, place=(*place, "with", *below))


def _attempts(
    scenario: Scenario, renderer: Renderer, files: Files, data: object
) -> Iterator[_Attempt]:
    for place, text in strings_of(data):
        if place[:1] not in {("scenario",), ("values",)}:  # read before any team exists
            yield place, partial(_leaf, renderer, text, place)
    for place, read in _typed_fields(scenario, renderer):
        yield place, partial(_tried, read, place)
    for place, path in template_files(scenario):
        yield place, partial(_template_file, files, renderer, path)


def _leaf(renderer: Renderer, text: str, place: Place) -> Iterator[Finding]:
    if _STATEMENT in text and "%}" in text:
        yield Finding(message="{% %} works in template files only", place=place)
    elif is_template(text):
        try:
            compile_leaf(text)
            missing = undefined_names(text, renderer.names, statements=False)
            yield from (Finding(message=sentence, place=place) for _, sentence in missing)
            if not missing:
                renderer.text(text)
        except TemplateFailedError as exc:
            yield Finding(message=f"this template fails: {exc.reason}", place=place)


def _tried(read: Callable[[], object], place: Place) -> Iterator[Finding]:
    try:
        read()
    except TemplateFailedError as exc:
        yield Finding(message=f"this template fails: {exc.reason}", place=place)


_Reading = tuple[Place, Callable[[], object]]


def _typed_fields(scenario: Scenario, renderer: Renderer) -> Iterator[_Reading]:
    yield from _host_fields(scenario, renderer)
    yield from _flow_fields(scenario, renderer)
    yield from _check_fields(scenario, renderer)
    for name, task in scenario.tasks.items():
        if isinstance(task, QuestionTask):
            yield from _answer_fields(task.answer, renderer, ("tasks", name, "answer"))


def _host_fields(scenario: Scenario, renderer: Renderer) -> Iterator[_Reading]:
    for name, host in scenario.hosts.items():
        for known, address in host.extra_hosts.items():
            read = partial(renderer.read, address, parse_address)
            yield ("hosts", name, "extra_hosts", known), read
        for index, probe in enumerate(host.ready):
            if probe.tcp is not None:
                yield ("hosts", name, "ready", index, "tcp"), partial(renderer.port, probe.tcp)
        for index, file in enumerate(host.files):
            if file.mtime is not None:
                yield (
                    ("hosts", name, "files", index, "mtime"),
                    partial(renderer.instant, file.mtime),
                )


def _flow_fields(scenario: Scenario, renderer: Renderer) -> Iterator[_Reading]:
    for index, flow in enumerate(scenario.flows):
        for key, ports in (("tcp", flow.tcp), ("udp", flow.udp)):
            for number, port in enumerate(ports):
                yield ("flows", index, key, number), partial(renderer.ports, port)


def _check_fields(scenario: Scenario, renderer: Renderer) -> Iterator[_Reading]:
    for name, check in scenario.checks.items():
        if isinstance(check.tcp, TcpPeer):
            yield ("checks", name, "tcp", "port"), partial(renderer.port, check.tcp.port)
        elif check.tcp is not None:
            yield ("checks", name, "tcp"), partial(renderer.port, check.tcp)
        if check.file is not None and check.file.sha256 is not None:
            read = partial(renderer.read, check.file.sha256, require_sha256)
            yield ("checks", name, "file", "sha256"), read
        if check.http is not None and check.http.ca is not None:
            yield ("checks", name, "http", "ca"), partial(renderer.as_it_is, check.http.ca)
        if check.http is not None:
            yield ("checks", name, "http", "status"), partial(renderer.integer, check.http.status)
        if check.evidence is not None:
            yield from _evidence_fields(("checks", name, "evidence"), check.evidence, renderer)
        for key, server in check.servers.items():
            yield from _server_fields(("checks", name, key), server, renderer)


def _evidence_fields(place: Place, evidence: Evidence, renderer: Renderer) -> Iterator[_Reading]:
    for below, command in evidence.commands.items():
        yield (*place, *below, "matches"), partial(renderer.pattern, command.matches)
    for below, file in evidence.files.items():
        yield (*place, *below, "matches"), partial(renderer.pattern, file.matches)
        if file.sha256 is not None:
            read = partial(renderer.read, file.sha256, require_sha256)
            yield (*place, *below, "sha256"), read


def _server_fields(place: Place, server: ServerProbe, renderer: Renderer) -> Iterator[_Reading]:
    for key, value in server:
        if key == "port" and value is not None:
            yield (*place, key), partial(renderer.port, value)
        elif key != "query" and isinstance(value, str):
            yield (*place, key), partial(renderer.read, value, require_line)


def _answer_fields(
    answer: Answer | ChoiceAnswer, renderer: Renderer, place: Place
) -> Iterator[_Reading]:
    read: Callable[[], object] | None = None
    match answer:
        case NumberAnswer():
            read = partial(renderer.number, answer.number)
        case InstantAnswer():
            read = partial(renderer.instant, answer.instant)
        case AddressAnswer():
            read = partial(renderer.read, answer.ip, parse_address)
        case NetworkAnswer():
            read = partial(renderer.read, answer.cidr, parse_network)
        case HashAnswer():
            read = partial(renderer.read, answer.hash, parse_digest)
        case RegexAnswer():
            read = partial(renderer.pattern, answer.regex)
        case ChoiceAnswer():
            read = partial(renderer.read, answer.choice, answer.option)
        case _:
            pass
    if read is not None:
        yield (*place, answer.kind), read
    key, parts = parts_of(answer)
    for index, part in enumerate(parts):
        yield from _answer_fields(part, renderer, (*place, key, index))


def _template_file(files: Files, renderer: Renderer, path: str) -> Iterator[Finding]:
    try:
        source = files.read(path).decode()
    except UnicodeDecodeError:
        yield Finding(message="a template must be UTF-8 text", file=path, mark=Mark())
        return
    except FileRefusedError:
        return  # reported where it is named
    try:
        compile_file(source)
        missing = undefined_names(source, renderer.names, statements=True)
        for line, sentence in missing:
            yield Finding(message=sentence, file=path, mark=Mark(line, 1))
        if not missing:
            renderer.file(path)
    except TemplateFailedError as exc:
        mark = Mark(exc.line, 1)
        yield Finding(message=f"this template fails: {exc.reason}", file=path, mark=mark)
