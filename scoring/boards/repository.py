"""The SQL of boards: standings of a whole exercise, earliest solves, and boards that are kept."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, select, text, true
from sqlalchemy.orm import Session, aliased

from core.ids import ExerciseId, TeamId
from orchestrator.domain.phases import Phase
from orchestrator.tables import ClockEventRow, ExerciseRow
from scoring.boards.tables import BoardSnapshotRow, FrozenStandingRow, PublicBoardRow
from scoring.corrections.tables import CorrectionRow
from scoring.corrections.views import CorrectionState
from scoring.domain.boards import Audience
from scoring.domain.first_solves import When
from scoring.domain.ledger import EntryKind
from scoring.domain.standings import Total
from scoring.inserts import insert_into
from scoring.tables import (
    ScoreEntryRow,
    StandingRow,
)

# Of the table and not of the class: a thousand rows are read in half the time.
_STANDINGS = StandingRow.metadata.tables[StandingRow.__tablename__].c
# Without a parameter: a partial index is used where a statement says what the index says.
_IS_SOLVE = text(f"score_entries.kind = '{EntryKind.SOLVE}'")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a board follows from, in few words: as long as it is the same, so is the board.

    `entries` is how many the ledger has, `ticks` how often clocks were touched, `corrections` how
    many were approved: some move no entry, but ranks.
    """

    phase: Phase
    ticks: int
    entries: int
    corrections: int
    anonymous: bool

    def version(self, *, frozen: int) -> str:
        """Return it as text, with how many teams are frozen."""
        moved = f"{self.ticks} {self.entries} {self.corrections}"
        return f"{self.phase} {moved} {frozen} {self.anonymous:d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A movement of a team's points, in thousandths."""

    team: TeamId
    at: datetime
    milli_points: int


class BoardRepository:
    """What boards are made of, within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def state(self, exercise: ExerciseId) -> State:
        """Return what the boards of an exercise follow from."""
        ticks = select(func.count()).where(ClockEventRow.exercise_id == exercise)
        entries = select(func.coalesce(func.sum(StandingRow.version), 0)).where(
            StandingRow.exercise_id == exercise
        )
        corrections = select(func.count()).where(
            CorrectionRow.exercise_id == exercise, CorrectionRow.state == CorrectionState.APPROVED
        )
        anonymous = select(PublicBoardRow.anonymous).where(PublicBoardRow.exercise_id == exercise)
        phase, *counts, hides = self._session.execute(
            select(
                ExerciseRow.phase,
                ticks.scalar_subquery(),
                entries.scalar_subquery(),
                corrections.scalar_subquery(),
                anonymous.scalar_subquery(),
            ).where(ExerciseRow.id == exercise)
        ).one()
        return State(
            phase=Phase(phase),
            ticks=int(counts[0]),
            entries=int(counts[1]),
            corrections=int(counts[2]),
            anonymous=bool(hides),
        )

    def heads(self, exercise: ExerciseId) -> Mapping[TeamId, int]:
        """Return team → the id of its last entry; none without an entry."""
        of = _STANDINGS
        rows = self._session.execute(
            select(of.team_id, of.upto_entry).where(of.exercise_id == exercise)
        )
        return {TeamId(team): upto for team, upto in rows}

    def totals(
        self, exercise: ExerciseId, teams: Collection[TeamId] | None = None
    ) -> Mapping[TeamId, tuple[Total, int]]:
        """Return team → what it has and the id of its last entry; none without an entry.

        Without `teams`, of all.
        """
        of = _STANDINGS
        rows = self._session.execute(
            select(of.team_id, of.tasks, of.moved_at, of.version, of.upto_entry).where(
                of.exercise_id == exercise, true() if teams is None else of.team_id.in_(teams)
            )
        )
        return {
            TeamId(team): (Total(tasks=tasks, moved_at=moved_at, entries=entries), upto)
            for team, tasks, moved_at, entries, upto in rows
        }

    def earliest_solves(
        self,
        exercise: ExerciseId,
        tasks: Iterable[str],
        *,
        without: Collection[TeamId],
        frozen: bool,
    ) -> Mapping[tuple[TeamId, str], When]:
        """Return (team, task) → when it was solved, of those who solved a task the earliest.

        A solve that was taken back is none. With `frozen`, of teams that are it is as of then.
        """
        query = _earliest_solves(frozen=frozen)
        connection = self._session.connection()
        found: dict[tuple[TeamId, str], When] = {}
        for task in tasks:
            wanted = {"exercise": exercise, "task": task, "without": list(without)}
            for team, at, id_ in connection.execute(query, wanted):
                found[TeamId(team), task] = (at, id_)
        return found

    def moves(self, upto: Mapping[TeamId, int]) -> Sequence[Move]:
        """Return what moved the points of teams, each up to an entry, in no order."""
        entry = ScoreEntryRow
        rows = self._session.execute(
            select(entry.team_id, entry.id, entry.effective_at, entry.milli_points).where(
                entry.team_id.in_(upto), entry.milli_points != 0
            )
        )
        return [
            Move(team=TeamId(team), at=at, milli_points=milli)
            for team, id_, at, milli in rows
            if id_ <= upto[TeamId(team)]
        ]

    # The link to a public board

    def public_board(self, exercise: ExerciseId) -> PublicBoardRow | None:
        """Return the link of an exercise, if its board is public."""
        return self._session.get(PublicBoardRow, exercise)

    def exercise_of(self, token: str) -> ExerciseId | None:
        """Return whose board a link shows."""
        row = PublicBoardRow
        found = self._session.scalar(select(row.exercise_id).where(row.token == token))
        return ExerciseId(found) if found is not None else None

    def open_public_board(
        self, exercise: ExerciseId, *, token: str, anonymous: bool, at: datetime
    ) -> None:
        """Make a board public, or change how: one that is keeps its link."""
        statement = insert_into(self._session, PublicBoardRow).values(
            exercise_id=exercise, token=token, anonymous=anonymous, opened_at=at
        )
        change = {"anonymous": anonymous}
        self._session.execute(
            statement.on_conflict_do_update(index_elements=["exercise_id"], set_=change)
        )

    def close_public_board(self, exercise: ExerciseId) -> None:
        """Withdraw the link."""
        row = PublicBoardRow
        self._session.execute(delete(row).where(row.exercise_id == exercise))

    # What stays as it was

    def frozen_totals(self, exercise: ExerciseId) -> Mapping[TeamId, tuple[Total, int]]:
        """Return team → what it had at its freeze, and the id of its last entry then."""
        row = FrozenStandingRow
        return {
            TeamId(found.team_id): (
                Total(tasks=dict(found.tasks), moved_at=found.moved_at, entries=found.version),
                found.upto_entry,
            )
            for found in self._session.scalars(select(row).where(row.exercise_id == exercise))
        }

    def freeze(
        self, exercise: ExerciseId, team: TeamId, total: Total, *, upto_entry: int, at: datetime
    ) -> None:
        """Keep what a team has at its freeze, unless that is kept already."""
        statement = insert_into(self._session, FrozenStandingRow).values(
            team_id=team,
            exercise_id=exercise,
            tasks=dict(total.tasks),
            moved_at=total.moved_at,
            version=total.entries,
            upto_entry=upto_entry,
            frozen_at=at,
        )
        self._session.execute(statement.on_conflict_do_nothing(index_elements=["team_id"]))

    def kept(
        self, exercise: ExerciseId, audience: Audience, *, frozen: bool
    ) -> BoardSnapshotRow | None:
        """Return the board of the freeze, or the last one that is kept."""
        return self._session.get(BoardSnapshotRow, (exercise, audience, frozen))

    def keep(self, row: BoardSnapshotRow) -> None:
        """Keep a board: the first of a freeze that calls teams so, and otherwise the last one."""
        values = {column.key: getattr(row, column.key) for column in row.__table__.columns}
        statement = insert_into(self._session, BoardSnapshotRow).values(values)
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=["exercise_id", "audience", "frozen"],
                set_=values,
                where=BoardSnapshotRow.version != row.version if row.frozen else None,
            )
        )

    def drop(self, exercise: ExerciseId) -> None:
        """Keep no board of an exercise but those of the freeze."""
        row = BoardSnapshotRow
        self._session.execute(delete(row).where(row.exercise_id == exercise, row.frozen.is_(False)))


@cache
def _earliest_solves(*, frozen: bool) -> Select[str, datetime, int]:
    """Return what finds who solved `task` first; composed once, it is asked for every task."""
    entry, later, ever = ScoreEntryRow, aliased(ScoreEntryRow), aliased(ScoreEntryRow)
    is_shown = _by_the_freeze(entry) if frozen else true()
    counts = _by_the_freeze(later) if frozen else true()
    taken_back = select(later.id).where(later.reverses_id == entry.id, counts).exists()
    stands = (
        entry.exercise_id == bindparam("exercise"),
        entry.task == bindparam("task"),
        _IS_SOLVE,
        # SQLite takes the index of a mere `IS NULL` for the best one, and reads all entries.
        func.coalesce(entry.reverses_id, 0) == 0,
        entry.team_id.not_in(bindparam("without", expanding=True)),
        is_shown,
        ~taken_back,
    )
    earliest = select(entry.effective_at).where(*stands).order_by(entry.effective_at).limit(1)
    booked = select(func.min(ever.id)).where(
        ever.team_id == entry.team_id, ever.task == entry.task, ever.kind == EntryKind.SOLVE
    )
    return select(entry.team_id, entry.effective_at, booked.scalar_subquery()).where(
        *stands, entry.effective_at == earliest.correlate(None).scalar_subquery()
    )


def _by_the_freeze(entry: type[ScoreEntryRow]) -> ColumnElement[bool]:
    """Tell of an entry whether a frozen team had it; teams that are not frozen have all."""
    kept = FrozenStandingRow
    upto = select(kept.upto_entry).where(kept.team_id == entry.team_id).correlate(entry)
    return entry.id <= func.coalesce(upto.scalar_subquery(), entry.id)
