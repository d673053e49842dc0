"""The appointment desk: people book a time, and look at it again with the code they were given."""

import secrets
import sqlite3

from web import serve

PORT = 4300
DATABASE = "/var/lib/registry/slots/bookings.db"


def connected():
    return sqlite3.connect(DATABASE, timeout=3)


def welcome(form):
    with connected() as database:
        (count,) = database.execute("SELECT count(*) FROM bookings").fetchone()
    return 200, f"Appointment desk of the state registry\nBookings so far: {count}\n"


def book(form):
    """Book a time; return the booking's number and code."""
    name, day, note = (form.get(key, "") for key in ("name", "day", "note"))
    if not name or not day:
        return 400, "A booking has a name and a day.\n"
    code = secrets.token_hex(8)
    with connected() as database:
        added = database.execute(
            "INSERT INTO bookings (name, day, note, code) VALUES (?, ?, ?, ?)",
            (name, day, note, code),
        )
    return 200, f"{added.lastrowid} {code}\n"


def booking(form):
    """Return a booking to whoever knows its code."""
    row = found(form.get("number", ""))
    if row is None or not secrets.compare_digest(
        row["code"].encode(), form.get("code", "").encode()
    ):
        return 403, "This booking has another code.\n"
    return 200, f"{row['day']} {row['name']}: {row['note']}\n"


def calendar(form):
    """Return a booking for a calendar program; the link to it has number and code."""
    row = found(form.get("number", ""))
    if row is None:
        return 404, "There is no such booking.\n"
    return 200, (
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\n"
        f"UID:booking-{row['number']}@registry.test\n"
        f"DTSTART;VALUE=DATE:{row['day'].replace('-', '')}\n"
        f"SUMMARY:Appointment at the registry\nDESCRIPTION:{row['note']}\n"
        "END:VEVENT\nEND:VCALENDAR\n"
    )


def found(number):
    with connected() as database:
        database.row_factory = sqlite3.Row
        return database.execute("SELECT * FROM bookings WHERE number = ?", (number,)).fetchone()


serve(
    PORT,
    {
        ("GET", "/"): welcome,
        ("POST", "/book"): book,
        ("GET", "/booking"): booking,
        ("GET", "/calendar"): calendar,
    },
)
