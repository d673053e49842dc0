"""The register search: anybody finds published entries; a sealed one opens with its code."""

import secrets
import sqlite3

from web import serve

PORT = 4200
DATABASE = "/var/lib/registry/search/register.db"


def connected():
    return sqlite3.connect(DATABASE, timeout=3)


def welcome(form):
    return 200, "Register search of the state registry\n"


def search(form):
    """Return published entries of people whose name has the text in it."""
    query = (
        "SELECT id, person, text FROM entries"
        f" WHERE sealed = 0 AND person LIKE '%{form.get('q', '')}%' ORDER BY id DESC LIMIT 50"
    )
    with connected() as database:
        rows = database.execute(query).fetchall()
    return 200, "".join(f"{number} | {person} | {text}\n" for number, person, text in rows)


def register(form):
    """Put in an entry that is sealed until it is published; return its number and code."""
    person, text = form.get("person", ""), form.get("text", "")
    if not person or not text:
        return 400, "An entry has a person and a text.\n"
    code = secrets.token_hex(8)
    with connected() as database:
        added = database.execute(
            "INSERT INTO entries (person, text, sealed, code) VALUES (?, ?, 1, ?)",
            (person, text, code),
        )
    return 200, f"{added.lastrowid} {code}\n"


def entry(form):
    """Return a sealed entry to whoever knows its code."""
    with connected() as database:
        row = database.execute(
            "SELECT text FROM entries WHERE id = ? AND code = ?",
            (form.get("id", ""), form.get("code", "")),
        ).fetchone()
    return (200, f"{row[0]}\n") if row else (403, "This entry has another code.\n")


serve(
    PORT,
    {
        ("GET", "/"): welcome,
        ("GET", "/search"): search,
        ("POST", "/register"): register,
        ("GET", "/entry"): entry,
    },
)
