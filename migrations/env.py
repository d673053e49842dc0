"""What Alembic runs: the tables of every package, on the address that it was given."""

from alembic import context

import api.tables
import core.users.tables
import orchestrator.tables
import scoring.attack_defence.tables
import scoring.boards.tables
import scoring.corrections.tables
import scoring.lrs.tables
import scoring.marking.tables
import scoring.tables
import scoring.uploads.tables
from core.db import Base, open_engine

# Importing a module of tables is what puts them into the metadata.
TABLES = (
    core.users.tables,
    orchestrator.tables,
    scoring.tables,
    scoring.attack_defence.tables,
    scoring.uploads.tables,
    scoring.marking.tables,
    scoring.corrections.tables,
    scoring.lrs.tables,
    scoring.boards.tables,
    api.tables,
)

engine = open_engine(context.config.get_main_option("sqlalchemy.url") or "")
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite alters a table by making it anew; a step is then written once for both.
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
