"""Statements that are told to a learning record store, and how it last answered."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "lrs_statements",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("is_true", sa.Boolean(), nullable=False),
        sa.Column("voids", sa.String(length=36), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("booked_at", _INSTANT, nullable=False),
        sa.Column("delivered_at", _INSTANT, nullable=True),
        _of_exercise("lrs_statements"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_lrs_statements")),
        sa.UniqueConstraint("id", name=op.f("uq_lrs_statements_id")),
        sa.UniqueConstraint("voids", name=op.f("uq_lrs_statements_voids")),
        sa.UniqueConstraint(
            *("exercise_id", "subject", "revision"),
            name=op.f("uq_lrs_statements_exercise_id_subject_revision"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_lrs_statements_true",
        "lrs_statements",
        ["exercise_id", "subject"],
        unique=True,
        sqlite_where=sa.text("is_true"),
        postgresql_where=sa.text("is_true"),
    )
    op.create_index(op.f("ix_lrs_statements_state_number"), "lrs_statements", ["state", "number"])
    op.create_table(
        "lrs_told",
        sa.Column("exercise_id", sa.String(length=12), nullable=False),
        sa.Column("facts", sa.BigInteger(), nullable=False),
        _of_exercise("lrs_told"),
        sa.PrimaryKeyConstraint("exercise_id", name=op.f("pk_lrs_told")),
    )
    op.create_table(
        "lrs",
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("held_by", sa.String(length=12), nullable=False),
        sa.Column("held_until", _INSTANT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("due", _INSTANT, nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_lrs")),
    )


def downgrade() -> None:
    for table in ("lrs", "lrs_told", "lrs_statements"):
        op.drop_table(table)


def _of_exercise(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_exercise_id")
    return sa.ForeignKeyConstraint(["exercise_id"], ["exercises.id"], name=name)
