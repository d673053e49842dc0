"""The ledger on both databases: it follows from its facts, holds, and is found out when changed."""

import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.clock import SystemClock
from core.db import Base, Database
from core.users.service import Users
from orchestrator.journal import Journal
from orchestrator.library import Library
from orchestrator.service import Exercises
from scoring.append_only import GUARDED, guards
from scoring.booking import TeamBooks
from scoring.domain.chain import first_break
from scoring.domain.deriving import take
from scoring.domain.ledger import Cause, EntryKind, Fact, Grant, Ruling
from scoring.domain.replay import differences, replay
from scoring.domain.rules import NO_RULES, Rules
from scoring.domain.standings import Total
from scoring.errors import NotReversibleError
from scoring.facts import all_facts
from scoring.ledger import booked_entries, links, standings_of
from scoring.maintenance import Declared
from scoring.proving import BROKEN, Proving
from scoring.replaying import Replaying
from scoring.repository import ScoreRepository
from scoring.seals import Why
from scoring.tables import FactRow, FeedItemRow, ScoreEntryRow, SealRow, StandingRow
from tests.contracts.test_hint_storage import WITH_HINTS
from tests.fakes.histories import SCENARIO as HISTORY
from tests.fakes.histories import drawn_facts
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import PAGE, Stage, create_tables

DAY = timedelta(days=1)


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path, scenario=WITH_HINTS)
    yield stage
    stage.database.close()


def play(stage: Stage) -> None:
    """Let two teams do everything that moves points."""
    stage.see_door(shut=True)
    for number in (1, 2):
        stage.see_port(opens=True, number=number)
        stage.scoring.take_hint(
            stage.exercise, stage.team(number), stage.member(number), task="who", hint=1
        )
        stage.answer("who", "nobody", number=number)
        stage.looks("mail", 1, number=number)
    stage.looks("shut", 7)
    for page in (PAGE, "HTTP/1.1 500 Oops\r\n\r\n", PAGE):
        stage.see_page(page)
        stage.looks("web", 1)
        stage.looks("web", 1, number=2)
    stage.answer("who", stage.value("intruder"))
    stage.answer("mark", stage.value("mark", 2), number=2)


def replaying(stage: Stage) -> Replaying:
    return Replaying(stage.database, stage.exercises)


def proving(stage: Stage) -> Proving:
    return Proving(stage.database, stage.clock, stage.exercises, every=DAY)


def rule(stage: Stage, ruling: Ruling, id_: str = "ruling") -> None:
    with stage.database.transaction() as transaction:
        exercise, team = stage.exercise.id, stage.team().id
        ScoreRepository(transaction.session).take_turn(exercise, team)
        books = TeamBooks(transaction.session, exercise, team, recorded_at=stage.clock.now())
        fact = Fact(Cause.CORRECTION, id_, stage.clock.now(), user=stage.member(), ruling=ruling)
        take(fact, books, NO_RULES)


def by_hand(stage: Stage, statement: str) -> None:
    """Do to the database what only somebody does who takes its guards down."""
    up, down = guards(stage.database.engine.dialect.name)
    with stage.database.engine.begin() as connection:
        for line in (*down, statement, *up):
            connection.exec_driver_sql(line)


# Replay


def test_what_happened_leads_to_the_same_ledger_again(stage: Stage) -> None:
    play(stage)
    found = replaying(stage).replay(stage.exercise)
    assert found.holds, [team.differences for team in found.teams]
    assert found.ledger_hash == found.replay_hash
    assert [team.replay.milli_points for team in found.teams] == [stage.total(), stage.total(2)]
    assert stage.total() == 18_000 + 30_000 + 13_333


def test_a_clock_that_jumps_back_leaves_facts_in_their_order(stage: Stage) -> None:
    stage.scoring.take_hint(stage.exercise, stage.team(), stage.member(), task="who", hint=1)
    stage.pass_time(-600)
    stage.answer("who", stage.value("intruder"))
    with stage.database.reading() as session:
        rows = session.execute(select(FactRow.cause_type).order_by(FactRow.position))
        assert list(rows.scalars()) == ["hint", "submission"]
    assert replaying(stage).replay(stage.exercise).holds
    assert stage.total() == 18_000


def test_a_ruling_is_booked_with_its_reason_and_replayed(stage: Stage) -> None:
    play(stage)
    solve = f"solve:{stage.team().id}:who"
    grant = Grant(task="who", kind=EntryKind.SOLVE, milli_points=15_000)
    before = stage.total()
    rule(stage, Ruling(reverses=(solve,), grants=(grant,), reason="It is worth less."))
    assert stage.total() == before - 5_000
    with stage.database.reading() as session:
        booked = session.scalars(select(ScoreEntryRow).order_by(ScoreEntryRow.id)).all()
        taken_back = next(row for row in booked if row.idem_key == solve)
    assert [(row.reverses_id, row.milli_points, row.reason) for row in booked[-2:]] == [
        (taken_back.id, -20_000, "It is worth less."),
        (None, 15_000, "It is worth less."),
    ]
    with pytest.raises(NotReversibleError, match="taken back already"):
        rule(stage, Ruling(reverses=(solve,), reason="Again."), "again")
    assert stage.total() == before - 5_000
    assert replaying(stage).replay(stage.exercise).holds
    assert proving(stage).verify(stage.exercise).faults == ()


def test_a_changed_fact_is_named_with_what_should_have_followed(stage: Stage) -> None:
    play(stage)
    by_hand(stage, "UPDATE score_facts SET outcome = 'wrong' WHERE subject = 'who'")
    found = replaying(stage).replay(stage.exercise)
    assert not found.holds
    assert found.ledger_hash != found.replay_hash
    named = {(d.what, d.key.split(":")[0]) for d in found.teams[0].differences}
    assert named == {("extra", "solve"), ("extra", "cost")}
    assert found.teams[1].differences == ()


def test_a_replay_sees_a_running_exercise_as_of_one_moment(stage: Stage) -> None:
    stage.answer("mark", stage.value("mark"))
    with stage.database.snapshot() as session:
        before = booked_entries(session, stage.team().id)
        stage.answer("who", stage.value("intruder"))
        facts = list(all_facts(session, stage.team().id))
        assert (len(facts), booked_entries(session, stage.team().id)) == (1, before)
    assert replaying(stage).replay(stage.exercise).holds


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(drawn_facts(25), min_size=2, max_size=2), st.randoms(use_true_random=False))
def test_facts_of_teams_in_any_order_are_booked_as_in_a_replay_of_each_alone(
    stage: Stage, histories: list[list[Fact]], shuffle: random.Random
) -> None:
    rules, now = Rules.of(HISTORY), stage.clock.now()
    exercise, teams = stage.exercise.id, [team.id for team in stage.exercise.teams]
    # Ids of facts are the database's own over all teams.
    facts = [
        [fact._replace(id=f"{place}{fact.id}") for fact in history]
        for place, history in enumerate(histories)
    ]
    turns = [place for place, history in enumerate(facts) for _ in history]
    shuffle.shuffle(turns)
    with Session(stage.database.engine) as session:
        left = [iter(history) for history in facts]
        books = [TeamBooks(session, exercise, team, recorded_at=now) for team in teams]
        for place in turns:
            take(next(left[place]), books[place], rules)
        for team, history in zip(teams, facts, strict=True):
            booked = {b.entry.key: b.entry for b in booked_entries(session, team)}
            alone, impossible = replay(team, history, rules)
            assert not impossible
            assert list(differences(booked, alone.entries)) == []
            assert list(booked) == list(alone.entries)
            assert list(all_facts(session, team)) == history
            assert first_break(links(session, team)) is None
            kept = standings_of(session, [team])[0].get(team, Total())
            assert kept == Total.of(list(alone.entries.values()))
        session.rollback()


@pytest.mark.engine
def test_the_same_facts_have_the_same_board_on_both_databases(
    postgres_url: str, tmp_path: Path
) -> None:
    stage = Stage.raised(f"sqlite:///{tmp_path / 'one.db'}", tmp_path, scenario=WITH_HINTS)
    play(stage)
    other = Database(postgres_url, queue=RecordingQueue())
    create_tables(other)
    with stage.database.engine.connect() as source, other.engine.begin() as target:
        for table in Base.metadata.sorted_tables:
            rows = [dict(row) for row in source.execute(select(table)).mappings()]
            if rows:
                target.execute(table.insert(), rows)
    clock = SystemClock()
    library = Library(other, clock, tmp_path / "other")
    exercises = Exercises(other, clock, Users(other, clock), library)
    here = replaying(stage).replay(stage.exercise)
    there = Replaying(other, exercises).replay(exercises.get(stage.name))
    other.close()
    stage.database.close()
    assert here.holds
    assert there.holds
    hashes = {here.ledger_hash, here.replay_hash, there.ledger_hash, there.replay_hash}
    assert len(hashes) == 1


# The chain, its seals, and what is kept beside it


def test_every_entry_hangs_on_the_one_before(stage: Stage) -> None:
    play(stage)
    with stage.database.reading() as session:
        rows = session.scalars(
            select(ScoreEntryRow)
            .where(ScoreEntryRow.team_id == stage.team().id)
            .order_by(ScoreEntryRow.position)
        ).all()
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    assert [row.prev_hash for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert proving(stage).verify(stage.exercise).faults == ()


def test_any_change_to_an_entry_breaks_the_chain_there(stage: Stage) -> None:
    stage.answer("mark", stage.value("mark"))
    stage.answer("who", stage.value("intruder"))
    stage.answer("read", "yes")
    changes = {
        "milli_points": "99000",
        "task": "'mark'",
        "effective_at": "'2031-01-01 00:00:00.000000'",
        "recorded_at": "'2031-01-01 00:00:00.000000'",
        "cause_id": "'nobody'",
        "reason": "'because'",
        "user_id": "NULL",
        "prev_hash": f"'{'0' * 64}'",
    }
    for column, value in changes.items():
        by_hand(stage, "CREATE TABLE kept AS SELECT * FROM score_entries WHERE id = 2")
        by_hand(stage, f"UPDATE score_entries SET {column} = {value} WHERE id = 2")
        first = proving(stage).verify(stage.exercise).faults[0]
        assert first.startswith("entry 2 of team-1 breaks the chain: its "), column
        back = f"UPDATE score_entries SET {column} = (SELECT {column} FROM kept) WHERE id = 2"
        by_hand(stage, back)
        by_hand(stage, "DROP TABLE kept")
        assert proving(stage).verify(stage.exercise).faults == ()


def test_an_entry_that_is_gone_breaks_the_chain_after_it(stage: Stage) -> None:
    stage.answer("mark", stage.value("mark"))
    stage.answer("who", stage.value("intruder"))
    by_hand(stage, "DELETE FROM score_entries WHERE task = 'mark'")
    faults = proving(stage).verify(stage.exercise).faults
    assert faults[0] == "entry 2 of team-1 breaks the chain: its position should be 1 and is 2"


def test_a_ledger_that_was_cut_off_at_its_end_is_missed_by_its_seal(stage: Stage) -> None:
    stage.answer("mark", stage.value("mark"))
    stage.answer("who", stage.value("intruder"))
    sealed = proving(stage).seal(stage.exercise)
    assert proving(stage).seal(stage.exercise) == sealed  # nothing was booked since
    assert proving(stage).verify(stage.exercise).seal == sealed
    by_hand(stage, "DELETE FROM score_entries WHERE task = 'who'")
    proving(stage).rebuild(stage.exercise)
    (fault,) = proving(stage).verify(stage.exercise).faults
    assert fault.startswith("seal 1: entry 2 of team")
    assert fault.endswith("and is gone")


def test_a_changed_seal_is_found_and_the_next_hangs_on_it(stage: Stage) -> None:
    for task in ("mark", "who"):
        stage.answer(task, stage.value({"mark": "mark", "who": "intruder"}[task]))
        proving(stage).seal(stage.exercise)
    with stage.database.reading() as session:
        first, second = session.scalars(select(SealRow).order_by(SealRow.number))
    assert second.prev_hash == first.hash
    by_hand(stage, f"UPDATE score_seals SET hash = '{'0' * 64}' WHERE number = 1")
    faults = proving(stage).verify(stage.exercise).faults
    assert [fault.split(":")[0] for fault in faults] == ["seal 1", "seal 2"]


def test_standings_are_dropped_and_made_again_from_the_ledger(stage: Stage) -> None:
    play(stage)
    board = stage.scoring.board(stage.exercise)
    with stage.database.engine.begin() as connection:
        connection.execute(update(StandingRow).values(milli_points=1, tasks={"who": 1}))
    faults = proving(stage).verify(stage.exercise).faults
    assert [fault[:11] for fault in faults] == ["the standin"] * 2
    assert proving(stage).rebuild(stage.exercise) == 2
    assert proving(stage).verify(stage.exercise).faults == ()
    assert stage.scoring.board(stage.exercise) == board


def test_what_is_booked_after_standings_were_dropped_counts_all_before(stage: Stage) -> None:
    play(stage)
    with stage.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM standings"))
    before = 18_000 + 30_000 + 13_333
    stage.answer("mark", stage.value("mark"))
    assert stage.total() == before + 10_000


# Each night


def test_each_night_every_ledger_is_looked_through_and_sealed(stage: Stage) -> None:
    play(stage)
    proofs = proving(stage)
    assert (proofs.sweep(), proofs.sweep()) == (1, 0)
    (job,) = stage.queue.take()
    assert (job.name, job.arguments) == ("scoring.prove", (stage.exercise.id,))
    assert proofs.prove(stage.exercise.id).faults == ()
    stage.clock.advance(DAY - timedelta(seconds=1))
    assert proofs.sweep() == 0
    stage.clock.advance(timedelta(seconds=1))
    assert proofs.sweep() == 1
    with stage.database.reading() as session:
        assert [seal.why for seal in session.scalars(select(SealRow))] == [Why.NIGHTLY]


def test_a_ledger_is_sealed_once_its_exercise_has_ended(stage: Stage) -> None:
    play(stage)
    proofs = proving(stage)
    proofs.prove(stage.exercise.id)
    stage.answer("mark", stage.value("mark"))
    stage.pass_time(1)
    stage.exercises.end(stage.exercise.id)
    assert proofs.sweep() == 1
    stage.pass_time(1)
    proofs.prove(stage.exercise.id)
    assert proofs.sweep() == 0
    with stage.database.reading() as session:
        seals = session.scalars(select(SealRow).order_by(SealRow.number))
        assert [seal.why for seal in seals] == [Why.NIGHTLY, Why.END]


def test_what_does_not_hold_is_told_in_the_event_log_and_not_sealed(stage: Stage) -> None:
    stage.answer("mark", stage.value("mark"))
    by_hand(stage, "UPDATE score_entries SET milli_points = 99000")
    proofs = proving(stage)
    assert proofs.known_faults() == {}
    fault = proofs.prove(stage.exercise.id).faults[0]
    assert proofs.known_faults()[stage.name][0] == fault
    told = Journal(stage.database, stage.clock).latest(stage.exercise.id)
    assert next(entry.text for entry in told if entry.act == BROKEN).startswith(fault)
    with stage.database.reading() as session:
        assert session.scalars(select(SealRow)).all() == []


# Guards


def test_no_row_of_a_guarded_table_is_changed_or_removed(stage: Stage) -> None:
    play(stage)
    stage.see_door(shut=False)
    stage.looks("shut", 1)  # twice, and the first is kept apart
    window = Declared(length=timedelta(minutes=1), reason="a switch")
    stage.scoring.maintenance.declare(stage.exercise, window, by=None)
    feed(stage)
    proving(stage).seal(stage.exercise)
    emptied = {"postgresql": "TRUNCATE {} CASCADE"}.get(stage.database.engine.dialect.name)
    for table in GUARDED:
        before = rows_of(stage, table)
        assert before or table in ELSEWHERE
        if not before:
            continue
        column = {"score_seals": "why"}.get(table, "team_id")
        for attempt in ("UPDATE {} SET {column} = {column}", "DELETE FROM {}", emptied):
            with (
                pytest.raises(DBAPIError, match=f"{table} is append-only"),
                stage.database.engine.begin() as connection,
            ):
                connection.execute(text((attempt or "DELETE FROM {}").format(table, column=column)))
        assert rows_of(stage, table) == before


# No row of these comes by playing here: duels and maintenance have tests of their own.
ELSEWHERE = {"maintenance_windows", "flag_issues", "service_looks", "captures"}


def feed(stage: Stage) -> None:
    with stage.database.transaction() as transaction:
        item = FeedItemRow(
            id="item",
            exercise_id=stage.exercise.id,
            team_id=stage.team().id,
            task="who",
            event="1",
            source="CERT",
            milli_points=0,
            reason="early",
            sent_at=stage.clock.now(),
            received_at=stage.clock.now(),
        )
        assert ScoreRepository(transaction.session).add_feed_item(item)


def rows_of(stage: Stage, table: str, columns: str = "*") -> list[object]:
    with stage.database.engine.connect() as connection:
        return list(connection.execute(text(f"SELECT {columns} FROM {table}")))


def test_no_row_of_a_guarded_table_is_replaced_on_sqlite(tmp_path: Path) -> None:
    # REPLACE, which SQLite alone has, removes rows without telling their guards.
    stage = Stage.raised(f"sqlite:///{tmp_path / 'poligon.db'}", tmp_path, scenario=WITH_HINTS)
    play(stage)
    feed(stage)
    proving(stage).seal(stage.exercise)
    for table in GUARDED:
        before = rows_of(stage, table, "rowid, *")
        with suppress(DBAPIError), stage.database.engine.begin() as connection:
            connection.execute(text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"))
        assert rows_of(stage, table, "rowid, *") == before
    stage.database.close()
