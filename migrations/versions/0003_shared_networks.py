"""Subnets that an exercise holds for all its teams."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("subnets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("exercise_id", sa.String(length=12), nullable=True))
        batch_op.create_index(batch_op.f("ix_subnets_exercise_id"), ["exercise_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_subnets_exercise_id"), "exercises", ["exercise_id"], ["id"]
        )
        batch_op.create_unique_constraint(
            batch_op.f("uq_subnets_exercise_id_network"), ["exercise_id", "network"]
        )


def downgrade() -> None:
    # What an exercise holds would become nobody's, and nobody's addresses are never given again.
    op.execute(sa.text("DELETE FROM subnets WHERE exercise_id IS NOT NULL"))
    with op.batch_alter_table("subnets", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_subnets_exercise_id_network"), type_="unique")
        batch_op.drop_constraint(batch_op.f("fk_subnets_exercise_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_subnets_exercise_id"))
        batch_op.drop_column("exercise_id")
