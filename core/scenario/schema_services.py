"""Attack and defence: services that teams keep up and attack, and the rounds they are asked in."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from core.scenario.fields import Command, FolderPath, Part, Ref, SomeTime, Text, is_template

_LAST_PORT = 65_535
# For containers that start slowly, and their turn in a queue.
_SPARE = timedelta(seconds=30)


def _same_for_all(text: str) -> str:
    if is_template(text):
        raise ValueError("each round has a flag of its own, so it cannot hold {{ }}")
    return text


class Build(Part):
    """An image that is built from a folder of the scenario."""

    context: FolderPath
    """A folder with a Dockerfile."""


class Rounds(Part):
    """The rounds in which services are asked, and get new flags."""

    every: SomeTime
    """How long a round is."""


class RoundFlag(Part):
    """The flags that a service keeps for others not to find: a new one each round."""

    format: Annotated[str, AfterValidator(_same_for_all)] = Field(
        default="FLAG{%s}", max_length=100, pattern=r"^[^%\s]*%s[^%\s]*$"
    )
    """The whole flag; `%s` is its secret part."""
    length: int = Field(default=24, ge=16, le=64)
    """How long the secret part is."""
    lives: int = Field(default=5, ge=1, le=100)
    """For how many rounds it may be taken."""


class Checker(Part):
    """A program that leaves flags in a service, asks for them again, and looks whether it works."""

    build: Build
    """A folder that its image is built from; several services may have one image."""
    run: Command
    """What is run, as nobody."""
    timeout: SomeTime = timedelta(seconds=10)
    """How long it may take; a service that takes longer is down."""


class Service(Part):
    """A service of every team, on a network that joins them."""

    title: Text | None = None
    """What trainees read."""
    host: Ref
    """The host that it runs on."""
    network: Ref
    """The shared network where other teams reach it."""
    port: int = Field(ge=1, le=_LAST_PORT)
    """Its TCP port, the same for every team."""
    flag: RoundFlag = RoundFlag()
    """What the flags look like that it keeps."""
    checker: Checker
    """What asks it in every round."""

    @property
    def longest_look(self) -> timedelta:
        """How long a round's errands may take: put, check, a get for each flag, one repeated."""
        return (self.flag.lives + 3) * self.checker.timeout + _SPARE


class ServiceScoring(Part):
    """The rules by which rounds give points."""

    preset: Literal["faust", "saar"] = "faust"
    """By whose rules attack, defence and availability add up."""
