"""Clocks of teams, and the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("teams") as batch_op:
        batch_op.add_column(sa.Column("stopped", sa.String(length=8), nullable=True))
    with op.batch_alter_table("clock_events") as batch_op:
        batch_op.add_column(sa.Column("team_id", sa.String(length=12), nullable=True))
        batch_op.add_column(
            sa.Column("by_seconds", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.create_foreign_key(op.f("fk_clock_events_team_id"), "teams", ["team_id"], ["id"])
    with op.batch_alter_table("clock_events") as batch_op:
        batch_op.alter_column("by_seconds", server_default=None)
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("exercise_ms", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.String(length=12), nullable=True),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_journal_exercise_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_journal_team_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_journal_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_journal_exercise_id"), "journal", ["exercise_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_journal_exercise_id"), "journal")
    op.drop_table("journal")
    # What the shape before cannot hold: stops and extensions of single teams.
    op.execute("DELETE FROM clock_events WHERE team_id IS NOT NULL OR tick = 'extend'")
    with op.batch_alter_table("clock_events") as batch_op:
        batch_op.drop_constraint(op.f("fk_clock_events_team_id"), type_="foreignkey")
        batch_op.drop_column("by_seconds")
        batch_op.drop_column("team_id")
    with op.batch_alter_table("teams") as batch_op:
        batch_op.drop_column("stopped")
