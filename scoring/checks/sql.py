"""A database: whether a user gets in with a password, and what a query finds."""

import socket
from collections.abc import Sequence

import pg8000.native
import pymysql

from scoring.checks.client import run, verdict_if
from scoring.checks.probes import Finding, SqlProbe
from scoring.domain.verdicts import Verdict

# Invalid authorization: no such user, a wrong password, no rule that lets one in.
_POSTGRESQL_REFUSED = frozenset({"28000", "28P01"})
# Access denied: to the server, and the like for users whose host or plugin does not fit.
_MYSQL_REFUSED = frozenset({1045, 1130, 1251, 1698, 3118, 4151})


class _RefusedError(Exception):
    """The server does not let the user in; in its own words."""


def talk(probe: SqlProbe, connection: socket.socket) -> Finding:
    """Return what the server says; raises the clients' errors and OSError."""
    ask = {"postgresql": _ask_postgresql, "mysql": _ask_mysql}[probe.engine]
    try:
        rows = ask(probe, connection)
    except _RefusedError as error:
        return Finding(verdict=verdict_if(probe.accepted, seen=False), output=str(error))
    if not probe.accepted:
        return Finding(verdict=Verdict.MUMBLE, output=f"{probe.user} gets in")
    fits = (probe.rows is None or len(rows) == probe.rows) and (
        probe.contains is None or any(probe.contains in _text(c) for row in rows for c in row)
    )
    return Finding(verdict=verdict_if(wanted=True, seen=fits), output=f"{len(rows)} rows: {rows}")


def _ask_postgresql(probe: SqlProbe, connection: socket.socket) -> Sequence[Sequence[object]]:
    try:
        client = pg8000.native.Connection(
            probe.user, password=probe.password, database=probe.database, sock=connection
        )
    except pg8000.native.DatabaseError as error:
        told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        if told.get("C") in _POSTGRESQL_REFUSED:
            raise _RefusedError(told.get("M", "")) from error
        raise
    # Not `run`, which would take `:name` in a query for a parameter.
    return (client.execute_simple(probe.query).rows or ()) if probe.query is not None else ()


def _ask_mysql(probe: SqlProbe, connection: socket.socket) -> Sequence[Sequence[object]]:
    client = pymysql.Connection(
        user=probe.user,
        password=probe.password or "",
        database=probe.database,
        charset="utf8mb4",
        defer_connect=True,
    )
    try:
        client.connect(connection)
    except pymysql.OperationalError as error:
        if error.args and error.args[0] in _MYSQL_REFUSED:
            raise _RefusedError(str(error.args[-1])) from error
        raise
    if probe.query is None:
        return ()
    with client.cursor() as cursor:
        cursor.execute(probe.query)
        return cursor.fetchall()


def _text(cell: object) -> str:
    return cell.decode(errors="replace") if isinstance(cell, bytes) else str(cell)


if __name__ == "__main__":
    run(SqlProbe, talk)
