"""The SQL of sessions in hosts. Nothing here commits."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Select, and_, delete, or_, select, true, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.ids import ExerciseId
from core.users.tables import UserRow
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.session_views import (
    CommandView,
    FileView,
    ForwardView,
    PastSession,
    Recording,
    SessionDetails,
)
from orchestrator.tables import (
    AccessSessionRow,
    SessionCommandRow,
    SessionFileRow,
    SessionForwardRow,
    TeamRow,
)
from orchestrator.terminal.book import (
    Began,
    CastKept,
    CommandRun,
    Direction,
    Ended,
    FileMoved,
    ForwardClosed,
    Kind,
    NotServed,
    OfSession,
    RecordingStopped,
)
from orchestrator.terminal.printable import printable

_MILLISECOND = timedelta(milliseconds=1)
_MOST_TEXT = 4000
# What a gateway that was killed left open: no session lasts that long.
_SURELY_OVER = timedelta(days=1)

Elapsed = Callable[[datetime], timedelta]
_Row = TypeVar("_Row", SessionCommandRow, SessionFileRow, SessionForwardRow)


class SessionRepository:
    """Sessions and what was done in them, within one database session.

    Writing the same note twice is writing it once.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    # Writing

    def knows(self, session: str) -> bool:
        """Tell whether a session's beginning was written."""
        return self._session.get(AccessSessionRow, session) is not None

    def began(self, note: Began, *, exercise: Exercise, team: Team) -> None:
        """Write down that a session began; its user is whoever has the login's name now."""
        if self.knows(note.session):
            return
        name = note.login.partition(".")[0]
        self._session.add(
            AccessSessionRow(
                id=note.session,
                exercise_id=exercise.id,
                team_id=team.id,
                user_id=self._session.scalar(select(UserRow.id).where(UserRow.name == name)),
                login=note.login[:200],
                host=note.host.host,
                account=note.account[:64],
                kind=note.kind,
                began_at=note.at,
                exercise_ms=exercise.elapsed(note.at, team.id) // _MILLISECOND,
                unrecorded=printable(note.unrecorded, most=200),
            )
        )
        self._session.flush()

    def add(self, note: OfSession) -> None:
        """Write down something of a session whose beginning was written."""
        match note:
            case Ended():
                how = printable(note.how, most=500)
                facts = {"ended_at": note.at, "exit_code": note.code, "shown_bytes": note.shown}
                self._change(note.session, **facts, how=how)
            case CastKept():
                facts = {"cast_file": note.file, "cast_bytes": note.size}
                self._change(note.session, **facts, cast_sha256=note.sha256)
            case RecordingStopped():
                self._change(note.session, unrecorded=printable(note.why, most=200))
            case NotServed():
                pass  # its end says so; instructors are told
            case CommandRun() | FileMoved() | ForwardClosed():
                self._session.merge(_row(note))

    def delete_kept(self, sessions: Sequence[str], *, at: datetime) -> None:
        """Delete what was typed in these sessions, and note that nothing of them is kept."""
        commands, row = SessionCommandRow, AccessSessionRow
        self._session.execute(delete(commands).where(commands.session_id.in_(sessions)))
        self._session.execute(update(row).where(row.id.in_(sessions)).values(deleted_at=at))

    def _change(self, session: str, **values: object) -> None:
        row = AccessSessionRow
        self._session.execute(update(row).where(row.id == session).values(**values))

    # Reading

    def find(
        self,
        exercise: ExerciseId,
        *,
        team: str = "",
        user: str = "",
        host: str = "",
        before: PastSession | None = None,
        limit: int,
    ) -> tuple[PastSession, ...]:
        """Return sessions of an exercise, newest first; older than `before`, when given."""
        row = AccessSessionRow
        wanted = [
            row.exercise_id == exercise,
            TeamRow.slug == team if team else true(),
            UserRow.name == user if user else true(),
            row.host == host if host else true(),
        ]
        if before is not None:
            same = and_(row.began_at == before.began, row.id > before.id)
            wanted.append(or_(row.began_at < before.began, same))
        order = (row.began_at.desc(), row.id)
        rows = self._session.execute(_named().where(*wanted).order_by(*order).limit(limit)).all()
        return tuple(_view(r, team=slug, user=name) for r, slug, name in rows)

    def get(self, session: str) -> PastSession | None:
        """Return a session."""
        found = self._session.execute(_named().where(AccessSessionRow.id == session)).one_or_none()
        return _view(found[0], team=found[1], user=found[2]) if found is not None else None

    def without_digest(self) -> tuple[PastSession, ...]:
        """Return the sessions that are or were recorded and whose recording is not complete."""
        row = AccessSessionRow
        wanted = (row.unrecorded == "", row.cast_sha256.is_(None), row.deleted_at.is_(None))
        rows = self._session.execute(_named().where(*wanted)).all()
        return tuple(_view(r, team=slug, user=name) for r, slug, name in rows)

    def details(
        self, sessions: Sequence[PastSession], elapsed: Mapping[str, Elapsed]
    ) -> tuple[SessionDetails, ...]:
        """Return sessions with what was done in them; `elapsed` tells the clock of each team."""
        ran = self._by_session(sessions, SessionCommandRow, SessionCommandRow.at)
        moved = self._by_session(sessions, SessionFileRow, SessionFileRow.at)
        carried = self._by_session(sessions, SessionForwardRow, SessionForwardRow.began_at)
        return tuple(
            SessionDetails(
                session=session,
                commands=tuple(_command(r, elapsed[session.team]) for r in ran[session.id]),
                files=tuple(_file(r, elapsed[session.team]) for r in moved[session.id]),
                forwards=tuple(_forward(r, elapsed[session.team]) for r in carried[session.id]),
            )
            for session in sessions
        )

    def _by_session(
        self,
        sessions: Sequence[PastSession],
        row: type[_Row],
        when: InstrumentedAttribute[datetime],
    ) -> Mapping[str, Sequence[_Row]]:
        ids = [session.id for session in sessions]
        found = select(row).where(row.session_id.in_(ids)).order_by(when, row.id)
        by_session: defaultdict[str, list[_Row]] = defaultdict(list)
        for each in self._session.scalars(found):
            by_session[each.session_id].append(each)
        return by_session

    def exercises_with_something_kept(self) -> tuple[ExerciseId, ...]:
        """Return the exercises of which recordings and commands may not all be deleted."""
        row = AccessSessionRow
        kept = select(row.exercise_id).where(row.deleted_at.is_(None)).distinct()
        return tuple(ExerciseId(exercise) for exercise in self._session.scalars(kept))

    def over_before(
        self, exercise: ExerciseId, instant: datetime, *, limit: int = 500
    ) -> tuple[str, ...]:
        """Return sessions that ended before an instant and of which things may be kept."""
        row = AccessSessionRow
        over = or_(
            row.ended_at < instant,
            and_(row.ended_at.is_(None), row.began_at < instant - _SURELY_OVER),
        )
        mine = select(row.id).where(row.exercise_id == exercise, row.deleted_at.is_(None), over)
        return tuple(self._session.scalars(mine.limit(limit)))


def _named() -> Select[AccessSessionRow, str, str]:
    return (
        select(AccessSessionRow, TeamRow.slug, UserRow.name)
        .join(TeamRow, TeamRow.id == AccessSessionRow.team_id)
        .outerjoin(UserRow, UserRow.id == AccessSessionRow.user_id)
    )


def _row(
    note: CommandRun | FileMoved | ForwardClosed,
) -> SessionCommandRow | SessionFileRow | SessionForwardRow:
    match note:
        case CommandRun():
            line = printable(note.line, most=_MOST_TEXT)
            return SessionCommandRow(id=note.id, session_id=note.session, at=note.at, line=line)
        case FileMoved():
            return SessionFileRow(
                id=note.id,
                session_id=note.session,
                at=note.at,
                direction=note.direction,
                path=printable(note.path, most=_MOST_TEXT),
                size_bytes=note.size,
                sha256=note.sha256,
                whole=note.whole,
            )
        case ForwardClosed():
            return SessionForwardRow(
                id=note.id,
                session_id=note.session,
                began_at=note.began,
                ended_at=note.at,
                target=printable(note.target, most=255),
                port=note.port,
                bytes_to_target=note.to_target,
                bytes_from_target=note.from_target,
            )


def _view(row: AccessSessionRow, *, team: str, user: str | None) -> PastSession:
    recording = None
    if row.cast_file is not None and row.cast_sha256 is not None:
        size = row.cast_bytes or 0
        recording = Recording(file=row.cast_file, size=size, sha256=row.cast_sha256)
    return PastSession(
        id=row.id,
        exercise=ExerciseId(row.exercise_id),
        team=team,
        user=user or "",
        login=row.login,
        host=row.host,
        account=row.account,
        kind=Kind(row.kind),
        began=row.began_at,
        elapsed=row.exercise_ms * _MILLISECOND,
        ended=row.ended_at,
        code=row.exit_code,
        how=row.how,
        shown=row.shown_bytes,
        unrecorded=row.unrecorded,
        recording=recording,
        deleted=row.deleted_at,
    )


def _command(row: SessionCommandRow, elapsed: Elapsed) -> CommandView:
    return CommandView(at=row.at, elapsed=elapsed(row.at), line=row.line)


def _file(row: SessionFileRow, elapsed: Elapsed) -> FileView:
    return FileView(
        at=row.at,
        elapsed=elapsed(row.at),
        direction=Direction(row.direction),
        path=row.path,
        size=row.size_bytes,
        sha256=row.sha256,
        whole=row.whole,
    )


def _forward(row: SessionForwardRow, elapsed: Elapsed) -> ForwardView:
    return ForwardView(
        began=row.began_at,
        elapsed=elapsed(row.began_at),
        ended=row.ended_at,
        target=row.target,
        port=row.port,
        to_target=row.bytes_to_target,
        from_target=row.bytes_from_target,
    )
