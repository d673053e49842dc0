"""What the self-test of each world found, and when an exercise was last wanted."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "isolation_results",
        sa.Column("team_id", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("host", sa.String(length=64), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_isolation_results_team_id_teams")
        ),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_isolation_results")),
    )

    op.add_column("exercises", sa.Column("kept_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("exercises", "kept_at")
    op.drop_table("isolation_results")
