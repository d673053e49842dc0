"""Rounds of attack and defence: flags, looks, captures; teams that are attacked and not ranked."""

import sqlalchemy as sa
from alembic import op

from scoring.append_only import guard

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_GUARDED = {
    "flag_issues": (("id",), ("digest",), ("service", "team_id", "round")),
    "service_looks": (("id",), ("exercise_id", "service", "team_id", "round")),
    "captures": (("id",), ("issue_id", "team_id")),
}
_ONCE = {"service_looks", "captures"}


def upgrade() -> None:
    op.create_table(
        "service_rounds",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("deadline_ms", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_service_rounds_exercise_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_rounds")),
        sa.UniqueConstraint(
            "exercise_id", "number", name=op.f("uq_service_rounds_exercise_id_number")
        ),
    )
    op.create_index(op.f("ix_service_rounds_state"), "service_rounds", ["state"], unique=False)
    op.create_table(
        "flag_issues",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_flag_issues_exercise_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_flag_issues_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_issues")),
        sa.UniqueConstraint("digest", name=op.f("uq_flag_issues_digest")),
        sa.UniqueConstraint(
            "service", "team_id", "round", name=op.f("uq_flag_issues_service_team_id_round")
        ),
    )
    op.create_table(
        "service_dispatches",
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_service_dispatches_team_id")
        ),
        sa.PrimaryKeyConstraint("team_id", "service", name=op.f("pk_service_dispatches")),
    )
    op.create_table(
        "service_looks",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("put", sa.String(length=16), nullable=False),
        sa.Column("flag_id", sa.Text(), nullable=False),
        sa.Column("output", sa.Text(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("exercise_ms", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_service_looks_exercise_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_service_looks_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_looks")),
        sa.UniqueConstraint(
            "exercise_id",
            "service",
            "team_id",
            "round",
            name=op.f("uq_service_looks_exercise_id_service_team_id_round"),
        ),
    )
    op.create_index(
        op.f("ix_service_looks_exercise_id_round"),
        "service_looks",
        ["exercise_id", "round"],
        unique=False,
    )
    op.create_table(
        "service_tallies",
        sa.Column("round_id", sa.String(length=12), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("service", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=True),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("scored", sa.Integer(), nullable=False),
        sa.Column("earned", sa.BigInteger(), nullable=False),
        sa.Column("attack", sa.BigInteger(), nullable=False),
        sa.Column("defence", sa.BigInteger(), nullable=False),
        sa.Column("captured", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id"], ["service_rounds.id"], name=op.f("fk_service_tallies_round_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_service_tallies_team_id")),
        sa.PrimaryKeyConstraint("round_id", "team_id", "service", name=op.f("pk_service_tallies")),
    )
    op.create_table(
        "captures",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("issue_id", sa.String(length=12), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("user_id", sa.String(length=12), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_captures_exercise_id")
        ),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["flag_issues.id"], name=op.f("fk_captures_issue_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_captures_team_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_captures_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_captures")),
        sa.UniqueConstraint("issue_id", "team_id", name=op.f("uq_captures_issue_id_team_id")),
    )
    op.create_index(
        op.f("ix_captures_exercise_id_round"), "captures", ["exercise_id", "round"], unique=False
    )
    # Teams of earlier exercises are all ranked.
    op.add_column(
        "teams", sa.Column("reference", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for table, keys in _GUARDED.items():
        for statement in guard(op.get_bind().dialect.name, table, keys, once=table in _ONCE)[0]:
            op.execute(statement)


def downgrade() -> None:
    for table, keys in _GUARDED.items():
        for statement in guard(op.get_bind().dialect.name, table, keys)[1]:
            op.execute(statement)
    op.drop_column("teams", "reference")
    op.drop_index(op.f("ix_captures_exercise_id_round"), table_name="captures")
    op.drop_table("captures")
    op.drop_table("service_tallies")
    op.drop_index(op.f("ix_service_looks_exercise_id_round"), table_name="service_looks")
    op.drop_table("service_looks")
    op.drop_table("service_dispatches")
    op.drop_table("flag_issues")
    op.drop_index(op.f("ix_service_rounds_state"), table_name="service_rounds")
    op.drop_table("service_rounds")
