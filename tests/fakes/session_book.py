"""A session book that remembers, and what a recording of a test says first."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from api.bootstrap import Services
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.world import WorldKey
from orchestrator.terminal.book import (
    Began,
    CastKept,
    CommandRun,
    Ended,
    Kind,
    Note,
    RecordingStopped,
)
from orchestrator.terminal.cast import Heading
from orchestrator.terminal.stream import TerminalSize

HEADING = Heading(
    session="abc123",
    exercise="k3fq",
    team="team-1",
    host="desk",
    login="ana.desk",
    title="Night shift\x1b]0;owned\x07",
    size=TerminalSize(columns=120, rows=40),
    at=datetime(2026, 11, 28, 9, tzinfo=UTC),
    elapsed=timedelta(minutes=12, milliseconds=5),
    terminal="xterm-256color",
)


class Book:
    def __init__(self) -> None:
        self.notes: list[Note] = []

    def note(self, note: Note) -> None:
        self.notes.append(note)

    def stops(self) -> list[str]:
        return [note.why for note in self.notes if isinstance(note, RecordingStopped)]

    def kept(self) -> CastKept:
        (kept,) = [note for note in self.notes if isinstance(note, CastKept)]
        return kept


CAST = b'{"version":2,"width":80,"height":24}\n[0.5,"o","hello\\r\\n"]\n'


def recorded_session(
    services: Services, exercise: Exercise, id_: str, *, cast: bytes = CAST
) -> Path:
    """Have a member of team-1 log in, run a command and leave; return the recording's file."""
    file = services.sessions.folder / exercise.id / f"{id_}.cast"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(cast)
    team, now = exercise.teams[0], services.clock.now()
    began = Began(
        session=id_,
        login=f"{team.members[0].name}.desk",
        host=WorldKey(exercise=exercise.id, team=team.slug).host("desk"),
        account="ana",
        kind=Kind.TERMINAL,
        at=now,
    )
    digest = hashlib.sha256(cast).hexdigest()
    services.sessions.write(
        [
            began,
            CommandRun(session=id_, at=now, line="id"),
            CastKept(session=id_, file=file.name, size=len(cast), sha256=digest),
            Ended(session=id_, at=now, code=0, shown=7),
        ]
    )
    return file
