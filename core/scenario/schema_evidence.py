"""Evidence: what a team must have done, and before or after what, as the records say it."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from core.patterns import MAX_PATTERN, require_pattern
from core.scenario.fields import Part, Ref, SomeTime, is_template
from core.scenario.written import needs


def _pattern(text: str) -> str:
    return text if is_template(text) else require_pattern(text)


class TypedCommand(Part):
    """A command that somebody of the team typed on a host, as its record of commands has it."""

    host: Ref
    """The host, which records commands."""
    matches: Annotated[
        str,
        Field(title="regular expression", min_length=1, max_length=MAX_PATTERN),
        AfterValidator(_pattern),
    ]
    """The whole line, in RE2's syntax; what `{{ }}` gives stands in it for itself."""


class Happening(Part):
    """A moment of a team: the first time that something happened."""

    model_config = needs(("command", "check", "inject"))

    command: TypedCommand | None = None
    """A command was typed."""
    check: Ref | None = None
    """A check was seen to pass."""
    inject: Ref | None = None
    """An inject went out."""

    @model_validator(mode="after")
    def _one(self) -> "Happening":
        if sum(x is not None for x in (self.command, self.check, self.inject)) != 1:
            raise ValueError("this needs exactly one of command, check, inject")
        return self


class Evidence(Part):
    """What must have happened once, in a certain order or time: a command, or a check's pass."""

    model_config = needs(("command", "check"))

    command: TypedCommand | None = None
    """A command was typed."""
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
        if (self.command is None) == (self.check is None):
            raise ValueError("evidence needs exactly one of command, check")
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
        found: dict[tuple[str, ...], TypedCommand | None] = {("command",): self.command}
        found |= {(key, "command"): h.command for key, h in self.happenings.items()}
        return {place: command for place, command in found.items() if command is not None}

    @property
    def checks(self) -> dict[tuple[str, ...], str]:
        """Every check that is named, by where it stands below the evidence."""
        found: dict[tuple[str, ...], str | None] = {("check",): self.check}
        found |= {(key, "check"): h.check for key, h in self.happenings.items()}
        return {place: check for place, check in found.items() if check is not None}
