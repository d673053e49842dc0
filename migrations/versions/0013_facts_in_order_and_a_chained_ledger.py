"""Facts in the order of their team, a chain over its entries, seals, and standings kept at hand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from alembic import op

from core.errors import PoligonError
from core.scenario.pack import unpack
from core.scenario.schema import Scenario
from core.scenario.schema_tasks import SolvableTask
from scoring.append_only import guard
from scoring.domain.chain import GENESIS, Content, link_hash

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_GUARDED = {
    "score_entries": (("id",), ("idem_key",), ("reverses_id",), ("team_id", "position")),
    "score_facts": (("team_id", "position"), ("team_id", "cause_type", "cause_id")),
    "score_seals": (("exercise_id", "number"),),
    "submissions": (("id",), ("team_id", "client_key"), ("team_id", "task", "attempt")),
    "solves": (("team_id", "task"),),
    "hints_taken": (("id",), ("team_id", "task", "hint")),
    "check_runs": (("id",), ("team_id", "check", "round")),
}
_ONCE = {"score_facts", "score_seals", "submissions", "hints_taken", "check_runs"}
_FORMER = ("score_entries", (("id",), ("idem_key",), ("reverses_id",)))


def upgrade() -> None:
    _execute(guard(_dialect(), *_FORMER)[1])
    _make_tables()
    op.add_column(
        "check_states", sa.Column("failures", sa.Integer(), nullable=False, server_default="0")
    )
    for name, kind, start in (
        ("position", sa.BigInteger(), "0"),
        ("prev_hash", sa.String(length=64), ""),
        ("hash", sa.String(length=64), ""),
    ):
        op.add_column("score_entries", sa.Column(name, kind, nullable=False, server_default=start))
    connection = op.get_bind()
    _count_failures(connection)
    _put_facts_in_order(connection)
    _chain_and_sum(connection)
    op.create_index(
        op.f("ix_score_entries_team_id_position"),
        "score_entries",
        ["team_id", "position"],
        unique=True,
    )
    for table, keys in _GUARDED.items():
        _execute(guard(_dialect(), table, keys, once=table in _ONCE)[0])


def downgrade() -> None:
    for table, keys in _GUARDED.items():
        _execute(guard(_dialect(), table, keys)[1])
    op.drop_index(op.f("ix_score_entries_team_id_position"), table_name="score_entries")
    # SQLite drops a column where it stands; making the table anew would lose its numbering.
    for column in ("hash", "prev_hash", "position"):
        op.drop_column("score_entries", column)
    op.drop_column("check_states", "failures")
    op.drop_table("score_proofs")
    op.drop_table("score_seals")
    op.drop_index(op.f("ix_standings_exercise_id"), table_name="standings")
    op.drop_table("standings")
    op.drop_table("score_facts")
    _execute(guard(_dialect(), *_FORMER)[0])


def _dialect() -> str:
    return op.get_bind().dialect.name


def _execute(statements: list[str]) -> None:
    for statement in statements:
        op.execute(statement)


def _make_tables() -> None:
    op.create_table(
        "score_facts",
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("cause_type", sa.String(length=16), nullable=False),
        sa.Column("cause_id", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.String(length=12), nullable=True),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("exercise_ms", sa.BigInteger(), nullable=False),
        sa.Column("milli_points", sa.BigInteger(), nullable=False),
        sa.Column("ruling", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_score_facts_exercise_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_score_facts_team_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_score_facts_user_id")),
        sa.PrimaryKeyConstraint("team_id", "position", name=op.f("pk_score_facts")),
        sa.UniqueConstraint(
            "team_id",
            "cause_type",
            "cause_id",
            name=op.f("uq_score_facts_team_id_cause_type_cause_id"),
        ),
    )
    op.create_table(
        "standings",
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("milli_points", sa.BigInteger(), nullable=False),
        sa.Column("tasks", sa.JSON(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("upto_entry", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_standings_exercise_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_standings_team_id")),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_standings")),
    )
    op.create_index(op.f("ix_standings_exercise_id"), "standings", ["exercise_id"])
    op.create_table(
        "score_seals",
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("heads", sa.JSON(), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=16), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_score_seals_exercise_id")
        ),
        sa.PrimaryKeyConstraint("exercise_id", "number", name=op.f("pk_score_seals")),
    )
    op.create_table(
        "score_proofs",
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_score_proofs_exercise_id")
        ),
        sa.PrimaryKeyConstraint("exercise_id", name=op.f("pk_score_proofs")),
    )


# Rows that are there already. The tables as they were, since those of the program move on.

_RUNS = sa.table(
    "check_runs",
    *map(sa.column, ("id", "exercise_id", "team_id", "check", "round", "verdict")),
    sa.column("started_at", sa.DateTime(timezone=True)),
    *map(sa.column, ("exercise_ms", "duration_ms")),
)
_STATES = sa.table("check_states", *map(sa.column, ("team_id", "check", "failures")))
_SUBMISSIONS = sa.table(
    "submissions",
    *map(sa.column, ("id", "exercise_id", "team_id", "user_id", "task", "attempt", "verdict")),
    sa.column("received_at", sa.DateTime(timezone=True)),
)
_HINTS = sa.table(
    "hints_taken",
    *map(sa.column, ("id", "exercise_id", "team_id", "user_id", "task", "hint")),
    sa.column("taken_at", sa.DateTime(timezone=True)),
)
_FIRINGS = sa.table(
    "inject_firings",
    *map(sa.column, ("id", "exercise_id", "team_id", "inject", "occurrence", "state", "at_ms")),
    sa.column("changed_at", sa.DateTime(timezone=True)),
)
_RESETS = sa.table(
    "resets",
    *map(sa.column, ("id", "team_id", "host", "number", "user_id")),
    sa.column("at", sa.DateTime(timezone=True)),
)
_TEAMS = sa.table("teams", *map(sa.column, ("id", "exercise_id")))
_EXERCISES = sa.table("exercises", *map(sa.column, ("id", "scenario_digest")))
_PACKS = sa.table("scenario_packs", sa.column("digest"), sa.column("archive", sa.LargeBinary()))
_FACTS = sa.table(
    "score_facts",
    *map(sa.column, ("team_id", "position", "exercise_id", "cause_type", "cause_id")),
    sa.column("at", sa.DateTime(timezone=True)),
    *map(sa.column, ("user_id", "subject", "number", "outcome", "exercise_ms", "milli_points")),
)
_ENTRIES = sa.table(
    "score_entries",
    *map(sa.column, ("id", "exercise_id", "team_id", "user_id", "task", "kind", "milli_points")),
    sa.column("effective_at", sa.DateTime(timezone=True)),
    sa.column("recorded_at", sa.DateTime(timezone=True)),
    *map(sa.column, ("cause_type", "cause_id", "idem_key", "reverses_id", "reason")),
    *map(sa.column, ("position", "prev_hash", "hash")),
)
_STANDINGS = sa.table(
    "standings",
    *map(sa.column, ("team_id", "exercise_id", "milli_points")),
    sa.column("tasks", sa.JSON()),
    sa.column("moved_at", sa.DateTime(timezone=True)),
    *map(sa.column, ("version", "upto_entry")),
)


def _count_failures(connection: sa.Connection) -> None:
    failures: dict[tuple[str, str], int] = {}
    scored = sa.select(_RUNS.c.team_id, _RUNS.c.check, _RUNS.c.verdict).where(
        _RUNS.c.verdict != "infra_error"
    )
    for team, check, verdict in connection.execute(scored.order_by(_RUNS.c.round)):
        failures[team, check] = 0 if verdict == "up" else failures.get((team, check), 0) + 1
    for (team, check), count in failures.items():
        mine = (_STATES.c.team_id == team) & (_STATES.c.check == check)
        connection.execute(_STATES.update().where(mine).values(failures=count))


def _put_facts_in_order(connection: sa.Connection) -> None:
    """By when they were written down, as far as is known: nothing else tells their order."""
    booked = {
        (cause, fact): at
        for cause, fact, at in connection.execute(
            sa.select(_ENTRIES.c.cause_type, _ENTRIES.c.cause_id, sa.func.min(_ENTRIES.c.id))
            .where(_ENTRIES.c.cause_type.in_(("submission", "check_run")))
            .group_by(_ENTRIES.c.cause_type, _ENTRIES.c.cause_id)
        )
    }
    facts: dict[str, list[tuple[datetime, dict[str, Any]]]] = {}
    for written, fact in _facts(connection):
        facts.setdefault(fact["team_id"], []).append((written, fact))
    for mine in facts.values():
        mine.sort(key=lambda found: found[0])
        _follow_the_ledger(mine, booked)
        rows = [{**fact, "position": place} for place, (_, fact) in enumerate(mine, start=1)]
        connection.execute(_FACTS.insert(), rows)


def _follow_the_ledger(
    mine: list[tuple[datetime, dict[str, Any]]], booked: dict[tuple[str, str], int]
) -> None:
    """Put facts that moved points into the order of their entries, at the places they have."""
    key = {n: booked.get((f["cause_type"], f["cause_id"])) for n, (_, f) in enumerate(mine)}
    places = [n for n, entry in key.items() if entry is not None]
    ordered = [mine[n] for n in sorted(places, key=lambda n: key[n] or 0)]
    for place, fact in zip(places, ordered, strict=True):
        mine[place] = fact


def _facts(connection: sa.Connection) -> Iterator[tuple[datetime, dict[str, Any]]]:
    costs = _Costs(connection)
    for firing in connection.execute(sa.select(_FIRINGS)):
        cost = costs.of_inject(firing.exercise_id, firing.inject)
        if firing.state in {"fired", "skipped"}:
            yield _fact(
                *("passed", firing, firing.changed_at, firing.inject),
                number=firing.occurrence,
                outcome=firing.state,
                exercise_ms=firing.at_ms or 0,
            )
        if firing.state in {"firing", "fired"} and cost is not None:
            yield _fact("inject", firing, firing.changed_at, cost[0], milli_points=cost[1])
    teams = dict(connection.execute(sa.select(_TEAMS.c.id, _TEAMS.c.exercise_id)).all())
    for reset in connection.execute(sa.select(_RESETS).where(_RESETS.c.number.is_not(None))):
        exercise = teams[reset.team_id]
        cost = costs.of_reset(exercise, reset.host)
        if cost is not None:
            task, milli_points = cost
            yield _fact("reset", reset, reset.at, task, exercise, milli_points=milli_points)
    for hint in connection.execute(sa.select(_HINTS)):
        milli_points = costs.of_hint(hint.exercise_id, hint.task, hint.hint)
        yield _fact(
            *("hint", hint, hint.taken_at, hint.task),
            number=hint.hint,
            # Not who took it: entries did not say so before.
            milli_points=milli_points,
        )
    for run in connection.execute(sa.select(_RUNS)):
        started, looked = _fact(
            *("check_run", run, run.started_at, run.check),
            number=run.round,
            outcome=run.verdict,
            exercise_ms=run.exercise_ms,
        )
        yield started + timedelta(milliseconds=run.duration_ms), looked
    for sent in connection.execute(sa.select(_SUBMISSIONS)):
        yield _fact(
            *("submission", sent, sent.received_at, sent.task),
            number=sent.attempt or 0,
            outcome=sent.verdict,
            user_id=sent.user_id,
        )


def _fact(
    cause: str,
    row: sa.Row[*tuple[Any, ...]],
    at: datetime,
    subject: str,
    exercise: str | None = None,
    **more: str | int | None,
) -> tuple[datetime, dict[str, Any]]:
    nothing = {"user_id": None, "number": 0, "outcome": "", "exercise_ms": 0, "milli_points": 0}
    return at, {
        **nothing,
        "team_id": row.team_id,
        "exercise_id": exercise or row.exercise_id,
        "cause_type": cause,
        "cause_id": row.id,
        "at": at,
        "subject": subject,
        **more,
    }


class _Costs:
    """What the scenarios of exercises ask for injects, resets and hints, in thousandths."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._scenarios: dict[str, Scenario | None] = {}

    def of_inject(self, exercise: str, inject: str) -> tuple[str, int] | None:
        scenario = self._scenario(exercise)
        found = scenario.injects.get(inject) if scenario is not None else None
        if found is None or found.cost is None or found.when is None or found.when.task is None:
            return None
        return found.when.task, found.cost * 1000

    def of_reset(self, exercise: str, host: str) -> tuple[str, int] | None:
        scenario = self._scenario(exercise)
        reset = scenario.hosts[host].reset if scenario is not None else None
        if reset is None or reset.cost is None:
            return None
        return reset.cost.task, reset.cost.points * 1000

    def of_hint(self, exercise: str, task: str, number: int) -> int:
        scenario = self._scenario(exercise)
        found = scenario.tasks[task] if scenario is not None else None
        return found.hints[number - 1].cost * 1000 if isinstance(found, SolvableTask) else 0

    def _scenario(self, exercise: str) -> Scenario | None:
        if exercise not in self._scenarios:
            self._scenarios[exercise] = self._loaded(exercise)
        return self._scenarios[exercise]

    def _loaded(self, exercise: str) -> Scenario | None:
        """One that this program cannot read any more belongs to an exercise that is over."""
        archive = self._connection.scalar(
            sa.select(_PACKS.c.archive)
            .join(_EXERCISES, _EXERCISES.c.scenario_digest == _PACKS.c.digest)
            .where(_EXERCISES.c.id == exercise)
        )
        assert archive is not None  # an exercise refers to its scenario
        with TemporaryDirectory() as folder:
            try:
                return unpack(archive, Path(folder)).scenario
            except PoligonError:
                return None


def _chain_and_sum(connection: sa.Connection) -> None:
    entries: dict[str, list[Any]] = {}
    for row in connection.execute(sa.select(_ENTRIES).order_by(_ENTRIES.c.id)):
        entries.setdefault(row.team_id, []).append(row)
    for team, mine in entries.items():
        former = GENESIS
        for position, row in enumerate(mine, start=1):
            digest = link_hash(former, _content(row, position))
            chained = {"position": position, "prev_hash": former, "hash": digest}
            statement = _ENTRIES.update().where(_ENTRIES.c.id == row.id).values(chained)
            connection.execute(statement)
            former = digest
        tasks: dict[str, int] = {}
        for row in mine:
            tasks[row.task] = tasks.get(row.task, 0) + row.milli_points
        moved = [row.effective_at for row in mine if row.milli_points]
        connection.execute(
            _STANDINGS.insert().values(
                team_id=team,
                exercise_id=mine[0].exercise_id,
                milli_points=sum(tasks.values()),
                tasks=tasks,
                moved_at=max(moved, default=None),
                version=len(mine),
                upto_entry=mine[-1].id,
            )
        )


def _content(row: sa.Row[*tuple[Any, ...]], position: int) -> Content:
    return Content(
        exercise=row.exercise_id,
        team=row.team_id,
        position=position,
        user=row.user_id,
        task=row.task,
        kind=row.kind,
        milli_points=row.milli_points,
        effective_at=_aware(row.effective_at),
        recorded_at=_aware(row.recorded_at),
        cause_type=row.cause_type,
        cause_id=row.cause_id,
        key=row.idem_key,
        reverses=row.reverses_id,
        reason=row.reason,
    )


def _aware(at: datetime) -> datetime:
    """SQLite keeps times in UTC without their zone."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
