"""A log in the form of syslog: lines of many processes, in order, with ids that grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Literal

from pydantic import Field

from core.scenario.generators.dice import Dice
from core.scenario.generators.parameters import Hostname, LogParameters, OfficeParameters
from core.scenario.generators.story_time import syslog_stamp

TimeFormat = Literal["traditional", "iso"]
Entry = tuple[datetime, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    program: str
    entries: Sequence[Entry]
    numbered: bool


class SyslogParameters(OfficeParameters, LogParameters):
    """What logs of syslog have besides."""

    host: Hostname | None = Field(
        default=None, description="what the machine calls itself; else the host's id"
    )
    time_format: TimeFormat = Field(
        default="traditional", description="`Nov  2 01:40:26`, or as Debian 12 has it"
    )


class Syslog:
    """Collects what processes say."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._processes: list[_Process] = []

    def process(self, program: str, *entries: Entry, numbered: bool = True) -> None:
        """Add what one process says, in order; `numbered` puts its id behind its name."""
        self._processes.append(_Process(program=program, entries=entries, numbered=numbered))

    def written(
        self, host: str, *, until: datetime, form: TimeFormat = "traditional"
    ) -> tuple[str, datetime]:
        """Return the lines up to a time, and the time of the last one."""
        number = self._dice.between(400, 900)
        found: list[tuple[datetime, str]] = []
        for process in sorted(self._processes, key=lambda p: p.entries[0][0]):
            number += self._dice.between(1, 30)
            name = f"{process.program}[{number}]" if process.numbered else process.program
            found += [(at, f"{host} {name}: {text}\n") for at, text in process.entries]
        kept = sorted((line for line in found if line[0] <= until), key=itemgetter(0))
        stamp = syslog_stamp if form == "traditional" else datetime.isoformat
        return "".join(f"{stamp(at)} {text}" for at, text in kept), kept[-1][0]
