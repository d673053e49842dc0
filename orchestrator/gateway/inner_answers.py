"""What a gateway does with what is asked at its inner door."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from websockets.asyncio.server import ServerConnection

from core.errors import Fault, PoligonError
from orchestrator.doorkeeper import Entry, HostNotChosenError
from orchestrator.gateway.attempts import account_of
from orchestrator.gateway.facts import Refusal
from orchestrator.gateway.front import House
from orchestrator.gateway.inner_client import InnerClient, carry
from orchestrator.gateway.inner_door import Answer
from orchestrator.gateway.inner_onlooker import follow, take_part
from orchestrator.gateway.inner_words import (
    Done,
    End,
    Enter,
    Join,
    List,
    Listed,
    Opened,
    Refused,
    Request,
    Say,
    SessionFacts,
    Size,
    Watch,
)
from orchestrator.gateway.neighbours import NOWHERE, Elsewhere
from orchestrator.gateway.seats import no_seat
from orchestrator.terminal.attachment import Attachment
from orchestrator.terminal.book import Turned
from orchestrator.terminal.commands import login_shell
from orchestrator.terminal.registry import LiveSession
from orchestrator.terminal.stream import TerminalSize
from orchestrator.terminal.visit import Visit

_TERMINAL = "xterm-256color"
_ELSEWHERE = "This terminal is open in another window now"


class NotOpenError(PoligonError):
    """The session is not live any more, or it is nothing that can be seen."""

    code = "terminal.closed"
    fault = Fault.MISSING


class NoSeatError(PoligonError):
    """Somebody, or their team, has as many sessions as they may."""

    code = "session.no_seat"
    fault = Fault.CONFLICT


class InnerAnswers:
    """Answers for the sessions of one gateway."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._held: dict[str, tuple[Attachment, InnerClient]] = {}

    def table(self) -> Mapping[type[Request], Answer]:
        """Return what answers which request."""
        answers: dict[type[Request], Answer] = {
            Enter: self._enter,
            Watch: self._watch,
            Join: self._join,
            List: self._list,
            End: self._end,
            Say: self._say,
        }
        return MappingProxyType(answers)

    async def _enter(self, connection: ServerConnection, request: Request) -> None:
        assert isinstance(request, Enter)
        login = f"{request.login}.{request.host}" if request.host else request.login
        entry = self._kept(request) or await self._entry(login)
        elsewhere = await self._elsewhere(login, entry)
        self._take_over(request)
        client = InnerClient(connection)
        visit = _visit(login, entry, request.size)
        if why := no_seat(self._house.live, visit, self._house.limits, elsewhere):
            self._house.refused[Refusal.SESSIONS] += 1
            raise NoSeatError(why)
        attachment = self._house.live.join(visit, client)
        client.serves(attachment)
        session = attachment.visit
        client.opened(
            Opened(
                session=session.id,
                host=session.host.host,
                team=session.host.world.team,
                resumed=session.id != visit.id,
            )
        )
        self._held[session.id] = mine = (attachment, client)
        try:
            await carry(connection, client, attachment)
        finally:
            attachment.hang_up()
            if self._held.get(session.id) is mine:
                del self._held[session.id]

    def _kept(self, request: Enter) -> Entry | None:
        """Return where somebody lands again who has entered at another gateway."""
        live = self._house.live.find(request.session) if request.entered else None
        if live is None or live.visit.person != request.login:
            return None
        visit = live.visit
        return Entry(
            host=visit.host,
            account=visit.account,
            greeting=visit.greeting,
            environment=visit.environment,
            record=visit.record,
        )

    async def _entry(self, login: str) -> Entry:
        try:
            return await asyncio.to_thread(self._house.doorkeeper.enter, login)
        except HostNotChosenError:
            raise
        except PoligonError as error:
            self._house.refused[Refusal.ENTRY] += 1
            self._house.chronicle.turned_away(
                account_of(login), Turned.ENTRY, source="the page", said=error.message
            )
            raise

    async def _elsewhere(self, login: str, entry: Entry) -> Elsewhere:
        neighbours = self._house.neighbours
        return await neighbours.about(login, entry.host.world) if neighbours else NOWHERE

    def _take_over(self, request: Enter) -> None:
        """Let go of the page's own session: its old connection may be dead unnoticed."""
        attachment, client = self._held.get(request.session, (None, None))
        if attachment and client and attachment.visit.person == request.login:
            attachment.hang_up()
            client.leave(Refused(code="session.taken_over", sentence=_ELSEWHERE))

    async def _watch(self, connection: ServerConnection, request: Request) -> None:
        assert isinstance(request, Watch)
        await follow(connection, self._terminal(request.session))

    async def _join(self, connection: ServerConnection, request: Request) -> None:
        assert isinstance(request, Join)
        await take_part(connection, self._terminal(request.session), name=request.name)

    async def _list(self, connection: ServerConnection, request: Request) -> None:
        assert isinstance(request, List)
        live = self._house.live
        sessions = tuple(_facts(one) for one in live if _is_asked(request, one.visit))
        listed = Listed(sessions=sessions, draining=live.is_closed)
        await connection.send(listed.model_dump_json())

    async def _end(self, connection: ServerConnection, request: Request) -> None:
        assert isinstance(request, End)
        self._found(request.session).session.cut(f"{request.by} ended it: {request.sentence}")
        await connection.send(Done().model_dump_json())

    async def _say(self, connection: ServerConnection, request: Request) -> None:
        assert isinstance(request, Say)
        self._terminal(request.session).session.say(request.sentence)
        await connection.send(Done().model_dump_json())

    def _found(self, session: str) -> LiveSession:
        live = self._house.live.find(session)
        if live is None:
            raise NotOpenError("this terminal is not open any more")
        return live

    def _terminal(self, session: str) -> LiveSession:
        live = self._found(session)
        if live.visit.size is None:
            raise NotOpenError("this session has no terminal that could be seen")
        return live


def _visit(login: str, entry: Entry, asked: Size) -> Visit:
    size = TerminalSize(columns=asked.columns, rows=asked.rows)
    return Visit(
        login=login,
        host=entry.host,
        account=entry.account,
        command=login_shell(size),
        environment={**entry.environment, "TERM": _TERMINAL},
        size=size,
        greeting=entry.greeting,
        is_login_shell=True,
        record=entry.record,
    )


def _is_asked(request: List, visit: Visit) -> bool:
    world = visit.host.world
    return (
        not request.person
        or visit.person == request.person
        or (world.exercise, world.team) == (request.exercise, request.team)
    )


def _facts(live: LiveSession) -> SessionFacts:
    visit = live.visit
    return SessionFacts(
        id=visit.id,
        login=visit.login,
        exercise=visit.host.world.exercise,
        team=visit.host.world.team,
        host=visit.host.host,
        account=visit.account,
        since=live.since,
        idle=live.pulse.idle().total_seconds(),
        unanswered=live.pulse.unanswered().total_seconds(),
        attached=live.kept_since is None,
        terminal=visit.size is not None,
    )
