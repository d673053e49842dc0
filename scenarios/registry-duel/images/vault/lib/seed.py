"""Fills the registry before its first day: what a new server has in its locker and registers."""

import json
import sqlite3
from pathlib import Path

DATA = Path("/var/lib/registry")
SEED = json.loads(Path("/etc/registry/seed.json").read_text())


def locker():
    for folder, content in SEED["locker"].items():
        place = DATA / "locker" / folder
        place.mkdir()
        for name, text in content.items():
            (place / name).write_text(text)


def search():
    with sqlite3.connect(DATA / "search" / "register.db") as database:
        database.execute(
            "CREATE TABLE entries (id INTEGER PRIMARY KEY, person TEXT, text TEXT,"
            " sealed INTEGER, code TEXT)"
        )
        database.executemany(
            "INSERT INTO entries (person, text, sealed, code) VALUES (?, ?, ?, ?)", SEED["search"]
        )


def slots():
    with sqlite3.connect(DATA / "slots" / "bookings.db") as database:
        database.execute(
            "CREATE TABLE bookings (number INTEGER PRIMARY KEY, name TEXT, day TEXT, note TEXT,"
            " code TEXT)"
        )
        database.executemany(
            "INSERT INTO bookings (name, day, note, code) VALUES (?, ?, ?, ?)", SEED["slots"]
        )


locker()
search()
slots()
