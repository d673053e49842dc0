"""What is kept of what somebody does in a host, and what they are told of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from core.scenario.schema import Record as HostRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is kept of a session; `title` names it, `elapsed` tells its team's clock at a time."""

    terminal: bool = False
    commands: bool = False
    input: bool = False
    hook: bool = False
    title: str = ""
    elapsed: Callable[[datetime], timedelta] = lambda _: timedelta()

    @classmethod
    def of(cls, kept: HostRecord, *, title: str, elapsed: Callable[[datetime], timedelta]) -> Self:
        """Return what is kept on a host of which a scenario says `kept`."""
        return cls(
            terminal=kept.terminal,
            commands=kept.commands,
            input=kept.input,
            hook=kept.hook,
            title=title,
            elapsed=elapsed,
        )


NOTHING = Record()


def notice(kept: HostRecord) -> str:
    """Return what somebody reads before they enter a host of which this is kept; may be empty."""
    if kept.terminal and kept.input:
        return "Terminals, with every key that you press, and what commands show are recorded."
    if kept.terminal:
        return "Terminals and what commands show are recorded."
    return "The commands that you type here are recorded." if kept.commands else ""


def greeting(kept: HostRecord, title: str) -> str:
    """Return what a terminal shows first: what is recorded before anything else."""
    told = notice(kept)
    return f"{told}\r\n{title}" if told else title
