"""The ledger is append-only in the database too: no bug and no hand at a prompt changes a row."""

from typing import Final


def append_only_statements(dialect_name: str) -> tuple[list[str], list[str]]:
    """Return the statements that put the guards up, and those that take them down.

    For `sqlite` and `postgresql`; any other name raises KeyError.
    """
    return {"sqlite": (_SQLITE, _SQLITE_DOWN), "postgresql": (_POSTGRESQL, _POSTGRESQL_DOWN)}[
        dialect_name
    ]


# REPLACE deletes rows without firing a DELETE trigger, hence the third guard.
_SQLITE: Final = [
    """
    CREATE TRIGGER score_entries_no_update BEFORE UPDATE ON score_entries
    BEGIN SELECT RAISE(ABORT, 'score_entries is append-only: correct it with a reversal'); END
    """,
    """
    CREATE TRIGGER score_entries_no_delete BEFORE DELETE ON score_entries
    BEGIN SELECT RAISE(ABORT, 'score_entries is append-only: correct it with a reversal'); END
    """,
    """
    CREATE TRIGGER score_entries_no_replace BEFORE INSERT ON score_entries
    WHEN EXISTS (
        SELECT 1 FROM score_entries
        WHERE id = NEW.id OR idem_key = NEW.idem_key OR reverses_id = NEW.reverses_id
    )
    BEGIN SELECT RAISE(ABORT, 'score_entries is append-only: this entry is there already'); END
    """,
]
_SQLITE_DOWN: Final = [
    "DROP TRIGGER score_entries_no_replace",
    "DROP TRIGGER score_entries_no_delete",
    "DROP TRIGGER score_entries_no_update",
]
_POSTGRESQL: Final = [
    """
    CREATE FUNCTION score_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'score_entries is append-only: correct it with a reversal'
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER score_entries_no_change BEFORE UPDATE OR DELETE ON score_entries
    FOR EACH ROW EXECUTE FUNCTION score_entries_refuse()
    """,
    """
    CREATE TRIGGER score_entries_no_truncate BEFORE TRUNCATE ON score_entries
    FOR EACH STATEMENT EXECUTE FUNCTION score_entries_refuse()
    """,
]
_POSTGRESQL_DOWN: Final = [
    "DROP TRIGGER score_entries_no_truncate ON score_entries",
    "DROP TRIGGER score_entries_no_change ON score_entries",
    "DROP FUNCTION score_entries_refuse()",
]
