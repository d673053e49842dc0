"""Corrections, which a second person approves, and disputes; solves follow corrections."""

import sqlalchemy as sa
from alembic import op

from scoring.append_only import guard

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_SOLVES = ("solves", (("team_id", "task"),))
_SECOND_PERSON = "state <> 'approved' OR (decided_by IS NOT NULL AND decided_by <> proposed_by)"
_OPEN = sa.text("answered_at IS NULL")


def upgrade() -> None:
    for statement in guard(op.get_bind().dialect.name, *_SOLVES)[1]:
        op.execute(statement)
    op.create_table(
        "corrections",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("proposed_by", sa.String(length=12), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=12), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.CheckConstraint(_SECOND_PERSON, name=op.f("ck_corrections_second_person")),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_corrections_exercise_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["users.id"], name=op.f("fk_corrections_proposed_by")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["users.id"], name=op.f("fk_corrections_decided_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    op.create_index(op.f("ix_corrections_exercise_id"), "corrections", ["exercise_id"])
    op.create_table(
        "disputes",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("task", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.String(length=12), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.String(length=12), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("correction_id", sa.String(length=12), nullable=True),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_disputes_exercise_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_disputes_team_id")),
        sa.ForeignKeyConstraint(["opened_by"], ["users.id"], name=op.f("fk_disputes_opened_by")),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["users.id"], name=op.f("fk_disputes_answered_by")
        ),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["corrections.id"], name=op.f("fk_disputes_correction_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
    )
    op.create_index(op.f("ix_disputes_exercise_id"), "disputes", ["exercise_id"])
    op.create_index(
        "ix_disputes_open",
        "disputes",
        ["team_id", "task"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def downgrade() -> None:
    op.drop_index("ix_disputes_open", table_name="disputes")
    op.drop_index(op.f("ix_disputes_exercise_id"), table_name="disputes")
    op.drop_table("disputes")
    op.drop_index(op.f("ix_corrections_exercise_id"), table_name="corrections")
    op.drop_table("corrections")
    for statement in guard(op.get_bind().dialect.name, *_SOLVES)[0]:
        op.execute(statement)
