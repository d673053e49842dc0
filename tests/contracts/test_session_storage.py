"""What is kept of sessions in hosts, on both databases: written late, again, read, deleted."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.journal import Journal
from orchestrator.retention import Retention
from orchestrator.sessions import (
    RecordingAbsentError,
    RecordingChangedError,
    Sessions,
    SessionUnknownError,
)
from orchestrator.terminal.book import (
    Began,
    CastKept,
    CommandRun,
    Direction,
    Ended,
    FileMoved,
    ForwardClosed,
    Kind,
    LoginsFailed,
    Note,
    NotServed,
    RecordingStopped,
    Turned,
    TurnedAway,
)
from orchestrator.terminal.cast_file import CastFile
from orchestrator.torn_recordings import TornRecordings
from tests.fakes.scoring_stage import SCENARIO, Stage

DAY = timedelta(days=1)
CAST = b'{"version":2}\n[0,"o","hello"]\n'
DIGEST = hashlib.sha256(CAST).hexdigest()


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    raised = Stage.raised(
        database_url, tmp_path, scenario=f"{SCENARIO}privacy: {{recordings: 10d}}\n"
    )
    yield raised
    raised.database.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


@pytest.fixture
def sessions(stage: Stage, folder: Path) -> Sessions:
    return Sessions(stage.database, stage.clock, folder=folder)


@pytest.fixture
def retention(stage: Stage, folder: Path) -> Retention:
    return Retention(
        stage.database, stage.clock, stage.exercises, folder=folder, kept=timedelta(days=90)
    )


def began(stage: Stage, id_: str, *, number: int = 1, host: str = "desk") -> Began:
    """Return that somebody of a team began a session now."""
    return Began(
        session=id_,
        login=f"{stage.team(number).members[0].name}.{host}",
        host=stage.host(host, number),
        account="analyst",
        kind=Kind.TERMINAL,
        at=stage.clock.now(),
    )


def recorded(stage: Stage, sessions: Sessions, folder: Path, id_: str) -> Path:
    """Have a whole session with a command and a recording; return the recording's file."""
    cast = folder / stage.exercise.id / f"{id_}.cast"
    cast.parent.mkdir(parents=True, exist_ok=True)
    cast.write_bytes(CAST)
    now = stage.clock.now()
    sessions.write(
        [
            began(stage, id_),
            CommandRun(session=id_, at=now, line="id"),
            CastKept(session=id_, file=cast.name, size=len(CAST), sha256=DIGEST),
            Ended(session=id_, at=now, code=0, shown=5),
        ]
    )
    return cast


def test_a_session_comes_back_with_what_was_done_in_it(stage: Stage, sessions: Sessions) -> None:
    stage.clock.advance(timedelta(minutes=12))
    start = stage.clock.now()
    sessions.write([began(stage, "one")])
    stage.clock.advance(timedelta(minutes=3))
    now = stage.clock.now()
    sessions.write(
        [
            CommandRun(session="one", at=now, line="cat \x00\x1b[2J\udc80 é"),
            FileMoved(
                session="one",
                at=now,
                direction=Direction.TO_HOST,
                path="/tmp/x\n",
                size=2**40,
                sha256="a" * 64,
                whole=True,
            ),
            ForwardClosed(
                session="one",
                began=start,
                at=now,
                target="web",
                port=80,
                to_target=2**33,
                from_target=1,
            ),
            Ended(session="one", at=now, code=255, shown=2**33, how="paused by ina"),
        ]
    )
    (details,) = sessions.details(stage.exercise, [sessions.get("one")])
    session = details.session
    assert (session.user, session.team, session.host) == (
        stage.team().members[0].name,
        stage.team().slug,
        "desk",
    )
    assert (session.began, session.elapsed) == (start, timedelta(minutes=12))
    assert (session.ended, session.code, session.how) == (now, 255, "paused by ina")
    assert session.shown == 2**33
    (command,), (file,), (forward,) = details.commands, details.files, details.forwards
    assert command.line == "cat \\x00\\x1b[2J\\udc80 é"
    assert command.elapsed == timedelta(minutes=15)
    assert (file.direction, file.path, file.size) == (Direction.TO_HOST, "/tmp/x\\n", 2**40)
    assert (file.sha256, file.whole) == ("a" * 64, True)
    assert (forward.target, forward.port, forward.to_target, forward.from_target) == (
        "web",
        80,
        2**33,
        1,
    )


def test_writing_again_changes_nothing(stage: Stage, sessions: Sessions) -> None:
    notes: list[Note] = [
        began(stage, "one"),
        CommandRun(session="one", at=stage.clock.now(), line="id"),
        RecordingStopped(session="one", at=stage.clock.now(), why="the disk is full"),
    ]
    sessions.write(notes)
    once = sessions.details(stage.exercise, [sessions.get("one")])
    sessions.write(notes)
    assert sessions.details(stage.exercise, [sessions.get("one")]) == once
    told = Journal(stage.database, stage.clock).latest(stage.exercise.id)
    assert [entry.act for entry in told].count("recording.stopped") == 1


def test_notes_of_what_is_not_ours_cost_nothing_else(stage: Stage, sessions: Sessions) -> None:
    elsewhere = replace(stage.host("desk").world, team="nobody").host("desk")
    sessions.write(
        [
            replace(began(stage, "odd"), host=elsewhere),
            CommandRun(session="odd", at=stage.clock.now(), line="id"),
            began(stage, "one"),
        ]
    )
    assert [found.id for found in sessions.find(stage.exercise)] == ["one"]
    with pytest.raises(SessionUnknownError, match="no session 'odd'"):
        sessions.get("odd")


def test_sessions_are_found_by_team_user_and_host_newest_first(
    stage: Stage, sessions: Sessions
) -> None:
    for id_, number, host in (("a", 1, "desk"), ("b", 2, "desk"), ("c", 1, "office")):
        sessions.write([began(stage, id_, number=number, host=host)])
        stage.clock.advance(timedelta(seconds=1))
    user = stage.team(2).members[0].name

    def ids(*, team: str = "", user: str = "", host: str = "", before: str = "") -> list[str]:
        wanted = sessions.find(stage.exercise, team=team, user=user, host=host, before=before)
        return [found.id for found in wanted]

    assert ids() == ["c", "b", "a"]
    assert ids(team=stage.team(1).slug) == ["c", "a"]
    assert ids(user=user) == ["b"]
    assert ids(host="office") == ["c"]
    assert ids(before="b") == ["a"]
    assert [found.id for found in sessions.find(stage.exercise, limit=2)] == ["c", "b"]


def test_a_login_that_is_nobodys_is_kept_by_its_name(stage: Stage, sessions: Sessions) -> None:
    sessions.write([replace(began(stage, "one"), login="gone.desk")])
    assert (sessions.get("one").user, sessions.get("one").login) == ("", "gone.desk")


def test_a_recording_is_read_as_it_was_recorded(
    stage: Stage, sessions: Sessions, folder: Path
) -> None:
    recorded(stage, sessions, folder, "one")
    assert sessions.cast(sessions.get("one")) == CAST


def test_a_recording_that_was_changed_is_refused(
    stage: Stage, sessions: Sessions, folder: Path
) -> None:
    cast = recorded(stage, sessions, folder, "one")
    cast.write_bytes(CAST.replace(b"hello", b"jello"))
    with pytest.raises(RecordingChangedError, match="changed since it was recorded"):
        sessions.cast(sessions.get("one"))
    cast.unlink()
    with pytest.raises(RecordingChangedError, match="cannot be read"):
        sessions.cast(sessions.get("one"))


def test_why_there_is_no_recording_is_told(stage: Stage, sessions: Sessions) -> None:
    sessions.write([replace(began(stage, "off"), unrecorded="the scenario does not want it")])
    sessions.write([began(stage, "on")])
    with pytest.raises(RecordingAbsentError, match="the scenario does not want it"):
        sessions.cast(sessions.get("off"))
    with pytest.raises(RecordingAbsentError, match="goes on"):
        sessions.cast(sessions.get("on"))


def test_instructors_are_told_when_a_recording_stops(stage: Stage, sessions: Sessions) -> None:
    sessions.write([began(stage, "one")])
    stopped = RecordingStopped(session="one", at=stage.clock.now(), why="the disk is full")
    sessions.write([stopped])
    (told, *_) = Journal(stage.database, stage.clock).latest(stage.exercise.id)
    assert (told.act, told.team, told.subject) == (
        "recording.stopped",
        stage.team().slug,
        "desk",
    )
    assert told.text.endswith("is not recorded: the disk is full")


def test_instructors_are_told_once_that_the_range_lets_nobody_in(
    stage: Stage, sessions: Sessions
) -> None:
    for id_ in ("one", "two"):
        sessions.write([began(stage, id_)])
        sessions.write(
            [NotServed(session=id_, at=stage.clock.now(), why="the range's engine does not answer")]
        )
    journal = Journal(stage.database, stage.clock)
    (told,) = [e for e in journal.of(stage.exercise.id) if e.act == "session.not_served"]
    assert (told.team, told.subject) == (stage.team().slug, "desk")
    assert told.text.endswith("by a fault: the range's engine does not answer")


def test_instructors_are_told_once_in_a_while_that_a_host_has_no_free_slot(
    stage: Stage, sessions: Sessions
) -> None:
    sessions.write([began(stage, "one")])
    full = NotServed(session="one", at=stage.clock.now(), why="it is full", is_full=True)
    sessions.write([full, full])
    stage.clock.advance(timedelta(minutes=11))
    sessions.write([full])
    journal = Journal(stage.database, stage.clock)
    told = [e for e in journal.of(stage.exercise.id) if e.act == "host.processes_full"]
    assert [e.subject for e in told] == ["desk", "desk"]
    assert told[0].text.startswith("desk has no free process slot")


def test_instructors_are_told_whose_passwords_are_guessed_now_and_later_again(
    stage: Stage, sessions: Sessions
) -> None:
    def guesses(name: str, count: int) -> LoginsFailed:
        return LoginsFailed(name=name, source="10.0.0.7", count=count, at=stage.clock.now())

    name = stage.team().members[0].name
    sessions.write([guesses(name, 5), guesses("nobody", 5), guesses(name, 10)])
    stage.clock.advance(timedelta(minutes=11))
    sessions.write([guesses(name, 20)])
    journal = Journal(stage.database, stage.clock)
    told = [e for e in journal.of(stage.exercise.id) if e.act == "login.failing"]
    assert [(e.team, e.subject) for e in told] == [(stage.team().slug, name)] * 2
    assert [e.text.split()[0] for e in told] == ["5", "20"]


def test_instructors_are_told_who_was_turned_away_once_and_then_how_often_more(
    stage: Stage, sessions: Sessions
) -> None:
    def turned(name: str, why: Turned, *, said: str = "", count: int = 1) -> TurnedAway:
        now = stage.clock.now()
        return TurnedAway(name=name, why=why, source="10.0.0.7", said=said, count=count, at=now)

    name = stage.team().members[0].name
    for why in Turned:
        sessions.write([turned(name, why, said="it \x1b[2J ended"), turned("nobody", why)])
        sessions.write([turned(name, why), turned(name, why, count=499, said="it is paused")])
    told = [
        e
        for e in Journal(stage.database, stage.clock).of(stage.exercise.id)
        if e.act in set(Turned)
    ]
    assert [e.act for e in told] == [why for why in Turned for _ in range(2)]
    assert {(e.team, e.subject) for e in told} == {(stage.team().slug, name)}
    entry = [e.text for e in told if e.act == Turned.ENTRY]
    assert "499 times more" in entry[1]
    assert entry[1].endswith("not let in: it is paused")
    assert "\x1b" not in entry[0]


def test_who_comes_after_the_end_is_told_in_the_exercise_that_ended(
    stage: Stage, sessions: Sessions
) -> None:
    stage.exercises.end(stage.exercise.id)
    stage.exercises.destroy(stage.exercise.id)
    name = stage.team().members[0].name
    now = stage.clock.now()
    sessions.write(
        [
            TurnedAway(
                name=name, why=Turned.ENTRY, source="10.0.0.7", said="it is over", count=1, at=now
            )
        ]
    )
    (told,) = [
        e
        for e in Journal(stage.database, stage.clock).of(stage.exercise.id)
        if e.act == Turned.ENTRY
    ]
    assert told.text == f"{name} logged in and was not let in: it is over"


def test_what_is_kept_is_deleted_after_the_shorter_time(
    stage: Stage, sessions: Sessions, retention: Retention, folder: Path
) -> None:
    old = recorded(stage, sessions, folder, "old")
    stage.clock.advance(5 * DAY)
    young = recorded(stage, sessions, folder, "young")
    retention.sweep()
    assert old.exists()
    stage.clock.advance(6 * DAY)
    retention.sweep()
    assert (old.exists(), young.exists()) == (False, True)
    both = [sessions.get("old"), sessions.get("young")]
    gone, kept = sessions.details(stage.exercise, both)
    assert (gone.session.deleted, gone.commands) == (stage.clock.now(), ())
    assert (kept.session.deleted, len(kept.commands)) == (None, 1)
    with pytest.raises(RecordingAbsentError, match="it was deleted on"):
        sessions.cast(gone.session)


def test_what_goes_on_is_not_deleted_and_what_was_left_open_is(
    stage: Stage, sessions: Sessions, retention: Retention
) -> None:
    sessions.write([began(stage, "open")])
    stage.clock.advance(10.5 * DAY)
    retention.sweep()
    assert sessions.get("open").deleted is None
    stage.clock.advance(DAY)
    retention.sweep()
    assert sessions.get("open").deleted == stage.clock.now()


def test_a_recording_of_no_session_goes_when_the_sites_time_is_over(
    stage: Stage, retention: Retention, folder: Path
) -> None:
    stray = folder / "gone" / "stray.cast"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(CAST)
    os.utime(stray, times=(stage.clock.now().timestamp(),) * 2)
    retention.sweep()
    assert stray.exists()
    stage.clock.advance(91 * DAY)
    retention.sweep()
    assert not stray.exists()


@contextmanager
def killed(stage: Stage, sessions: Sessions, folder: Path) -> Iterator[Path]:
    """Lend the file of a recording whose gateway lives inside and is killed at the end."""
    sessions.write([began(stage, "one")])
    file = CastFile(folder, exercise=stage.exercise.id, session="one", least_free=0)
    file.append(CAST)
    path = folder / stage.exercise.id / file.name
    try:
        yield path
    finally:
        file.close()


def append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


def long_ago(stage: Stage, path: Path) -> None:
    """Have a file be written last some minutes before now."""
    os.utime(path, times=(stage.clock.now().timestamp() - 600,) * 2)


def test_what_a_killed_gateway_recorded_is_closed_and_handed_out_as_cut_short(
    stage: Stage, sessions: Sessions, folder: Path
) -> None:
    torn = TornRecordings(sessions, stage.clock)
    with killed(stage, sessions, folder) as path:
        append(path, b'[1,"o","half a li')
        long_ago(stage, path)
        torn.sweep()
        with pytest.raises(RecordingAbsentError):
            sessions.cast(sessions.get("one"))
    long_ago(stage, path)
    torn.sweep()
    assert sessions.get("one").recording is None, "it was just looked"
    stage.clock.advance(timedelta(minutes=1))
    torn.sweep()
    found = sessions.get("one")
    assert sessions.cast(found) == CAST
    assert found.unrecorded == found.how == "its gateway was killed; the recording ends there"
    assert found.ended == stage.clock.now() - timedelta(minutes=11)
    acts = [e.act for e in Journal(stage.database, stage.clock).of(stage.exercise.id)]
    assert acts.count("recording.stopped") == 1
    stage.clock.advance(timedelta(minutes=1))
    torn.sweep()
    assert sessions.get("one") == found


def test_a_recording_that_was_complete_is_not_said_to_be_cut_short(
    stage: Stage, sessions: Sessions, folder: Path
) -> None:
    with killed(stage, sessions, folder) as path:
        append(path, b'[2,"m","ended with 0"]\n')
        os.utime(path, times=(stage.clock.now().timestamp(),) * 2)
    TornRecordings(sessions, stage.clock).sweep()
    assert sessions.get("one").recording is None, "its gateway may tell of it yet"
    long_ago(stage, path)
    TornRecordings(sessions, stage.clock).sweep()
    found = sessions.get("one")
    assert (found.unrecorded, found.how) == ("", "")
    assert sessions.cast(found).endswith(b'"ended with 0"]\n')
