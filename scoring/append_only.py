"""Facts and the ledger are append-only in the database too: no bug and no hand changes a row."""

from collections.abc import Mapping, Sequence
from typing import Final

_Keys = Sequence[Sequence[str]]

GUARDED: Final[Mapping[str, _Keys]] = {
    "score_entries": (("id",), ("idem_key",), ("reverses_id",), ("team_id", "position")),
    "score_facts": (("team_id", "position"), ("team_id", "cause_type", "cause_id")),
    "score_seals": (("exercise_id", "number"),),
    "submissions": (("id",), ("team_id", "client_key"), ("team_id", "task", "attempt")),
    "hints_taken": (("id",), ("team_id", "task", "hint")),
    "check_runs": (("id",), ("team_id", "check", "round")),
    "feed_items": (("id",), ("exercise_id", "event")),
    "check_looks": (("id",),),
    "maintenance_windows": (("id",),),
    "flag_issues": (("id",), ("digest",), ("service", "team_id", "round")),
    "service_looks": (("id",), ("exercise_id", "service", "team_id", "round")),
    "captures": (("id",), ("issue_id", "team_id")),
}
"""Every table that is only added to, and its unique keys."""

_ONCE = frozenset(
    {
        *("score_facts", "score_seals", "submissions", "hints_taken", "check_runs"),
        *("service_looks", "captures", "feed_items"),
    }
)
"""Those whose rows come with ON CONFLICT DO NOTHING."""

_Statements = tuple[list[str], list[str]]


def guards(dialect_name: str) -> _Statements:
    """Return the statements that guard all of `GUARDED`, and those that take the guards down.

    For `sqlite` and `postgresql`; any other name raises KeyError.
    """
    both = [guard(dialect_name, t, keys, once=t in _ONCE) for t, keys in GUARDED.items()]
    return [s for up, _ in both for s in up], [s for _, down in both for s in down]


def guard(dialect_name: str, table: str, keys: _Keys, *, once: bool = False) -> _Statements:
    """Return the statements that make a table append-only, and those that undo it.

    `keys` are its unique keys; `once` says that rows come with ON CONFLICT DO NOTHING. For `sqlite`
    and `postgresql`; any other name raises KeyError.
    """
    if dialect_name == "sqlite":
        return _sqlite(table, keys, once=once)
    return {"postgresql": _postgresql}[dialect_name](table)


def _sqlite(table: str, keys: _Keys, *, once: bool) -> _Statements:
    refuse = f"SELECT RAISE(ABORT, '{_refusal(table)}')"
    replaced = "SELECT RAISE(IGNORE)" if once else refuse
    same = " OR ".join(
        "(" + " AND ".join(f'"{column}" = NEW."{column}"' for column in key) + ")" for key in keys
    )
    is_there = f"SELECT 1 FROM {table} WHERE {same}"  # noqa: S608  # names of our own
    up = [
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN {refuse}; END",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN {refuse}; END",
        # REPLACE deletes rows without firing a DELETE trigger, hence the third guard.
        f"""
        CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN EXISTS ({is_there})
        BEGIN {replaced}; END
        """,
    ]
    return up, [f"DROP TRIGGER {table}_no_{what}" for what in ("replace", "delete", "update")]


def _postgresql(table: str) -> _Statements:
    up = [
        f"""
        CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '{_refusal(table)}' USING ERRCODE = 'restrict_violation';
        END $$
        """,
        f"""
        CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_refuse()
        """,
        f"""
        CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()
        """,
    ]
    down = [
        f"DROP TRIGGER {table}_no_truncate ON {table}",
        f"DROP TRIGGER {table}_no_change ON {table}",
        f"DROP FUNCTION {table}_refuse()",
    ]
    return up, down


def _refusal(table: str) -> str:
    return f"{table} is append-only: correct it with a reversal"
