"""Subnets of worlds that are gone: what was told and asked about them can still be read."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "former_subnets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subnet", sa.String(length=18), nullable=False),
        sa.Column("team_id", sa.String(length=12), nullable=True),
        sa.Column("exercise_id", sa.String(length=12), nullable=True),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["exercise_id"], ["exercises.id"], name=op.f("fk_former_subnets_exercise_id")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_former_subnets_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_subnets")),
        sa.UniqueConstraint(
            "exercise_id", "network", name=op.f("uq_former_subnets_exercise_id_network")
        ),
        sa.UniqueConstraint("team_id", "network", name=op.f("uq_former_subnets_team_id_network")),
    )


def downgrade() -> None:
    op.drop_table("former_subnets")
