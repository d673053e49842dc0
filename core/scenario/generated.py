"""Generators at work for one team: their parameters rendered and read, the same bytes each time."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from ipaddress import IPv4Address

from pydantic import ValidationError

from core.scenario.generators.dice import Dice
from core.scenario.generators.office import Office, invent_office
from core.scenario.generators.parameters import RENDERED, OfficeParameters, Parameters
from core.scenario.generators.registry import GENERATORS
from core.scenario.generators.scene import MAX_BYTES, GenerationFailedError, Made, Scene
from core.scenario.render import Renderer, TeamFacts
from core.scenario.schema_errors import findings_of
from core.scenario.schema_injects import MessageFile
from core.security import derive

_MAX_FILES = 1000
_NO_HOST = "server"  # what a log that comes with a message calls the machine


def team_seed(key: bytes, team: str) -> bytes:
    """Return what decides everything that generators make for a team of an exercise."""
    return derive(key, "generators", team)


def generated(
    name: str,
    given: Mapping[str, object],
    *,
    renderer: Renderer,
    host: str,
    path: str,
) -> tuple[Made, ...]:
    """Return what a generator makes for a team at a path of a host.

    The same seed of the team, host, path and parameters give the same bytes. Raises
    TemplateFailedError; a GenerationFailedError knows the place below `given`.
    """
    generator, facts = GENERATORS[name], renderer.facts
    where = f"{host}:{path} ({name})"
    try:
        parameters = _read(generator.parameters, _rendered(given, renderer))
        scene = Scene(
            host=host,
            start=facts.start.replace(microsecond=0),
            office=_office(parameters, facts),
            dice=Dice(derive(facts.seed, "file", host, path)),
        )
        made = tuple(generator.make(parameters, scene))
        _bound(made)
    except GenerationFailedError as exc:
        raise GenerationFailedError(exc.reason, place=exc.place, where=where) from exc
    return made


def message_file(file: MessageFile, *, inject: str, renderer: Renderer) -> bytes:
    """Return a file of an inject's message that is made for a team.

    Raises TemplateFailedError.
    """
    if file.generate is None:
        return renderer.file(file.template or "")
    path = f"{inject}/{file.shown_name}"
    (made,) = generated(file.generate, file.with_, renderer=renderer, host=_NO_HOST, path=path)
    return made.content


def _rendered(node: object, renderer: Renderer) -> object:
    match node:
        case str():
            return renderer.text(node)
        case dict():
            own = [key for key in node if str(key).startswith("x-")]
            return {k: _rendered(v, renderer) for k, v in node.items() if k not in own}
        case tuple():
            return tuple(_rendered(value, renderer) for value in node)
        case _:
            return node


def _read(kind: type[Parameters], rendered: object) -> Parameters:
    try:
        # Not strict: what a template printed is text, whatever its field is.
        return kind.model_validate(rendered, strict=False, context=RENDERED)
    except ValidationError as exc:
        finding = findings_of(exc, rendered)[0]
        raise GenerationFailedError(finding.message, place=finding.place) from exc


def _office(parameters: Parameters, facts: TeamFacts) -> Office:
    named = frozenset(v.casefold() for v in facts.values.values() if isinstance(v, str))
    taken = frozenset(_addresses(parameters, facts))
    if not isinstance(parameters, OfficeParameters):
        return invent_office(facts.seed, avoid=named, taken=taken)
    return invent_office(
        facts.seed,
        avoid=named,
        taken=taken,
        network=parameters.network,
        people=parameters.people,
        domain=parameters.domain,
    )


def _addresses(parameters: Parameters, facts: TeamFacts) -> Iterator[IPv4Address]:
    """Yield the addresses that the scenario gives to somebody: in values, in `with`, to hosts."""
    for host in facts.addresses.values():
        yield from host.values()
    for value in (*facts.values.values(), *vars(parameters).values()):
        with suppress(ValueError):
            yield IPv4Address(str(value))


def _bound(made: tuple[Made, ...]) -> None:
    size = sum(len(file.content) for file in made)
    if size > MAX_BYTES:
        raise GenerationFailedError(f"it makes {size} bytes; the limit is {MAX_BYTES >> 20} MiB")
    if len(made) > _MAX_FILES:
        raise GenerationFailedError(f"it makes {len(made)} files; the limit is {_MAX_FILES}")
