"""What the other gateways have of somebody who comes to this one."""

import asyncio
from dataclasses import dataclass

import structlog
from pydantic import ValidationError

from core.errors import PoligonError
from orchestrator.domain.world import WorldKey
from orchestrator.doorkeeper import Entry
from orchestrator.gateway.doors import Door, Doors
from orchestrator.gateway.inner_line import listed
from orchestrator.gateway.inner_words import Enter, List, Listed, SessionFacts, Size
from orchestrator.gateway.relayed import Relayed
from orchestrator.terminal.showing import Client
from orchestrator.terminal.stream import TerminalSize
from orchestrator.terminal.visit import Visit

_log = structlog.get_logger()

# A login waits for it; one that hangs must not hold up the others'.
_PATIENCE_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The sessions of a person and of their team at other gateways, each with its door."""

    sessions: tuple[tuple[Door, SessionFacts], ...] = ()

    def of_person(self, name: str) -> int:
        """Return how many of somebody's have a client."""
        return sum(facts.attached and facts.person == name for _, facts in self.sessions)

    def of_team(self, world: WorldKey) -> int:
        """Return how many in a team's world have a client."""
        return sum(
            facts.attached and (facts.exercise, facts.team) == (world.exercise, world.team)
            for _, facts in self.sessions
        )

    def resume(self, visit: Visit, client: Client) -> Relayed | None:
        """Return a hold on the terminal that is kept there for this visit, if there is one."""
        size = visit.size
        if size is None or not visit.is_lasting:
            return None
        for door, facts in self.sessions:
            if not facts.attached and _is_place_of(facts, visit):
                request = _request(visit, size, facts.id)
                if request is None:
                    return None
                _log.info("session.relayed", session=facts.id, login=visit.login, door=door.name)
                return Relayed(visit, client, door=door, request=request)
        return None


def _request(visit: Visit, size: TerminalSize, session: str) -> Enter | None:
    """Return what is asked, or None for a login so long that no inner door takes it."""
    login, _, host = visit.login.partition(".")
    asked = Size(columns=size.columns, rows=size.rows)
    try:
        return Enter(login=login, host=host, size=asked, session=session, entered=True)
    except ValidationError:
        return None


def _is_place_of(facts: SessionFacts, visit: Visit) -> bool:
    host = visit.host
    return (facts.person, facts.exercise, facts.team, facts.host, facts.account) == (
        visit.person,
        host.world.exercise,
        host.world.team,
        host.host,
        visit.account,
    )


NOWHERE = Elsewhere()


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a login leads, or why nowhere, and what there is of it at other gateways."""

    entry: Entry | PoligonError
    elsewhere: Elsewhere = NOWHERE


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The gateways that have doors, but the one of the name `own`."""

    doors: Doors
    own: str

    async def about(self, login: str, world: WorldKey) -> Elsewhere:
        """Return what they have of who logs in, and of a team."""
        doors = [door for door in await self.doors.found() if door.name != self.own]
        if not doors:
            return NOWHERE
        person = login.partition(".")[0]
        request = List(person=person, exercise=str(world.exercise), team=world.team)
        found = await asyncio.gather(*(_had(door, request) for door in doors))
        return Elsewhere(
            tuple(
                (door, facts)
                for door, of in zip(doors, found, strict=True)
                if of is not None
                for facts in of.sessions
            )
        )


async def _had(door: Door, request: List) -> Listed | None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await listed(door, request)
    except TimeoutError:
        _log.warning("neighbours.silent", door=door.name, person=request.person)
        return None
