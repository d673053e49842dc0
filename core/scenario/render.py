"""What a scenario's texts, files and fields are for one team."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from typing import TypeVar

from core.patterns import require_pattern
from core.scenario.fields import is_template, parse_instant, parse_ports
from core.scenario.folder import FileRefusedError, Files
from core.scenario.template import (
    TemplateFailedError,
    compile_file,
    compile_leaf,
    compile_pattern,
    run,
)
from core.scenario.template_world import Record, Refusal, RefusedError
from core.scenario.values import Value

_LAST_PORT = 65_535
_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamFacts:
    """What is known of a team's world once its addresses are chosen.

    `addresses` is host → network → address, with scenario ids; `start` is aware. `seed` decides
    what generators make for the team (`generated.team_seed`).
    """

    slug: str
    name: str
    number: int
    teams: tuple[str, ...]
    values: Mapping[str, Value]
    addresses: Mapping[str, Mapping[str, IPv4Address]]
    subnets: Mapping[str, IPv4Network]
    start: datetime
    seed: bytes = b""


class Renderer:
    """Renders for one team. Every method raises TemplateFailedError."""

    def __init__(self, loaded: Files, facts: TeamFacts) -> None:
        self._files = loaded
        self.facts = facts
        self.names = _names(facts) | {"file": self._read}
        self._texts: dict[str, str] = {}  # a host's texts say the same things again and again

    def text(self, template: str) -> str:
        """Return a string of the YAML file with its `{{ }}` filled in."""
        if not is_template(template):
            return template
        if template not in self._texts:
            self._texts[template] = self._rendered(template)
        return self._texts[template]

    def _rendered(self, template: str) -> str:
        try:
            return run(compile_leaf(template), self.names)
        except TemplateFailedError as exc:
            raise TemplateFailedError(exc.reason, where=repr(template[:60])) from exc

    def file(self, path: str) -> bytes:
        """Return a template file of the scenario, rendered, as UTF-8."""
        try:
            source = self._files.read(path).decode()
            return run(compile_file(source), self.names).encode()
        except TemplateFailedError as exc:
            raise TemplateFailedError(exc.reason, where=path, line=exc.line) from exc
        except UnicodeDecodeError as exc:
            raise TemplateFailedError("it is not UTF-8 text", where=path) from exc
        except FileRefusedError as exc:
            raise TemplateFailedError(exc.message, where=path) from exc

    def as_it_is(self, path: str) -> str:
        """Return a text file of the scenario, not rendered."""
        try:
            return self._files.read(path).decode()
        except (UnicodeDecodeError, FileRefusedError) as exc:
            raise TemplateFailedError("it is no text file", where=path) from exc

    def digest(self, path: str, algorithm: str) -> str:
        """Return the hexadecimal digits of a hash of a file of the scenario, not rendered."""
        try:
            content = self._files.read(path)
        except FileRefusedError as exc:
            raise TemplateFailedError(exc.message, where=path) from exc
        return hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()

    def number(self, field: float | str) -> float:
        """Return a field that is a number, or a template of one."""
        if not isinstance(field, str):
            return field
        text = self.text(field)
        try:
            return int(text) if text.strip().lstrip("+-").isdecimal() else float(text)
        except ValueError as exc:
            raise TemplateFailedError(f"{text[:40]!r} is not a number", where=field) from exc

    def integer(self, field: int | str) -> int:
        """Return a field that is a whole number, or a template of one."""
        number = self.number(field)
        if not isinstance(number, int):
            raise TemplateFailedError(f"{number} is not a whole number", where=str(field))
        return number

    def port(self, field: int | str) -> int:
        """Return a field that is a port, or a template of one."""
        port = self.integer(field)
        if not 1 <= port <= _LAST_PORT:
            raise TemplateFailedError(f"{port} is not a port", where=str(field))
        return port

    def ports(self, field: int | str) -> tuple[int, int]:
        """Return the first and the last of a field that is a port or `1000-1010`, or a template."""
        return self.read(str(field), lambda text: parse_ports(text.strip()))

    def pattern(self, field: str) -> str:
        """Return a regular expression; what a template in it gives stands for itself."""
        try:
            return require_pattern(run(compile_pattern(field), self.names))
        except ValueError as exc:
            raise TemplateFailedError(str(exc), where=field) from exc

    def read(self, field: str, parse: Callable[[str], _Read]) -> _Read:
        """Return a string of the YAML file as `parse` reads it, which raises ValueError."""
        try:
            return parse(self.text(field))
        except ValueError as exc:
            raise TemplateFailedError(str(exc), where=field) from exc

    def instant(self, field: str) -> datetime:
        """Return a field that is an ISO 8601 time with a zone, or a template of one; in UTC."""
        try:
            return parse_instant(self.text(field))
        except ValueError as exc:
            raise TemplateFailedError(str(exc), where=field) from exc

    def _read(self, path: str) -> bytes:
        try:
            return self._files.read(path)
        except FileRefusedError as exc:
            raise RefusedError(exc.message) from exc


def _names(facts: TeamFacts) -> dict[str, object]:
    day = facts.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    team = {"name": facts.name, "number": facts.number}
    return {
        "values": Record(name="values", fields=facts.values),
        "team": Record(name="team", text=facts.slug, fields=team),
        "teams": facts.teams,
        "hosts": Record(
            name="hosts", fields={h: _host(h, ips) for h, ips in facts.addresses.items()}
        ),
        "networks": Record(
            name="networks",
            fields={
                n: Record(name=f"networks.{n}", fields={"subnet": subnet})
                for n, subnet in facts.subnets.items()
            },
        ),
        "exercise": Record(name="exercise", fields={"start": facts.start, "day": day}),
    }


def _host(host: str, ips: Mapping[str, IPv4Address]) -> Record:
    several = Refusal(
        f"{host} is on {len(ips)} networks; write hosts.{host}.ips.<network>"
        if ips
        else f"{host} is on no network of the exercise, so it has no address"
    )
    only = next(iter(ips.values())) if len(ips) == 1 else several
    return Record(
        name=f"hosts.{host}",
        fields={"ip": only, "ips": Record(name=f"hosts.{host}.ips", fields=ips)},
    )
