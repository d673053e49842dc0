"""Values: what differs from team to team."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Discriminator, Field, model_validator

from core.scenario.fields import FolderPath, MomentField, Part, PlainText, Ref, SomeTime
from core.scenario.words.cyrillic import ALPHABETS


class PasswordValue(Part):
    """Letters and digits that nobody mistakes for one another; a canary."""

    type: Literal["password"]
    """The kind of value."""
    length: int = Field(default=14, ge=8, le=64)
    """How many characters."""


class TokenValue(Part):
    """Lower-case hexadecimal digits, as programs make keys; a canary."""

    type: Literal["token"]
    """The kind of value."""
    length: int = Field(default=32, ge=16, le=128)
    """How many characters."""


class HexValue(Part):
    """Lower-case hexadecimal digits that are no secret, such as part of a hash or an address."""

    type: Literal["hex"]
    """The kind of value."""
    length: int = Field(default=8, ge=1, le=128)
    """How many characters."""


class FlagValue(Part):
    """A string to be found; a canary for other teams. `%s` is where the secret part goes."""

    type: Literal["flag"]
    """The kind of value."""
    format: str = Field(default="FLAG{%s}", max_length=100, pattern=r"^[^%\s]*%s[^%\s]*$")
    """The whole flag; `%s` is its secret part."""
    length: int = Field(default=16, ge=8, le=64)
    """How long the secret part is."""


class ChoiceValue(Part):
    """One of a list."""

    type: Literal["choice"]
    """The kind of value."""
    of: tuple[PlainText, ...] = Field(min_length=1, max_length=1000)
    """The list."""


class TextValue(Part):
    """One line of a file of the scenario, which has one text a line."""

    type: Literal["text"]
    """The kind of value."""
    from_: FolderPath = Field(alias="from")
    """A file of UTF-8 text, with a text a line; empty lines are left out."""
    unlike: tuple[PlainText, ...] = ()
    """What it must not be, whatever the case."""


class NameValue(Part):
    """A person's name: a given name, a space and a surname, one word each.

    Left out, `language` is a mix of the region's. `script: cyrillic` is for sr, bs, cnr and mk.
    """

    type: Literal["name"]
    """The kind of value."""
    language: Literal["sq", "sr", "bs", "cnr", "mk", "sl", "fr", "en"] | None = None
    """Whose names; left out, a mix of the region's six."""
    script: Literal["latin", "cyrillic"] = "latin"
    """The letters it is in."""
    unlike: tuple[PlainText, ...] = ()
    """What it must not be, whatever the case."""

    @model_validator(mode="after")
    def _written(self) -> "NameValue":
        if self.script == "cyrillic" and self.language not in ALPHABETS:
            raise ValueError(f"script: cyrillic needs language to be one of {', '.join(ALPHABETS)}")
        return self


class UsernameValue(Part):
    """A login name as an office gives them: an initial and a surname."""

    type: Literal["username"]
    """The kind of value."""
    unlike: tuple[str, ...] = ()
    """What it must not be, whatever the case."""


class IntegerValue(Part):
    """A whole number from `min` to `max`, both included."""

    type: Literal["integer"]
    """The kind of value."""
    min: int = Field(default=0, ge=-(2**53), le=2**53)
    """The smallest."""
    max: int = Field(ge=-(2**53), le=2**53)
    """The largest."""

    @model_validator(mode="after")
    def _in_order(self) -> "IntegerValue":
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class PortValue(Part):
    """A port from `min` to `max`, both included."""

    type: Literal["port"]
    """The kind of value."""
    min: int = Field(default=20_000, ge=1, le=65_535)
    """The smallest."""
    max: int = Field(default=40_000, ge=1, le=65_535)
    """The largest."""

    @model_validator(mode="after")
    def _in_order(self) -> "PortValue":
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class AddressValue(Part):
    """An address of one of the team's networks that no host, router or gateway there has."""

    type: Literal["ip-in-network"]
    """The kind of value."""
    network: Ref
    """A network of the team's own, so not a shared one."""


class InstantValue(Part):
    """A time between two moments, both included, a whole number of `step`s after the first."""

    type: Literal["instant"]
    """The kind of value."""
    between: tuple[MomentField, MomentField]
    """The first and the last moment."""
    step: SomeTime = timedelta(seconds=1)
    """How far apart the possible times are."""

    @model_validator(mode="after")
    def _in_order(self) -> "InstantValue":
        first, last = self.between
        # Midnight is up to a day before the start; the order must hold at any hour of it.
        slack = timedelta(days=1) if last.of_day and not first.of_day else timedelta()
        if first.offset + slack > last.offset:
            raise ValueError("the first moment must not be after the second")
        return self


ValueSpec = Annotated[
    PasswordValue
    | TokenValue
    | HexValue
    | FlagValue
    | ChoiceValue
    | TextValue
    | NameValue
    | UsernameValue
    | IntegerValue
    | PortValue
    | AddressValue
    | InstantValue,
    Discriminator("type"),
]
