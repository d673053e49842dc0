"""The SQL of attack and defence: rows in, values out. Nothing here commits."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from core.ids import ExerciseId, TeamId
from scoring.attack_defence.tables import (
    CaptureRow,
    FlagIssueRow,
    ServiceDispatchRow,
    ServiceLookRow,
    ServiceRoundRow,
    ServiceTallyRow,
)
from scoring.domain.attack_defence.captures import IssuedFlag
from scoring.domain.attack_defence.game import Place, TakenFlag, Tally
from scoring.domain.verdicts import Verdict
from scoring.inserts import add_all, add_once, insert_into, wrote

OPEN, CLOSED = "open", "closed"
_TALLY = ("rounds", "scored", "earned", "attack", "defence", "captured", "lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A round as it is stored; `closed_at` is `None` while it is open."""

    id: str
    number: int
    deadline: timedelta
    opened_at: datetime
    closed_at: datetime | None
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftFlag:
    """How a flag of an earlier round was left: what came of it, and what the checker printed."""

    round: int
    put: Verdict
    flag_id: str


class AttackDefenceRepository:
    """Rounds, flags, looks, captures and tallies, within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # Rounds

    def open_round(self, exercise: ExerciseId) -> Round | None:
        """Return the round that is open; there is one at most."""
        row = ServiceRoundRow
        found = self._session.scalar(
            select(row).where(row.exercise_id == exercise, row.state == OPEN)
        )
        return _round(found) if found is not None else None

    def with_open_rounds(self) -> frozenset[ExerciseId]:
        """Return the exercises in which a round is open."""
        rows = self._session.scalars(
            select(ServiceRoundRow.exercise_id).where(ServiceRoundRow.state == OPEN)
        )
        return frozenset(map(ExerciseId, rows))

    def closed_rounds(self, exercise: ExerciseId) -> tuple[Round, ...]:
        """Return every round that is closed, in order."""
        row = ServiceRoundRow
        rows = self._session.scalars(
            select(row).where(row.exercise_id == exercise, row.state == CLOSED).order_by(row.number)
        )
        return tuple(map(_round, rows))

    def last_closed(
        self, exercise: ExerciseId, *, before: int | None = None, until: datetime | None = None
    ) -> Round | None:
        """Return the last round that is closed, before a number or until a time, when given."""
        row = ServiceRoundRow
        query = select(row).where(row.exercise_id == exercise, row.state == CLOSED)
        if before is not None:
            query = query.where(row.number < before)
        if until is not None:
            query = query.where(row.closed_at <= until)
        found = self._session.scalar(query.order_by(row.number.desc()).limit(1))
        return _round(found) if found is not None else None

    def open(self, row: ServiceRoundRow, flags: Sequence[FlagIssueRow]) -> None:
        """Add a round, and the flags that are issued with it."""
        self._session.add(row)
        self._session.flush()
        add_all(self._session, flags)

    def close(self, number: Round, *, at: datetime, whole: bool) -> bool:
        """Close a round if it is open still; tell whether it was."""
        row = ServiceRoundRow
        result = self._session.execute(
            update(row)
            .where(row.id == number.id, row.state == OPEN)
            .values(state=CLOSED, closed_at=at, whole=whole)
        )
        assert isinstance(result, CursorResult)
        return result.rowcount == 1

    # What was seen

    def looks(self, exercise: ExerciseId, number: int) -> dict[Place, Verdict]:
        """Return what was seen of each service in a round, as far as it came in time."""
        row = ServiceLookRow
        rows = self._session.execute(
            select(row.team_id, row.service, row.verdict).where(
                row.exercise_id == exercise, row.round == number, row.late.is_(False)
            )
        )
        return {(TeamId(team), service): Verdict(verdict) for team, service, verdict in rows}

    def left_flags(self, exercise: ExerciseId, place: Place, rounds: range) -> tuple[LeftFlag, ...]:
        """Return how flags of some rounds were left in a service, the latest first."""
        row, (team, service) = ServiceLookRow, place
        rows = self._session.execute(
            select(row.round, row.put, row.flag_id)
            .where(row.exercise_id == exercise, row.service == service, row.team_id == team)
            .where(row.round >= rounds.start, row.round < rounds.stop)
            .order_by(row.round.desc())
        )
        return tuple(
            LeftFlag(round=number, put=Verdict(put), flag_id=flag_id)
            for number, put, flag_id in rows
        )

    def add_look(self, row: ServiceLookRow) -> bool:
        """Add what was seen; return whether it was the first of its round."""
        return add_once(self._session, row, "exercise_id", "service", "team_id", "round")

    # What was taken

    def issued(self, exercise: ExerciseId, digests: Iterable[str]) -> Mapping[str, IssuedFlag]:
        """Return digest → flag, of those that were issued in an exercise."""
        row = FlagIssueRow
        rows = self._session.scalars(
            select(row).where(row.digest.in_(set(digests)), row.exercise_id == exercise)
        )
        return {
            found.digest: IssuedFlag(
                id=found.id, team=TeamId(found.team_id), service=found.service, round=found.round
            )
            for found in rows
        }

    def captured(self, team: TeamId, flags: Iterable[IssuedFlag]) -> set[str]:
        """Return the ids of those flags that a team has handed in before."""
        row = CaptureRow
        issues = {flag.id for flag in flags}
        rows = select(row.issue_id).where(row.team_id == team, row.issue_id.in_(issues))
        return set(self._session.scalars(rows))

    def add_captures(self, rows: Sequence[CaptureRow]) -> None:
        """Add captures of a team that has its turn, and handed none of these flags in before."""
        add_all(self._session, rows)

    def taken(self, exercise: ExerciseId, number: int) -> tuple[TakenFlag, ...]:
        """Return the flags that were taken in a round, with those who had them before."""
        capture, issue = CaptureRow, FlagIssueRow
        here = select(capture.issue_id).where(
            capture.exercise_id == exercise, capture.round == number
        )
        rows = self._session.execute(
            select(issue.team_id, issue.service, issue.round, capture.team_id, capture.round)
            .join(issue, issue.id == capture.issue_id)
            .where(capture.issue_id.in_(here), capture.round <= number)
            .order_by(issue.team_id, issue.service, issue.round, capture.team_id)
        )
        flags: defaultdict[tuple[str, str, int], list[tuple[TeamId, bool]]] = defaultdict(list)
        for owner, service, issued, team, counted in rows:
            flags[owner, service, issued].append((TeamId(team), counted == number))
        return tuple(
            TakenFlag(
                owner=TeamId(owner),
                service=service,
                round=issued,
                before=tuple(team for team, now in by if not now),
                now=tuple(team for team, now in by if now),
            )
            for (owner, service, issued), by in flags.items()
        )

    # What follows, kept at hand

    def tallies(self, after: Round | None) -> dict[Place, Tally]:
        """Return what every service has after a round; nothing before the first."""
        row = ServiceTallyRow
        if after is None:
            return {}
        columns = [getattr(row, name) for name in _TALLY]
        rows = self._session.execute(
            select(row.team_id, row.service, row.verdict, *columns).where(row.round_id == after.id)
        )
        return {
            (TeamId(team), service): Tally(
                verdict=Verdict(verdict) if verdict is not None else None,
                **dict(zip(_TALLY, map(int, numbers), strict=True)),
            )
            for team, service, verdict, *numbers in rows
        }

    def keep_tallies(self, after: Round, tallies: Mapping[Place, Tally]) -> None:
        """Keep what every service has after a round."""
        add_all(
            self._session,
            [
                ServiceTallyRow(
                    round_id=after.id,
                    team_id=team,
                    service=service,
                    verdict=tally.verdict,
                    **{name: getattr(tally, name) for name in _TALLY},
                )
                for (team, service), tally in tallies.items()
            ],
        )

    def drop_tallies(self, exercise: ExerciseId) -> None:
        """Forget what every service has after every round: it follows from the facts."""
        rounds = select(ServiceRoundRow.id).where(ServiceRoundRow.exercise_id == exercise)
        row = ServiceTallyRow
        self._session.execute(delete(row).where(row.round_id.in_(rounds)))

    # Who was sent

    def dispatched(self, teams: Sequence[TeamId]) -> Mapping[Place, tuple[int, datetime]]:
        """Return the last round for which somebody was sent, and until when nobody else is."""
        row = ServiceDispatchRow
        rows = self._session.scalars(select(row).where(row.team_id.in_(teams)))
        return {(TeamId(r.team_id), r.service): (r.round, r.until) for r in rows}

    def dispatch(self, place: Place, number: int, *, now: datetime, until: datetime) -> bool:
        """Take on to send somebody; return whether nobody was sent who may still be at it."""
        row, (team, service) = ServiceDispatchRow, place
        values = {"team_id": team, "service": service, "round": number, "until": until}
        statement = insert_into(self._session, row).values(values)
        return wrote(
            self._session,
            statement.on_conflict_do_update(
                index_elements=["team_id", "service"],
                set_={"round": number, "until": until},
                where=(row.round < number) | (row.until <= now),
            ),
        )


def _round(row: ServiceRoundRow) -> Round:
    return Round(
        id=row.id,
        number=row.number,
        deadline=timedelta(milliseconds=row.deadline_ms),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        whole=row.whole,
    )
