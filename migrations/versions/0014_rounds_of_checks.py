"""Rounds of checks with a deadline, second looks, maintenance, and what teams ask of checks."""

import sqlalchemy as sa
from alembic import op

from scoring.append_only import guard

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_RUNS = ("check_runs", (("id",), ("team_id", "check", "round")))
_ADDED_ONLY = (("check_looks", (("id",),)), ("maintenance_windows", (("id",),)))
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _maintenance()
    _rounds()
    _looks()
    _questions()
    op.create_table(
        "check_workers",
        sa.Column("worker", sa.String(length=32), nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_check_workers")),
    )
    # SQLite makes the table anew, and its guards go with the old one.
    _execute(guard(_dialect(), *_RUNS, once=True)[1])
    with op.batch_alter_table("check_runs") as runs:
        runs.add_column(
            sa.Column("worker", sa.String(length=32), server_default="", nullable=False)
        )
        runs.add_column(sa.Column("window_id", sa.String(length=12), nullable=True))
        runs.create_foreign_key(
            op.f("fk_check_runs_window_id"), "maintenance_windows", ["window_id"], ["id"]
        )
    for table, keys in (_RUNS, *_ADDED_ONLY):
        _execute(guard(_dialect(), table, keys, once=table == _RUNS[0])[0])
    with op.batch_alter_table("check_states") as states:
        states.add_column(sa.Column("recovering", sa.Integer(), server_default="0", nullable=False))
        states.add_column(sa.Column("missed", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("check_states") as states:
        states.drop_column("missed")
        states.drop_column("recovering")
    for table, keys in (_RUNS, *_ADDED_ONLY):
        _execute(guard(_dialect(), table, keys)[1])
    with op.batch_alter_table("check_runs") as runs:
        runs.drop_constraint(op.f("fk_check_runs_window_id"), type_="foreignkey")
        runs.drop_column("window_id")
        runs.drop_column("worker")
    _execute(guard(_dialect(), *_RUNS, once=True)[0])
    op.drop_table("check_workers")
    op.drop_table("check_questions")
    op.drop_table("check_looks")
    op.drop_table("check_rounds")
    op.drop_table("maintenance_windows")


def _dialect() -> str:
    return op.get_bind().dialect.name


def _execute(statements: list[str]) -> None:
    for statement in statements:
        op.execute(statement)


def _key(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def _maintenance() -> None:
    table = "maintenance_windows"
    op.create_table(
        table,
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=True),
        sa.Column("check", sa.String(length=64), nullable=True),
        sa.Column("from_at", _INSTANT, nullable=False),
        sa.Column("to_at", _INSTANT, nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("user_id", sa.String(length=12), nullable=True),
        sa.Column("declared_at", _INSTANT, nullable=False),
        _key(table, "exercise_id", "exercises"),
        _key(table, "team_id", "teams"),
        _key(table, "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance_windows")),
    )
    op.create_index(op.f("ix_maintenance_windows_exercise_id"), table, ["exercise_id"])


def _rounds() -> None:
    table = "check_rounds"
    op.create_table(
        table,
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("check", sa.String(length=64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("deadline_ms", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", _INSTANT, nullable=False),
        sa.Column("worker", sa.String(length=32), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=True),
        sa.Column("output", sa.Text(), nullable=True),
        sa.Column("started_at", _INSTANT, nullable=True),
        sa.Column("exercise_ms", sa.BigInteger(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("window_id", sa.String(length=12), nullable=True),
        _key(table, "team_id", "teams"),
        _key(table, "exercise_id", "exercises"),
        _key(table, "window_id", "maintenance_windows"),
        sa.PrimaryKeyConstraint("team_id", "check", "round", name=op.f("pk_check_rounds")),
    )


def _looks() -> None:
    table = "check_looks"
    op.create_table(
        table,
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("check", sa.String(length=64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(length=16), nullable=False),
        sa.Column("worker", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("output", sa.Text(), nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("exercise_ms", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        _key(table, "team_id", "teams"),
        _key(table, "exercise_id", "exercises"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_looks")),
    )
    op.create_index(
        op.f("ix_check_looks_team_id_check_round"), table, ["team_id", "check", "round"]
    )


def _questions() -> None:
    table = "check_questions"
    op.create_table(
        table,
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("user_id", sa.String(length=12), nullable=False),
        sa.Column("task", sa.String(length=64), nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("answered_at", _INSTANT, nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        _key(table, "exercise_id", "exercises"),
        _key(table, "team_id", "teams"),
        _key(table, "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_questions")),
    )
    op.create_index(
        op.f("ix_check_questions_team_id_task_asked_at"), table, ["team_id", "task", "asked_at"]
    )
