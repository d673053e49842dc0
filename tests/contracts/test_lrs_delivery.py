"""Statements on their way to an LRS that has something wrong with it, on both databases."""

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from email.utils import format_datetime

import pytest

from core.clock import SystemClock
from core.db import Database
from scoring.exports.as_xapi import voided
from scoring.lrs.delivering import BATCH, HELD_FOR, Delivering, Sent
from scoring.lrs.http_lrs import HttpLrs
from scoring.lrs.lrs import Answer
from scoring.lrs.repository import OutboxRepository
from scoring.lrs.state import State
from tests.fakes.clock import FakeClock
from tests.fakes.lrs import KEY, SECRET, Call, FakeLrs, Wrong
from tests.fakes.outbox_stage import ADDRESS, HOME, Post, said

PATIENCE = timedelta(minutes=1)
SHORT = timedelta(seconds=0.5)
AWAY = Wrong(status=503)
HANGS = Wrong(status=200, body=b"x", pause=90)


@pytest.fixture
def http(lrs: FakeLrs) -> Iterator[HttpLrs]:
    with client(lrs) as http:
        yield http


def client(lrs: FakeLrs, *, secret: str = SECRET, within: timedelta = PATIENCE) -> HttpLrs:
    return HttpLrs(lrs.url, key=KEY, secret=secret, within=within)


def deliver_all(post: Post, clock: FakeClock) -> None:
    """Sweep until nothing waits; time passes as long as it has to."""
    for _ in range(200):
        post.delivering.sweep()
        if State.WAITING not in post.states():
            return
        clock.advance(timedelta(seconds=max(0, post.due_in())))
    pytest.fail(f"they never all went: {post.states()}")


@pytest.fixture
def post(database: Database, clock: FakeClock, http: HttpLrs) -> Post:
    return Post(database, clock, http)


def names(count: int) -> list[str]:
    return [f"p{number}" for number in range(count)]


def test_statements_go_out_oldest_first_in_batches(post: Post, lrs: FakeLrs) -> None:
    ids = post.book(*names(2 * BATCH + 1))
    assert post.delivering.sweep() == Sent(delivered=2 * BATCH + 1)
    assert [len(call.ids) for call in lrs.calls] == [BATCH, BATCH, 1]
    assert lrs.stored == ids
    assert post.delivering.sweep() == Sent()
    assert len(lrs.calls) == 3


@pytest.mark.parametrize("status", [200, 400, 409])
def test_a_batch_with_a_duplicate_still_delivers_the_rest(
    post: Post, lrs: FakeLrs, status: int
) -> None:
    lrs.duplicates_are = status
    ids = post.book(*names(12))
    lrs.statements[ids[5]] = {"id": ids[5], **said("p5")}
    assert post.delivering.sweep() == Sent(delivered=12)
    assert sorted(lrs.stored) == sorted({*ids} - {ids[5]})
    assert post.states() == {State.DELIVERED: 12}


def test_a_duplicate_that_was_taken_back_meanwhile_is_found(post: Post, lrs: FakeLrs) -> None:
    (id_,) = post.book("ada")
    lrs.statements[id_] = {"id": id_, **said("ada")}
    lrs.store([{"id": "void", **voided(id_, HOME, at=post.clock.now())}])
    post.delivering.send()
    assert post.states() == {State.DELIVERED: 1}


def test_another_statement_with_the_same_id_is_a_refusal(post: Post, lrs: FakeLrs) -> None:
    (id_,) = post.book("ada")
    lrs.statements[id_] = {"id": id_, **said("ben")}
    assert post.delivering.send() == Sent(refused=1)
    assert post.states() == {State.REFUSED: 1}


@pytest.mark.parametrize("place", [0, 7, 11])
def test_one_that_is_not_wanted_keeps_none_of_the_others_out(
    post: Post, lrs: FakeLrs, place: int
) -> None:
    ids = post.book(*names(12))
    lrs.unwanted = frozenset({ids[place]})
    assert post.delivering.sweep() == Sent(delivered=11, refused=1)
    assert lrs.stored == [id_ for id_ in ids if id_ != ids[place]]
    with post.database.reading() as session:
        refused = OutboxRepository(session).last_refused()
    assert refused is not None
    assert (refused.id, refused.problem) == (
        *(ids[place], "it answered 400: <p>That is no statement."),
    )


def test_six_hundred_reach_an_lrs_that_fails_at_three_calls_of_ten(
    post: Post, lrs: FakeLrs, clock: FakeClock
) -> None:
    dice = random.Random(17)
    failures = (AWAY, Wrong(), Wrong(stores=True), Wrong(status=500, body=b"{", stores=True))
    lrs.wrong = lambda _: dice.choice(failures) if dice.random() < 0.3 else None
    ids = post.book(*names(600))
    deliver_all(post, clock)
    assert sorted(lrs.stored) == sorted(ids)
    assert post.states() == {State.DELIVERED: 600}
    assert any(call.method == "GET" for call in lrs.calls)  # of batches that were stored unseen


class Dies(HttpLrs):
    """A sender that is gone once the LRS has stored what it sent."""

    def post(self, statements: Sequence[str]) -> Answer:
        super().post(statements)
        raise ProcessLookupError


def test_a_sender_that_dies_before_it_knew_delivers_once(
    post: Post, lrs: FakeLrs, http: HttpLrs
) -> None:
    ids = post.book(*names(3))
    with Dies(lrs.url, key=KEY, secret=SECRET, within=PATIENCE) as dies:
        doomed = Delivering(post.database, post.clock, dies, address=ADDRESS)
        with pytest.raises(ProcessLookupError):
            doomed.sweep()
    assert (lrs.stored, post.states()) == (ids, {State.WAITING: 3})
    post.delivering.sweep()
    assert (lrs.stored, post.states()) == (ids, {State.DELIVERED: 3})
    assert [call.method for call in lrs.calls] == ["POST", "POST", "GET", "GET", "GET"]


def test_only_one_delivers_at_a_time_and_a_dead_one_for_a_minute_at_most(
    post: Post, lrs: FakeLrs, clock: FakeClock
) -> None:
    post.book("ada")
    now = post.clock.now()
    with post.database.transaction() as transaction:
        repository = OutboxRepository(transaction.session)
        assert repository.hold(ADDRESS, "another", until=now + HELD_FOR, now=now)
    assert post.delivering.send().problem == "another process is delivering now"
    assert lrs.calls == []
    clock.advance(HELD_FOR)
    assert post.delivering.send() == Sent(delivered=1)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (Wrong(status=200, body=b"<html>Log in to this network</html>"), "not the ids"),
        (Wrong(status=200, body=b'["another"]'), "not the ids"),
        (Wrong(status=200, body=b'{"error": "no"}'), "not the ids"),
        (Wrong(status=200, body=b"[" * 900 + b"]" * 900), "not the ids"),
        (Wrong(status=200, body=b'[null, 1, {"a": []}]'), "not the ids"),
        (Wrong(status=200, body=b"[" * 100_000), "not the ids"),
        (Wrong(status=200, body=b"\x00" * 65536, parts=100), "more than 262144 bytes"),
        (Wrong(status=401), "it answered 401"),
        (Wrong(status=403), "it answered 403"),
        (Wrong(status=404, body=b"no  such\npage"), "it answered 404: no such page"),
        (Wrong(status=302, headers={"Location": "http://127.0.0.1:1/"}), "it answered 302"),
        (Wrong(status=429), "it answered 429"),
        (Wrong(status=200, headers={"Content-Encoding": "gzip"}, body=b"x"), "not the ids"),
    ],
)
def test_an_answer_that_says_nothing_of_statements_lets_all_wait(
    post: Post, lrs: FakeLrs, wrong: Wrong, problem: str
) -> None:
    post.book(*names(3))
    lrs.wrong = lambda _: wrong
    assert problem in post.delivering.sweep().problem
    assert post.states() == {State.WAITING: 3}
    assert len(lrs.calls) == 1
    assert 20 < post.due_in() < 21
    post.delivering.sweep()
    assert len(lrs.calls) == 1
    lrs.wrong = lambda _: None
    assert post.delivering.send() == Sent(delivered=3)


def test_a_wrong_secret_lets_all_wait(post: Post, lrs: FakeLrs) -> None:
    post.book("ada")
    with client(lrs, secret="no longer") as http:
        wrong = Delivering(post.database, post.clock, http, address=ADDRESS)
        assert wrong.sweep().problem == "it answered 401: Who are you?"
    assert (lrs.statements, post.states()) == ({}, {State.WAITING: 1})


@pytest.mark.parametrize(
    ("asked", "seconds"), [("120", 120), ("900000", 3600), ("soon", 0.9), ("-1", 0.9)]
)
def test_an_lrs_is_left_alone_as_long_as_it_asks_within_an_hour(
    post: Post, lrs: FakeLrs, asked: str, seconds: float
) -> None:
    post.book("ada")
    lrs.wrong = lambda _: Wrong(status=503, headers={"Retry-After": asked})
    post.delivering.sweep()
    assert post.due_in() == pytest.approx(seconds, abs=0.9)


def test_an_lrs_may_say_until_when_by_its_own_clock(post: Post, lrs: FakeLrs) -> None:
    post.book("ada")

    def too_many(_: Call) -> Wrong:
        until = SystemClock().now() + timedelta(minutes=2)
        return Wrong(status=429, headers={"Retry-After": format_datetime(until, usegmt=True)})

    lrs.wrong = too_many
    post.delivering.sweep()
    assert post.due_in() == pytest.approx(120, abs=10)


def test_waits_get_longer_up_to_five_minutes_and_begin_anew_once_it_answers(
    post: Post, lrs: FakeLrs
) -> None:
    post.book("ada")
    lrs.wrong = lambda _: AWAY
    waits = []
    for _ in range(12):
        post.delivering.send()
        waits.append(post.due_in())
    assert waits == sorted(waits)
    assert waits[-1] == 150  # the dice take off half
    lrs.wrong = lambda _: None
    assert post.delivering.send() == Sent(delivered=1)
    lrs.wrong = lambda _: AWAY
    post.book("ben")
    post.delivering.send()
    assert post.due_in() == waits[0]


@pytest.mark.parametrize(
    "slow",
    [HANGS, Wrong(status=200, body=b" ", parts=500, pause=0.2)],
)
def test_an_lrs_that_hangs_or_drips_is_given_up_in_time(
    post: Post, lrs: FakeLrs, slow: Wrong
) -> None:
    post.book("ada")
    lrs.wrong = lambda _: slow
    begun = SystemClock().now()
    with client(lrs, within=SHORT) as http:
        patient = Delivering(post.database, post.clock, http, address=ADDRESS)
        assert patient.sweep().problem == "it did not answer within 0.5 s"
    assert SystemClock().now() - begun < PATIENCE
    assert post.states() == {State.WAITING: 1}


def test_an_lrs_that_is_not_there_lets_all_wait(post: Post) -> None:
    post.book("ada")
    with HttpLrs("http://127.0.0.1:1/xapi", key="", secret="") as nowhere:
        lost = Delivering(post.database, post.clock, nowhere, address=ADDRESS)
        assert lost.sweep().problem.startswith("it is not reached: ")
    assert post.states() == {State.WAITING: 1}


def test_nothing_is_taken_back_before_it_was_delivered(post: Post, lrs: FakeLrs) -> None:
    (id_,) = post.book("ada")
    void = post.take_back(id_, "ada")
    lrs.wrong = lambda call: AWAY if call.method == "POST" else None
    post.delivering.sweep()
    assert {len(call.ids) for call in lrs.calls} == {1}
    lrs.wrong = lambda _: None
    assert post.delivering.send() == Sent(delivered=2)
    assert lrs.stored == [id_, void]
    assert lrs.standing == {}


def test_what_was_refused_is_not_taken_back_and_not_tried_again(post: Post, lrs: FakeLrs) -> None:
    (id_,) = post.book("ada")
    post.take_back(id_, "ada")
    lrs.unwanted = frozenset({id_})
    post.delivering.send()
    assert (lrs.statements, post.states()) == ({}, {State.NEEDLESS: 2})
    with post.database.transaction() as transaction:
        assert OutboxRepository(transaction.session).try_again() == 0


def test_what_was_refused_can_be_sent_again(post: Post, lrs: FakeLrs) -> None:
    ids = post.book("ada", "ben")
    lrs.unwanted = frozenset({ids[0]})
    post.delivering.send()
    lrs.unwanted = frozenset()
    with post.database.transaction() as transaction:
        assert OutboxRepository(transaction.session).try_again() == 1
    assert post.delivering.send() == Sent(delivered=1)
    assert set(lrs.stored) == set(ids)


def test_a_statement_arrives_as_it_was_booked(post: Post, lrs: FakeLrs) -> None:
    (id_,) = post.book('Ђ̷ \u2028 " ü')
    post.delivering.send()
    assert lrs.statements[id_] == {"id": id_, **said('Ђ̷ \u2028 " ü')}


def test_a_key_that_may_not_read_has_what_is_there_already_refused(
    post: Post, lrs: FakeLrs
) -> None:
    ids = post.book("ada", "ben")
    lrs.statements[ids[0]] = {"id": ids[0], **said("ada")}
    lrs.wrong = lambda call: Wrong(status=403) if call.method == "GET" else None
    assert post.delivering.send() == Sent(delivered=1, refused=1)
    assert lrs.stored == [ids[1]]


def test_a_lookup_of_which_some_calls_fail_goes_on_with_the_rest(post: Post, lrs: FakeLrs) -> None:
    ids = post.book(*names(BATCH))
    for id_, name in zip(ids, names(BATCH), strict=True):
        lrs.statements[id_] = {"id": id_, **said(name)}
    seen = set[str]()

    def fails_once(call: Call) -> Wrong | None:
        is_new = call.method == "GET" and call.ids[0] not in seen
        seen.update(call.ids if call.method == "GET" else ())
        return Wrong() if is_new and call.ids[0] in ids[::3] else None

    lrs.wrong = fails_once
    assert post.delivering.send() == Sent(delivered=BATCH)
    assert len([call for call in lrs.calls if call.method == "GET"]) == BATCH + len(ids[::3])
    assert [call for call in lrs.calls if call.method == "PUT"] == []


def test_a_lookup_that_hangs_is_given_up_in_time(post: Post, lrs: FakeLrs) -> None:
    ids = post.book(*names(BATCH))
    lrs.statements[ids[0]] = {"id": ids[0], **said("p0")}
    lrs.wrong = lambda call: HANGS if call.method == "GET" else None
    begun = SystemClock().now()
    with client(lrs, within=SHORT) as http:
        patient = Delivering(post.database, post.clock, http, address=ADDRESS)
        assert patient.sweep().problem == "it did not answer within 0.5 s"
    assert SystemClock().now() - begun < PATIENCE
    assert post.states() == {State.WAITING: BATCH}


class Slow(HttpLrs):
    """An LRS that takes ten seconds for each statement that comes alone."""

    def __init__(self, lrs: FakeLrs, clock: FakeClock) -> None:
        super().__init__(lrs.url, key=KEY, secret=SECRET, within=PATIENCE)
        self.clock = clock

    def put(self, id_: str, statement: str) -> Answer:
        self.clock.advance(timedelta(seconds=10))
        return super().put(id_, statement)


def test_a_round_ends_in_time_also_among_those_that_go_alone(
    post: Post, lrs: FakeLrs, clock: FakeClock
) -> None:
    ids = post.book(*names(12))
    lrs.unwanted = frozenset({ids[11]})
    with Slow(lrs, clock) as slow:
        patient = Delivering(post.database, clock, slow, address=ADDRESS)
        assert patient.sweep() == Sent(delivered=1)
        # All of them take longer than anybody holds an LRS who is heard of no more.
        assert patient.send() == Sent(delivered=10, refused=1)


def test_an_lrs_that_takes_a_batch_and_does_not_have_it_is_asked_again(
    post: Post, lrs: FakeLrs
) -> None:
    post.book(*names(3))
    lrs.wrong = lambda call: Wrong(status=200, body=b"[]") if call.method == "POST" else None
    assert (
        post.delivering.sweep().problem == "it took a batch, and does not have all that was in it"
    )
    assert post.states() == {State.WAITING: 3}


def test_a_batch_that_is_there_as_a_whole_is_delivered(post: Post, lrs: FakeLrs) -> None:
    lrs.duplicates_are = 200
    ids = post.book(*names(3))
    for id_, name in zip(ids, names(3), strict=True):
        lrs.statements[id_] = {"id": id_, **said(name)}
    assert post.delivering.sweep() == Sent(delivered=3)
    assert [call.method for call in lrs.calls] == ["POST"]


@pytest.mark.parametrize("status", [200, 400, 500])
def test_what_no_database_can_store_is_said_otherwise(
    post: Post, lrs: FakeLrs, status: int
) -> None:
    post.book("ada")
    garbage = Wrong(status=status, body=bytes(range(256)) * 8)
    lrs.wrong = lambda call: None if call.method == "GET" else garbage
    sent = post.delivering.send()
    with post.database.reading() as session:
        repository = OutboxRepository(session)
        row, refused = repository.lrs(ADDRESS), repository.last_refused()
    assert row is not None
    problem = refused.problem if refused is not None else row.problem
    assert problem == (sent.problem or problem)
    assert "\ufffd\x01\x02" in problem
    assert len(problem) < 400


def test_what_is_no_http_is_said_in_short(post: Post, lrs: FakeLrs) -> None:
    post.book("ada")
    lrs.wrong = lambda _: Wrong(status=200, headers={"X": "\x00" * 30_000})
    problem = post.delivering.sweep().problem
    assert problem.startswith("it is not reached: ")
    assert len(problem) < 400
    assert post.states() == {State.WAITING: 1}
