"""Boards that are kept, and links to public boards."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger()
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_index(
        "ix_score_entries_solves",
        "score_entries",
        ["exercise_id", "task", "effective_at", "id"],
        sqlite_where=sa.text("kind = 'solve'"),
        postgresql_where=sa.text("kind = 'solve'"),
    )
    op.create_table(
        "board_snapshots",
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("audience", sa.String(length=8), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("upto_entry", _NUMBER, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        _of_exercise("board_snapshots"),
        sa.PrimaryKeyConstraint(
            "exercise_id", "audience", "frozen", name=op.f("pk_board_snapshots")
        ),
    )
    op.create_table(
        "frozen_standings",
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("tasks", sa.JSON(), nullable=False),
        sa.Column("moved_at", _INSTANT, nullable=True),
        sa.Column("version", _NUMBER, nullable=False),
        sa.Column("upto_entry", _NUMBER, nullable=False),
        sa.Column("frozen_at", _INSTANT, nullable=False),
        _of_exercise("frozen_standings"),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_frozen_standings_team_id")
        ),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_frozen_standings")),
    )
    op.create_index(op.f("ix_frozen_standings_exercise_id"), "frozen_standings", ["exercise_id"])
    op.create_table(
        "public_boards",
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("token", sa.String(length=43), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        _of_exercise("public_boards"),
        sa.PrimaryKeyConstraint("exercise_id", name=op.f("pk_public_boards")),
        sa.UniqueConstraint("token", name=op.f("uq_public_boards_token")),
    )


def downgrade() -> None:
    for table in ("public_boards", "frozen_standings", "board_snapshots"):
        op.drop_table(table)
    op.drop_index("ix_score_entries_solves", "score_entries")


def _of_exercise(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_exercise_id")
    return sa.ForeignKeyConstraint(["exercise_id"], ["exercises.id"], name=name)
