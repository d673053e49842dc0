"""The timeline of an exercise, read from where each thing is kept."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database
from core.users.rows import login_names
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.injects.service import Injects
from orchestrator.journal import Journal, JournalEntry
from orchestrator.session_views import FileView, PastSession, SessionDetails
from orchestrator.sessions import Sessions
from orchestrator.terminal.book import Direction, Kind
from scoring.domain.ledger import Cause, Fact
from scoring.facts import all_facts
from scoring.ledger import Booked, booked_entries
from scoring.records.timeline import (
    Happening,
    Moment,
    Proof,
    Recorded,
    Scene,
    merged,
    with_scenes,
)
from scoring.report_repository import submissions
from scoring.repository import ScoreRepository
from scoring.tables import SolveRow

_A_PAGE = 500
# Acts of the event log that are told better from where they are kept themselves.
_TOLD_ELSEWHERE = frozenset({"message.sent", "reply.received", "hint.taken"})
_KINDS = {"inject": Happening.INJECT, "injects": Happening.INJECT}
_KINDS |= {"expectation": Happening.RESPONSE}
_WAYS = {Direction.TO_HOST: "to the host", Direction.FROM_HOST: "from the host"}


class Chronicle:
    """Timelines; what happened until now, in one reading of each source."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        journal: Journal,
        injects: Injects,
        sessions: Sessions,
    ) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal
        self._injects = injects
        self._sessions = sessions

    def timeline(self, exercise: Exercise) -> tuple[Moment, ...]:
        """Return all that happened, oldest first, each with the recordings that show it."""
        details = self.details(exercise)
        with self._database.snapshot() as session:
            scored = [
                _in_order(source)
                for team in exercise.teams
                for source in _of_team(session, exercise, team)
            ]
        moments = merged(
            _in_order(self._acts(exercise)),
            _in_order(self._messages(exercise)),
            *(_in_order(_of_session(found)) for found in details),
            *scored,
        )
        return with_scenes(moments, self._recorded(details))

    def details(self, exercise: Exercise) -> tuple[SessionDetails, ...]:
        """Return every session of an exercise with what was done in it, newest first."""
        found: list[SessionDetails] = []
        while page := self._sessions.find(
            exercise, before=found[-1].session.id if found else "", limit=_A_PAGE
        ):
            found += self._sessions.details(exercise, page)
        return tuple(found)

    def _acts(self, exercise: Exercise) -> Iterator[Moment]:
        last = 0
        while page := self._journal.of(exercise.id, after=last, limit=_A_PAGE):
            last = page[-1].id
            yield from (_act(entry) for entry in page if entry.act not in _TOLD_ELSEWHERE)

    def _messages(self, exercise: Exercise) -> Iterator[Moment]:
        for message in self._injects.messages(exercise):
            yield Moment(
                at=message.at,
                elapsed=message.elapsed,
                kind=Happening.MESSAGE,
                team=message.team,
                subject=message.inject,
                text=f"{message.sender}: {message.text}",
            )
            for reply in message.replies:
                yield Moment(
                    at=reply.at,
                    elapsed=reply.elapsed,
                    kind=Happening.REPLY,
                    team=message.team,
                    who=reply.name,
                    subject=message.inject,
                    text=reply.text,
                )

    def _recorded(self, details: tuple[SessionDetails, ...]) -> list[Recorded]:
        return [
            Recorded(
                session=session.id,
                team=session.team,
                user=session.user,
                host=session.host,
                began=session.began,
                ended=session.ended or self._clock.now(),
            )
            for session in (found.session for found in details)
            if is_shown(session)
        ]


def is_shown(session: PastSession) -> bool:
    """Tell whether there is a recording of a session to be looked at."""
    return session.recording is not None and session.deleted is None


def _in_order(moments: Iterator[Moment]) -> list[Moment]:
    return sorted(moments, key=lambda moment: moment.at)


def _act(entry: JournalEntry) -> Moment:
    family, _, what = entry.act.partition(".")
    reset = Happening.RESET if what.startswith("reset") else Happening.ACT
    words = (entry.act, entry.text, f"because: {entry.reason}" if entry.reason else "")
    return Moment(
        at=entry.at,
        elapsed=entry.elapsed,
        kind=_KINDS.get(family, reset),
        team=entry.team,
        who=entry.actor,
        subject=entry.subject,
        text=" · ".join(word for word in words if word),
    )


def _of_session(found: SessionDetails) -> Iterator[Moment]:
    session = found.session

    def scene(at: datetime) -> tuple[Scene, ...]:
        if not is_shown(session):
            return ()
        seconds = (at - session.began).total_seconds()
        return (Scene(session=session.id, host=session.host, seconds=seconds),)

    who = session.user or session.login
    if session.kind is Kind.TERMINAL:
        yield Moment(
            at=session.began,
            elapsed=session.elapsed,
            kind=Happening.SESSION,
            team=session.team,
            who=who,
            subject=session.host,
            text=f"a terminal as {session.account}",
            scenes=scene(session.began),
        )
    for command in found.commands:
        yield Moment(
            at=command.at,
            elapsed=command.elapsed,
            kind=Happening.COMMAND,
            team=session.team,
            who=who,
            subject=session.host,
            text=command.line,
            scenes=scene(command.at),
        )
    for file in found.files:
        yield Moment(
            at=file.at,
            elapsed=file.elapsed,
            kind=Happening.FILE,
            team=session.team,
            who=who,
            subject=session.host,
            text=_told_of(file),
        )


def _told_of(file: FileView) -> str:
    """Return what is told of a file that moved: its path last, as only that may be too long."""
    if not file.sha256:
        passed = "not in order: no digest"
    elif not file.whole:
        passed = f"cut, SHA-256 of these {file.sha256}"
    else:
        passed = f"SHA-256 {file.sha256}"
    return f"{_WAYS[file.direction]}, {file.size} bytes, {passed}: {file.path}"


def _of_team(session: Session, exercise: Exercise, team: Team) -> Iterator[Iterator[Moment]]:
    facts = tuple(enumerate(all_facts(session, team.id), start=1))
    places = {(fact.cause, fact.id): position for position, fact in facts}
    entries = booked_entries(session, team.id)
    solves = ScoreRepository(session).solves([team.id]).values()
    people = login_names(session, {str(fact.user) for _, fact in facts if fact.user})
    sent = {row.id: row.value for row in submissions(session, [team.id])}
    yield (_fact(exercise, team, found, people, sent) for found in _worth_telling(facts))
    yield (_solve(exercise, team, row, people) for row in solves)
    yield (
        _points(exercise, team, booked, places, people)
        for booked in entries
        if booked.entry.milli_points
    )


def _worth_telling(facts: tuple[tuple[int, Fact], ...]) -> Iterator[tuple[int, Fact]]:
    """Give answers, hints, and looks of checks that saw something else than the last time."""
    seen: dict[str, str] = {}
    for position, fact in facts:
        if fact.cause in {Cause.SUBMISSION, Cause.HINT}:
            yield position, fact
        elif fact.cause is Cause.CHECK_RUN and seen.get(fact.subject) != fact.outcome:
            seen[fact.subject] = fact.outcome
            yield position, fact


def _fact(
    exercise: Exercise,
    team: Team,
    found: tuple[int, Fact],
    people: Mapping[str, str],
    sent: Mapping[str, str],
) -> Moment:
    position, fact = found
    kind, text = {
        Cause.SUBMISSION: (Happening.ANSWER, f"{fact.outcome}: {sent.get(fact.id, '')}"),
        Cause.HINT: (Happening.HINT, f"hint {fact.number}"),
        Cause.CHECK_RUN: (Happening.CHECK, fact.outcome),
    }[fact.cause]
    return Moment(
        at=fact.at,
        elapsed=exercise.elapsed(fact.at, team.id),
        kind=kind,
        team=team.slug,
        who=people.get(fact.user or "", ""),
        subject=fact.subject,
        text=text,
        proof=Proof(cause=fact.cause, id=fact.id, position=position),
    )


def _solve(exercise: Exercise, team: Team, row: SolveRow, people: Mapping[str, str]) -> Moment:
    return Moment(
        at=row.solved_at,
        elapsed=exercise.elapsed(row.solved_at, team.id),
        kind=Happening.SOLVE,
        team=team.slug,
        who=people.get(row.user_id or "", ""),
        subject=row.task,
        text="done",
    )


def _points(
    exercise: Exercise,
    team: Team,
    booked: Booked,
    places: Mapping[tuple[Cause, str], int],
    people: Mapping[str, str],
) -> Moment:
    entry, fact = booked.entry, booked.entry.fact
    taken_back = f"takes back {entry.reverses}" if entry.reverses else ""
    words = (str(entry.kind), taken_back, entry.reason)
    return Moment(
        at=entry.effective_at,
        elapsed=exercise.elapsed(entry.effective_at, team.id),
        kind=Happening.POINTS,
        team=team.slug,
        who=people.get(fact.user or "", ""),
        subject=entry.task,
        text=" · ".join(word for word in words if word),
        milli_points=entry.milli_points,
        entry=booked.id,
        proof=Proof(cause=fact.cause, id=fact.id, position=places.get((fact.cause, fact.id))),
    )
