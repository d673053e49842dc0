"""Hints that teams have taken."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hints_taken",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("user_id", sa.String(length=12), nullable=False),
        sa.Column("task", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_hints_taken_exercise_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_hints_taken_team_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_hints_taken_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hints_taken")),
        sa.UniqueConstraint(
            "team_id", "task", "hint", name=op.f("uq_hints_taken_team_id_task_hint")
        ),
    )


def downgrade() -> None:
    op.drop_table("hints_taken")
