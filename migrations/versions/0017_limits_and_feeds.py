"""Answers of a team by their time, for its limits; points that other systems give."""

import sqlalchemy as sa
from alembic import op

from scoring.append_only import guard

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_KEYS = (("id",), ("exercise_id", "event"))


def upgrade() -> None:
    op.create_index(
        op.f("ix_submissions_team_id_received_at"), "submissions", ["team_id", "received_at"]
    )
    op.create_table(
        "feed_items",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("task", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("milli_points", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_feed_items_exercise_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_feed_items_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_items")),
        sa.UniqueConstraint("exercise_id", "event", name=op.f("uq_feed_items_exercise_id_event")),
    )
    op.create_table(
        "feed_keys",
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_feed_keys_exercise_id")
        ),
        sa.PrimaryKeyConstraint("exercise_id", name=op.f("pk_feed_keys")),
    )
    for statement in guard(op.get_bind().dialect.name, "feed_items", _KEYS, once=True)[0]:
        op.execute(statement)


def downgrade() -> None:
    for statement in guard(op.get_bind().dialect.name, "feed_items", _KEYS)[1]:
        op.execute(statement)
    op.drop_table("feed_keys")
    op.drop_table("feed_items")
    op.drop_index(op.f("ix_submissions_team_id_received_at"), table_name="submissions")
