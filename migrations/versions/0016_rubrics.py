"""Files that teams hand in, and marks."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ID, _NAME, _AT = sa.String(length=12), sa.String(length=64), sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", _ID, nullable=False),
        sa.Column("exercise_id", _ID, nullable=False),
        sa.Column("team_id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("task", _NAME, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("client_key", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("ending", sa.String(length=21), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("scan", sa.String(length=16), nullable=False),
        sa.Column("received_at", _AT, nullable=False),
        sa.Column("exercise_ms", sa.BigInteger(), nullable=False),
        *_foreign("deliveries", exercise_id="exercises", team_id="teams", user_id="users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        _unique("deliveries", "team_id", "task", "revision"),
        _unique("deliveries", "team_id", "client_key"),
    )
    for column in ("exercise_id", "sha256"):
        op.create_index(op.f(f"ix_deliveries_{column}"), "deliveries", [column])
    op.create_table(
        "assessors",
        sa.Column("exercise_id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("appointed_at", _AT, nullable=False),
        *_foreign("assessors", exercise_id="exercises", user_id="users"),
        sa.PrimaryKeyConstraint("exercise_id", "user_id", name=op.f("pk_assessors")),
    )
    op.create_table(
        "markings",
        sa.Column("id", _ID, nullable=False),
        sa.Column("exercise_id", _ID, nullable=False),
        sa.Column("team_id", _ID, nullable=False),
        sa.Column("task", _NAME, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("opened_at", _AT, nullable=False),
        sa.Column("opened_by", _ID, nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("decided_at", _AT, nullable=True),
        sa.Column("moderated", sa.Boolean(), nullable=False),
        *_foreign("markings", exercise_id="exercises", team_id="teams", opened_by="users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_markings")),
        _unique("markings", "team_id", "task", "number"),
    )
    op.create_index(op.f("ix_markings_exercise_id"), "markings", ["exercise_id"])
    op.create_table(
        "mark_sheets",
        sa.Column("id", _ID, nullable=False),
        sa.Column("marking_id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.Column("begun_at", _AT, nullable=False),
        *_foreign("mark_sheets", marking_id="markings", user_id="users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mark_sheets")),
        _unique("mark_sheets", "marking_id", "user_id"),
        _unique("mark_sheets", "marking_id", "kind", "seat"),
    )
    op.create_table(
        "marks",
        sa.Column("sheet_id", _ID, nullable=False),
        sa.Column("criterion", _NAME, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("marked_at", _AT, nullable=False),
        sa.Column("handed_in_at", _AT, nullable=True),
        *_foreign("marks", sheet_id="mark_sheets"),
        sa.PrimaryKeyConstraint("sheet_id", "criterion", name=op.f("pk_marks")),
    )
    op.create_table(
        "mark_releases",
        sa.Column("exercise_id", _ID, nullable=False),
        sa.Column("task", _NAME, nullable=False),
        sa.Column("released_at", _AT, nullable=False),
        sa.Column("released_by", _ID, nullable=True),
        *_foreign("mark_releases", exercise_id="exercises", released_by="users"),
        sa.PrimaryKeyConstraint("exercise_id", "task", name=op.f("pk_mark_releases")),
    )


def downgrade() -> None:
    for table in ("mark_releases", "marks", "mark_sheets", "markings", "assessors", "deliveries"):
        op.drop_table(table)


def _foreign(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, other in columns.items()
    ]


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))
