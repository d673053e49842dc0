"""Injects: what became of them, shifts, messages and replies."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inject_firings",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("inject", sa.String(length=64), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undo_ms", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("detail", sa.String(length=2000), nullable=False),
        sa.Column("expectation", sa.String(length=8), nullable=True),
        sa.Column("claimed_by", sa.String(length=64), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_inject_firings_exercise_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_inject_firings_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inject_firings")),
        sa.UniqueConstraint(
            "team_id",
            "inject",
            "occurrence",
            name=op.f("uq_inject_firings_team_id_inject_occurrence"),
        ),
    )
    op.create_index(op.f("ix_inject_firings_exercise_id"), "inject_firings", ["exercise_id"])
    op.create_index(op.f("ix_inject_firings_state"), "inject_firings", ["state"])
    op.create_table(
        "inject_shifts",
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_inject_shifts_team_id")),
        sa.PrimaryKeyConstraint("team_id", "position", name=op.f("pk_inject_shifts")),
    )
    _create_messages()


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("firing_id", sa.String(length=12), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("exercise_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_messages_exercise_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_messages_team_id")),
        sa.ForeignKeyConstraint(
            ["firing_id"], ["inject_firings.id"], name=op.f("fk_messages_firing_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("firing_id", name=op.f("uq_messages_firing_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_messages_team_id"), "messages", ["team_id"])
    op.create_table(
        "inject_replies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("firing_id", sa.String(length=12), nullable=False),
        sa.Column("user_id", sa.String(length=12), nullable=False),
        sa.Column("client_key", sa.String(length=100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("exercise_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_inject_replies_team_id")),
        sa.ForeignKeyConstraint(
            ["firing_id"], ["inject_firings.id"], name=op.f("fk_inject_replies_firing_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_inject_replies_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inject_replies")),
        sa.UniqueConstraint(
            "team_id", "client_key", name=op.f("uq_inject_replies_team_id_client_key")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_inject_replies_firing_id"), "inject_replies", ["firing_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_inject_replies_firing_id"), "inject_replies")
    op.drop_table("inject_replies")
    op.drop_index(op.f("ix_messages_team_id"), "messages")
    op.drop_table("messages")
    op.drop_table("inject_shifts")
    op.drop_index(op.f("ix_inject_firings_state"), "inject_firings")
    op.drop_index(op.f("ix_inject_firings_exercise_id"), "inject_firings")
    op.drop_table("inject_firings")
