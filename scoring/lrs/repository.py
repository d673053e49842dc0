"""The SQL of the outbox. Nothing here commits."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, Subquery, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from core.ids import ExerciseId
from orchestrator.domain.phases import OVER
from orchestrator.tables import ExerciseRow, TeamRow
from scoring.inserts import insert_into, wrote
from scoring.lrs.state import State
from scoring.lrs.tables import LrsRow, StatementRow, ToldRow
from scoring.tables import FactRow


class OutboxRepository:
    """Statements, and how their LRS answers, within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # What is to be told

    def untold(self) -> Sequence[ExerciseId]:
        """Return the exercises that are over and have facts of which nothing was told yet."""
        facts = _facts(TeamRow.exercise_id.in_(_over()))
        rows = self._session.scalars(
            select(ExerciseRow.id)
            .join(facts, facts.c.exercise_id == ExerciseRow.id)
            .outerjoin(ToldRow, ToldRow.exercise_id == ExerciseRow.id)
            .where(or_(ToldRow.facts.is_(None), ToldRow.facts != facts.c.facts))
            .order_by(ExerciseRow.created_at, ExerciseRow.id)
        )
        return [ExerciseId(exercise) for exercise in rows]

    def facts(self, exercise: ExerciseId) -> int:
        """Return how many facts the teams of an exercise have; its record follows from them."""
        facts = _facts(TeamRow.exercise_id == exercise)
        return int(self._session.scalar(select(facts.c.facts)) or 0)

    def told(self, exercise: ExerciseId) -> int | None:
        """Return after how many facts an exercise was last told of, or that it never was."""
        return self._session.scalar(select(ToldRow.facts).where(ToldRow.exercise_id == exercise))

    def claim(self, exercise: ExerciseId, *, seen: int | None, facts: int) -> bool:
        """Note after how many facts it is told, unless somebody else did since it was `seen`.

        Whoever else would waits until this transaction has ended.
        """
        insert = insert_into(self._session, ToldRow).values(exercise_id=exercise, facts=facts)
        if seen is None:
            once = insert.on_conflict_do_nothing(index_elements=["exercise_id"])
        else:
            once = insert.on_conflict_do_update(
                index_elements=["exercise_id"], set_={"facts": facts}, where=ToldRow.facts == seen
            )
        return wrote(self._session, once)

    def true_ones(self, exercise: ExerciseId) -> Mapping[str, StatementRow]:
        """Return subject → what was last told of it, of those of which something is true."""
        mine = (StatementRow.exercise_id == exercise, StatementRow.is_true)
        ordered = select(StatementRow).where(*mine).order_by(StatementRow.number)
        rows = self._session.scalars(ordered)
        return {row.subject: row for row in rows}

    def revisions(self, exercise: ExerciseId) -> Mapping[str, int]:
        """Return subject → how often something was told of it."""
        row = StatementRow
        rows = self._session.execute(
            select(row.subject, func.max(row.revision))
            .where(row.exercise_id == exercise)
            .group_by(row.subject)
        )
        return {subject: int(revision) for subject, revision in rows}

    def take_back(self, row: StatementRow) -> bool:
        """Note that a statement is no longer true; tell whether the LRS may have it.

        One that was refused is not tried again.
        """
        refused = self._session.scalar(
            update(StatementRow)
            .where(StatementRow.id == row.id, StatementRow.state == State.REFUSED)
            .values(is_true=False, state=State.NEEDLESS)
            .returning(StatementRow.id)
        )
        if refused is None:
            self._session.execute(
                update(StatementRow).where(StatementRow.id == row.id).values(is_true=False)
            )
        return refused is None

    def add(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Add statements in their order."""
        if rows:
            self._session.execute(insert_into(self._session, StatementRow), rows)

    # What goes out

    def next(self, most: int) -> Sequence[StatementRow]:
        """Return the oldest that wait, without those that take back what is still waiting."""
        row, target = StatementRow, aliased(StatementRow)
        waits = select(target.id).where(target.id == row.voids, target.state == State.WAITING)
        rows = self._session.scalars(
            select(row)
            .where(row.state == State.WAITING, ~waits.exists())
            .order_by(row.number)
            .limit(most)
        )
        return rows.all()

    def in_vain(self) -> Sequence[tuple[str, str]]:
        """Return what waits to take back a statement that the LRS does not have, and that one."""
        row, target = StatementRow, aliased(StatementRow)
        gone = target.state.in_([State.REFUSED, State.NEEDLESS])
        rows = self._session.execute(
            select(row.id, target.id)
            .join(target, target.id == row.voids)
            .where(row.state == State.WAITING, gone)
        )
        return [(id_, voided) for id_, voided in rows]

    def settle(self, ids: Iterable[str], state: State, *, at: datetime, problem: str) -> None:
        """Note what became of statements, and why one is not wanted."""
        delivered_at = at if state is State.DELIVERED else None
        self._session.execute(
            update(StatementRow)
            .where(StatementRow.id.in_(list(ids)))
            .values(state=state, delivered_at=delivered_at, problem=problem)
        )

    def give_up(self, id_: str, target: str) -> None:
        """Note that a statement is needless, and so is the one that it would take back."""
        row = StatementRow
        both = row.id.in_([id_, target])
        self._session.execute(update(row).where(both).values(state=State.NEEDLESS))

    def try_again(self) -> int:
        """Let those that were refused wait again; return how many."""
        row = StatementRow
        again = update(row).where(row.state == State.REFUSED).values(state=State.WAITING)
        return len(self._session.scalars(again.returning(row.id)).all())

    def counts(self) -> Mapping[State, int]:
        """Return state → how many statements are in it."""
        row = StatementRow
        rows = self._session.execute(select(row.state, func.count()).group_by(row.state))
        found = {State(state): count for state, count in rows}
        return {state: found.get(state, 0) for state in State}

    def last_refused(self) -> StatementRow | None:
        """Return the newest statement that was refused."""
        refused = select(StatementRow).where(StatementRow.state == State.REFUSED)
        return self._session.scalar(refused.order_by(StatementRow.number.desc()).limit(1))

    # The LRS

    def lrs(self, address: str) -> LrsRow | None:
        """Return what is known of an LRS, once somebody delivered to it."""
        return self._session.get(LrsRow, address)

    def hold(self, address: str, by: str, *, until: datetime, now: datetime) -> bool:
        """Hold an LRS for so long, if nobody else does; tell whether it is held."""
        row = LrsRow
        insert = insert_into(self._session, row).values(
            address=address, held_by=by, held_until=until, failures=0, due=now, problem=""
        )
        free = or_(row.held_until <= now, row.held_by == by)
        return wrote(
            self._session,
            insert.on_conflict_do_update(
                index_elements=["address"], set_={"held_by": by, "held_until": until}, where=free
            ),
        )

    def let_go(
        self, address: str, by: str, *, failures: int, due: datetime, problem: str, now: datetime
    ) -> None:
        """Keep how an LRS answered, and hold it no longer, unless somebody else does by now."""
        row = LrsRow
        self._session.execute(
            update(row)
            .where(row.address == address, row.held_by == by)
            .values(held_until=now, failures=failures, due=due, problem=problem)
        )


def _over() -> Select[str]:
    return select(ExerciseRow.id).where(ExerciseRow.phase.in_(OVER))


def _facts(mine: ColumnElement[bool]) -> Subquery:
    """Return how many facts there are of each exercise: positions count from 1 in a team."""
    last = select(func.coalesce(func.max(FactRow.position), 0)).where(FactRow.team_id == TeamRow.id)
    return (
        select(TeamRow.exercise_id, func.sum(last.scalar_subquery()).label("facts"))
        .where(mine)
        .group_by(TeamRow.exercise_id)
        .subquery()
    )
