"""The open terminals of an exercise, as staff see them and what they do to them."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from api.bootstrap import Services
from api.gateways import gateways_of
from core.users.model import User
from orchestrator.domain.exercise import Exercise
from orchestrator.gateway.inner_calls import OpenSession, TerminalClosedError
from orchestrator.gateway.inner_words import SessionFacts
from orchestrator.journal import By

_IDLE_AFTER = timedelta(minutes=10)
_STUCK_AFTER = timedelta(minutes=1)


class Signal(StrEnum):
    """What a terminal looks like from outside: to look at, no verdict."""

    TYPING = "typing"
    IDLE = "idle"
    STUCK = "stuck"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """An open terminal, and what it looks like."""

    facts: SessionFacts

    @property
    def signal(self) -> Signal:
        """The sign that matters most to somebody who could help."""
        return signal_of(self.facts)

    @property
    def idle(self) -> timedelta:
        """How long nothing was typed."""
        return timedelta(seconds=self.facts.idle)

    @property
    def unanswered(self) -> timedelta:
        """How long what was typed waits for something to be shown."""
        return timedelta(seconds=self.facts.unanswered)


async def terminals_of(services: Services, exercise: Exercise) -> tuple[Terminal, ...]:
    """Return the terminals that are open in an exercise, by team, then the oldest first."""
    facts = await gateways_of(services.settings).sessions()
    order = [team.slug for team in exercise.teams]
    mine = [one for one in facts if one.exercise == exercise.id and one.terminal]
    mine.sort(key=lambda one: order.index(one.team) if one.team in order else len(order))
    return tuple(Terminal(facts=one) for one in mine)


async def terminal_in(services: Services, exercise: Exercise, session: str) -> OpenSession:
    """Return one of them; raises TerminalClosedError, GatewayAwayError."""
    found = await gateways_of(services.settings).find(session)
    if found.facts.exercise != exercise.id or not found.facts.terminal:
        raise TerminalClosedError("this exercise has no such terminal open")
    return found


async def end_terminal(
    services: Services, exercise: Exercise, session: str, *, sentence: str, by: User
) -> None:
    """End it with a sentence, and write that down.

    Raises TerminalClosedError, GatewayAwayError.
    """
    terminal = await terminal_in(services, exercise, session)
    await terminal.end(sentence=sentence, by=by.display_name or by.name)
    await note(services, exercise, terminal, "terminal.ended", reason=sentence, by=by)


async def note(
    services: Services,
    exercise: Exercise,
    terminal: OpenSession,
    act: str,
    *,
    reason: str,
    by: User,
) -> None:
    """Write down what staff did to a terminal, and why."""
    team = exercise.team(terminal.facts.team)
    assert team is not None  # the doorkeeper let somebody into a host of it
    await asyncio.to_thread(
        services.exercises.note,
        exercise,
        act,
        f"the terminal of {terminal.facts.person} on {terminal.facts.host}",
        team=team.id,
        subject=terminal.facts.id,
        by=By(user=by.id, reason=reason),
    )


def signal_of(facts: SessionFacts) -> Signal:
    """Return the sign that matters most to somebody who could help."""
    if not facts.attached:
        return Signal.LEFT
    if facts.unanswered >= _STUCK_AFTER.total_seconds():
        return Signal.STUCK
    return Signal.IDLE if facts.idle >= _IDLE_AFTER.total_seconds() else Signal.TYPING
