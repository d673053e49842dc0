"""A self-test asks from several hosts of a world, and their names may be long together."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("isolation_results", schema=None) as batch_op:
        batch_op.alter_column("host", existing_type=sa.String(length=64), type_=sa.Text())


def downgrade() -> None:
    op.execute("UPDATE isolation_results SET host = substr(host, 1, 64)")
    with op.batch_alter_table("isolation_results", schema=None) as batch_op:
        batch_op.alter_column("host", existing_type=sa.Text(), type_=sa.String(length=64))
