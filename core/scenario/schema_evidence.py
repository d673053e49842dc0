"""Evidence: what a team must have done, and before or after what, as the records say it."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from core.patterns import MAX_PATTERN, require_pattern
from core.scenario.fields import Part, Ref, Sha256, SomeTime, is_template
from core.scenario.written import needs

_KINDS = ("command", "file", "check")


def _pattern(text: str) -> str:
    return text if is_template(text) else require_pattern(text)


def _of_a_path(text: str) -> str:
    if re.match(r"\w", text):
        raise ValueError("no path begins like this: they are absolute, so write /... or .*/...")
    return text


_Pattern = Annotated[
    str,
    Field(title="regular expression", min_length=1, max_length=MAX_PATTERN),
    AfterValidator(_pattern),
]


class TypedCommand(Part):
    """A command that somebody of the team typed on a host, as its record of commands has it."""

    host: Ref
    """The host, which records commands."""
    matches: _Pattern
    """The whole line, in RE2's syntax; what `{{ }}` gives stands in it for itself."""


class MovedFile(Part):
    """A file that somebody of the team moved over SSH into a host or out of it, all of it."""

    host: Ref
    """The host."""
    matches: Annotated[_Pattern, AfterValidator(_of_a_path)]
    """Its whole path in the host, from `/` on, in RE2's syntax; `{{ }}` as in commands."""
    moved: Literal["in", "out"] | None = None
    """Into the host or out of it; left out, either counts."""
    sha256: Sha256 | None = None
    """The SHA-256 of its content."""


class Happening(Part):
    """A moment of a team: the first time that something happened."""

    model_config = needs((*_KINDS, "inject"))

    command: TypedCommand | None = None
    """A command was typed."""
    file: MovedFile | None = None
    """A file was moved."""
    check: Ref | None = None
    """A check was seen to pass."""
    inject: Ref | None = None
    """An inject went out."""

    @model_validator(mode="after")
    def _one(self) -> "Happening":
        if sum(getattr(self, key) is not None for key in (*_KINDS, "inject")) != 1:
            raise ValueError("this needs exactly one of command, file, check, inject")
        return self


class Evidence(Part):
    """What must have happened once, in a certain order or time: a command, a file, or a pass."""

    model_config = needs(_KINDS)

    command: TypedCommand | None = None
    """A command was typed."""
    file: MovedFile | None = None
    """A file was moved."""
    check: Ref | None = None
    """A check was seen to pass."""
    before: Happening | None = None
    """What must not have happened by then."""
    after: Happening | None = None
    """What must have happened by then."""
    within: SomeTime | None = None
    """How long after `after` at most; without `after`, on the team's clock."""

    @model_validator(mode="after")
    def _says_something(self) -> "Evidence":
        if sum(getattr(self, key) is not None for key in _KINDS) != 1:
            raise ValueError("evidence needs exactly one of command, file, check")
        if self.check is not None and not (self.before or self.after or self.within):
            raise ValueError(f"this says no more than {self.check}: add before, after or within")
        return self

    @property
    def happenings(self) -> dict[str, Happening]:
        """What is named by `before` and `after`."""
        both = {"before": self.before, "after": self.after}
        return {key: value for key, value in both.items() if value is not None}

    @property
    def commands(self) -> dict[tuple[str, ...], TypedCommand]:
        """Every command that is asked for, by where it stands below the evidence."""
        return dict(self._each("command"))

    @property
    def files(self) -> dict[tuple[str, ...], MovedFile]:
        """Every file that is asked for, as above."""
        return dict(self._each("file"))

    @property
    def checks(self) -> dict[tuple[str, ...], str]:
        """Every check that is named, by where it stands below the evidence."""
        return dict(self._each("check"))

    def _each(self, kind: str) -> Iterator[tuple[tuple[str, ...], Any]]:
        if getattr(self, kind) is not None:
            yield (kind,), getattr(self, kind)
        for key, happening in self.happenings.items():
            if getattr(happening, kind) is not None:
                yield (key, kind), getattr(happening, kind)
