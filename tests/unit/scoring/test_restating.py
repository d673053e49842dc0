"""After a correction a ledger has what it would have, had it been so from the beginning."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.ids import TeamId
from scoring.domain.amending import Amendments
from scoring.domain.amendments import (
    Accept,
    Adjust,
    Amendment,
    Decided,
    Defective,
    Exclude,
    Reprice,
    Revoke,
    Void,
)
from scoring.domain.attack_defence.entries import LEDGER_NAME, round_ruling
from scoring.domain.attempts import AnswerVerdict
from scoring.domain.deriving import take
from scoring.domain.ledger import AT_ONCE, Cause, Entry, Fact
from scoring.domain.memory import MemoryBooks
from scoring.domain.replay import replay
from scoring.domain.rules import Rules
from scoring.domain.standings import Total, standings
from scoring.domain.verdicts import Verdict
from tests.fakes.histories import SCENARIO, START, drawn_facts

TEAM = TeamId("team")
RULES = Rules.of(SCENARIO)
LATER = START + timedelta(hours=3)


def decided(amendment: Amendment, id_: str = "corrected", *, reason: str = "Why.") -> Fact:
    return Fact(Cause.CORRECTION, id_, LATER, decided=Decided(amendment=amendment, reason=reason))


def restating(amendment: Amendment, id_: str, **rounds: int) -> Fact:
    body = Decided(amendment=amendment, reason="Why.", rounds=rounds)
    return Fact(Cause.CORRECTION, id_, LATER, decided=body)


def closed(id_: str, points: int, *, minutes: int) -> Fact:
    at = START + timedelta(minutes=minutes)
    return Fact(Cause.SERVICE_ROUND, id_, at, ruling=round_ruling(points))


def booked(*facts: Fact, team: str = TEAM) -> MemoryBooks:
    books, impossible = replay(TeamId(team), facts, RULES)
    assert not impossible
    return books


def sent(id_: str, outcome: AnswerVerdict = AnswerVerdict.CORRECT, *, minutes: int = 0) -> Fact:
    at = START + timedelta(minutes=minutes)
    return Fact(Cause.SUBMISSION, id_, at, subject="who", outcome=outcome)


def looks(check: str, *verdicts: Verdict, first: int = 0) -> list[Fact]:
    """Return a round every ten seconds from `START` on."""
    return [
        Fact(
            *(Cause.CHECK_RUN, f"{check} {number}", START + timedelta(seconds=10 * number)),
            subject=check,
            number=number,
            outcome=verdict,
            elapsed=timedelta(seconds=10 * number),
        )
        for number, verdict in enumerate(verdicts, start=first)
    ]


def seconds(first: int, last: int, check: str = "web") -> Defective:
    return Defective(
        check=check,
        since=START + timedelta(seconds=first),
        until=START + timedelta(seconds=last),
    )


def stands(books: MemoryBooks) -> list[tuple[str, str, int, object]]:
    """Return what stands for each effect, however it came to be there."""
    effects = sorted(books.effects().items())
    return [(key, e.task, e.milli_points, e.effective_at) for key, e in effects]


def _amendment(correction: Fact) -> Amendment:
    assert correction.decided is not None
    return correction.decided.amendment


def total(books: MemoryBooks) -> Total:
    return Total.of(list(books.entries.values()))


def new_in(books: MemoryBooks, before: MemoryBooks) -> list[Entry]:
    return [entry for key, entry in books.entries.items() if key not in before.entries]


UP, DOWN, MUMBLE = Verdict.UP, Verdict.DOWN, Verdict.MUMBLE

# For any history


def drawn_amendments(facts: Sequence[Fact]) -> st.SearchStrategy[Amendment]:
    wrong = tuple(f.id for f in facts if f.outcome == AnswerVerdict.WRONG)
    return st.one_of(
        st.builds(Void, task=st.sampled_from(["who", "contain", "keep_up", "keep"])),
        st.builds(Reprice, task=st.sampled_from(["who", "keep_up"]), points=st.integers(0, 40)),
        st.builds(Reprice, task=st.just("contain"), points=st.integers(10, 40)),
        st.builds(Reprice, task=st.just("keep"), points=st.integers(-20, -1)),
        st.builds(
            Adjust,
            team=st.just("team-1"),
            task=st.sampled_from(["who", "keep"]),
            points=st.integers(1, 9),
        ),
        st.tuples(st.sampled_from(["web", "shut"]), st.integers(-600, 3000)).map(
            lambda drawn: seconds(drawn[1], drawn[1] + 600, drawn[0])
        ),
        st.just(Accept(task="who", value="bob", submissions=wrong)),
    )


@st.composite
def drawn_histories(draw: st.DrawFn) -> tuple[list[Fact], list[Fact]]:
    """Return facts, and the same with corrections among them."""
    facts = draw(drawn_facts())
    corrected = list(facts)
    for number, amendment in enumerate(draw(st.lists(drawn_amendments(facts), max_size=3))):
        place = draw(st.integers(0, len(corrected)))
        corrected.insert(place, decided(amendment, f"c{number}"))
    return facts, corrected


@given(drawn_histories())
def test_when_a_correction_came_does_not_matter_to_what_stands(
    drawn: tuple[list[Fact], list[Fact]],
) -> None:
    _, corrected = drawn
    corrections = [fact for fact in corrected if fact.decided is not None]
    if any(isinstance(amended, Adjust) for amended in map(_amendment, corrections)):
        # Points given by hand count from then on: a hint paid at once finds them, or not yet.
        corrected = [fact for fact in corrected if fact.outcome != AT_ONCE]
    plain = [fact for fact in corrected if fact.decided is None]
    late, early = booked(*plain, *corrections), booked(*corrections, *plain)
    assert stands(booked(*corrected)) == stands(late) == stands(early)
    assert total(late).milli_points == sum(e.milli_points for e in late.effects().values())


def test_points_given_by_hand_pay_for_the_hints_of_later_only() -> None:
    hint = Fact(Cause.HINT, "hint", START, subject="who", outcome=AT_ONCE, milli_points=400)
    gift = decided(Adjust(team="team-1", task="who", points=Decimal(1)))
    assert total(booked(hint, gift)).milli_points == 1000
    assert total(booked(gift, hint)).milli_points == 600


@given(drawn_histories())
def test_the_ledger_adds_up_to_what_the_shadow_has(
    drawn: tuple[list[Fact], list[Fact]],
) -> None:
    _, corrected = drawn
    books = booked(*corrected)
    amendments = Amendments.of(books.corrections())
    if books.shadow is not None:
        wanted = books.shadow.effects().values()
        points = sum(e.milli_points for e in wanted if e.task not in amendments.voided)
        assert total(books).milli_points == points


@given(drawn_histories())
def test_a_revoked_correction_leaves_what_was_there_and_every_row(
    drawn: tuple[list[Fact], list[Fact]],
) -> None:
    # A peer's rollback deletes the rows of what it rolls back.
    facts, corrected = drawn
    before = booked(*corrected)
    revoked = [
        decided(Revoke(correction=fact.id), f"no {fact.id}") for fact in before.corrections()
    ]
    after = booked(*corrected, *revoked)
    assert stands(after) == stands(booked(*facts))
    assert list(after.entries)[: len(before.entries)] == list(before.entries)


@given(drawn_histories())
def test_the_same_correction_again_changes_nothing(
    drawn: tuple[list[Fact], list[Fact]],
) -> None:
    _, corrected = drawn
    again = [
        fact._replace(id=f"again {fact.id}")
        for fact in corrected
        if fact.decided is not None and not isinstance(fact.decided.amendment, Adjust)
    ]
    once = booked(*corrected)
    assert booked(*corrected, *corrected).entries == once.entries
    if not _has_two_prices(corrected):
        assert booked(*corrected, *again).entries == once.entries


def _has_two_prices(facts: Sequence[Fact]) -> bool:
    changed = [f.decided.amendment for f in facts if f.decided is not None]
    tasks = [amendment.task for amendment in changed if isinstance(amendment, Reprice)]
    return len(tasks) != len(set(tasks))


# Each kind


def test_a_void_task_gives_nothing_and_a_later_answer_to_it_neither() -> None:
    hint = Fact(Cause.HINT, "hint", START, subject="who", milli_points=5000)
    void = decided(Void(task="who"), reason="It had two answers.")
    after = booked(hint, sent("right"), void)
    assert [(e.kind, e.milli_points, e.reason) for e in after.entries.values()] == [
        ("solve", 20_000, ""),
        ("cost", -5000, ""),
        ("solve", -20_000, "It had two answers."),
        ("cost", 5000, "It had two answers."),
    ]
    assert total(booked(void, hint, sent("right"))).milli_points == 0


def test_another_price_holds_for_whoever_has_done_the_task_and_whoever_does_it() -> None:
    cheaper = decided(Reprice(task="who", points=12))
    done_before, done_after = booked(sent("right"), cheaper), booked(cheaper, sent("right"))
    assert total(done_before) == Total(tasks={"who": 12_000}, moved_at=START, entries=3)
    assert total(done_after) == Total(tasks={"who": 12_000}, moved_at=START, entries=1)


def test_a_price_that_is_changed_twice_is_restated_twice() -> None:
    after = booked(
        sent("right"),
        decided(Reprice(task="who", points=12), "first"),
        decided(Reprice(task="who", points=15), "second"),
    )
    solve = f"solve:{TEAM}:who"
    assert list(after.entries) == [
        *(solve, f"reversal:{solve}", f"{solve}~2", f"reversal:{solve}~2", f"{solve}~3"),
    ]
    assert total(after).milli_points == 15_000


def test_rounds_of_a_defective_check_count_on_neither_side() -> None:
    rounds = looks("web", UP, UP, DOWN, DOWN, UP)
    after = booked(*rounds, decided(seconds(20, 40)))
    assert total(booked(*rounds)).tasks["keep_up"] == 7_000 * 3 // 5
    assert total(after).tasks["keep_up"] == 7_000
    assert (after.check("web").rounds.scored, after.check("web").rounds.passed) == (3, 3)


def test_a_defective_check_breaks_no_hold_and_takes_no_guarded_points() -> None:
    rounds = [*looks("web", *[UP] * 6), *looks("shut", UP, UP, DOWN, DOWN, UP)]
    before = booked(*rounds)
    after = booked(*rounds, decided(seconds(20, 40, "shut")))
    assert total(before).tasks == {"contain": 10_000, "keep_up": 7_000, "keep": -9_000}
    assert total(after).tasks == {"contain": 30_000, "keep_up": 7_000, "keep": 0}
    assert after.solved["contain"].at == START + timedelta(seconds=40)


def test_a_solve_by_a_check_that_was_wrong_is_taken_back() -> None:
    rounds = [*looks("web", UP), *looks("shut", UP, UP, UP)]
    after = booked(*rounds, decided(seconds(0, 60, "shut")))
    assert "contain" in booked(*rounds).solved
    assert "contain" not in after.solved
    assert total(after).tasks["contain"] == 10_000


def test_the_window_begins_with_its_first_moment_and_ends_before_its_last() -> None:
    rounds = looks("web", DOWN, DOWN, DOWN)
    after = booked(*rounds, decided(seconds(0, 20)))
    assert after.check("web").rounds.scored == 1


CHECKER = Defective(service="locker", since=START, until=LATER)


def test_a_round_moves_what_the_last_correction_says_at_the_time_that_it_had() -> None:
    rounds = [closed("one", 1732, minutes=3), closed("two", 0, minutes=6)]
    after = booked(*rounds, restating(CHECKER, "first", one=866, two=500))
    assert [(e.milli_points, e.effective_at) for e in after.effects().values()] == [
        (866, rounds[0].at),
        (500, rounds[1].at),
    ]
    assert total(after).tasks == {LEDGER_NAME: 1366}
    also = restating(CHECKER, "second", two=600)
    later = closed("three", 100, minutes=9)
    assert total(booked(*rounds, restating(CHECKER, "first", one=866, two=500), also, later)).tasks[
        LEDGER_NAME
    ] == (866 + 600 + 100)


def test_a_revoked_defect_of_a_checker_leaves_what_was_there() -> None:
    rounds = [closed("one", 1732, minutes=3), closed("two", 0, minutes=6)]
    after = booked(
        *rounds,
        restating(CHECKER, "first", one=866, two=500),
        restating(Revoke(correction="first"), "second", one=1732, two=0),
    )
    assert stands(after) == stands(booked(*rounds))
    assert Amendments.of(after.corrections()).checkers == ()


def test_a_defective_checker_is_none_of_a_check_of_that_name() -> None:
    rounds = looks("web", UP, DOWN)
    checker = Defective(service="web", since=START, until=LATER)
    assert stands(booked(*rounds, decided(checker))) == stands(booked(*rounds))


@pytest.mark.parametrize(
    ("first", "last", "meets"),
    [(0, 60, False), (0, 61, True), (119, 200, True), (120, 200, False), (70, 80, True)],
)
def test_a_round_is_spoilt_when_it_was_on_in_the_window(
    first: int, last: int, *, meets: bool
) -> None:
    began, ended = START + timedelta(minutes=1), START + timedelta(minutes=2)
    assert seconds(first, last).meets(began, ended) is meets


def test_an_answer_that_is_accepted_is_a_solve_when_it_was_sent() -> None:
    accepted = Accept(task="who", value="bob", submissions=("first",))
    wrong = sent("first", AnswerVerdict.WRONG)
    after = booked(wrong, sent("second", minutes=9), decided(accepted))
    assert after.solved["who"].at == START
    assert total(after).tasks == {"who": 20_000}
    assert total(after).moved_at == START


def test_only_the_adjusted_task_moves_and_keeps_the_reason() -> None:
    five_less = Adjust(team="team-1", task="who", points=Decimal(-5))
    after = booked(sent("right"), decided(five_less, reason="They asked another team."))
    before = booked(sent("right"))
    assert [(e.kind, e.milli_points, e.reason) for e in new_in(after, before)] == [
        ("correction", -5_000, "They asked another team.")
    ]


def test_an_excluded_team_keeps_its_points_and_is_known_as_excluded() -> None:
    after = booked(sent("right"), decided(Exclude(team="team-1")))
    assert total(after).milli_points == 20_000
    assert Amendments.of(after.corrections()).is_excluded
    put_back = booked(
        sent("right"), decided(Exclude(team="team-1")), decided(Revoke(correction="corrected"), "b")
    )
    assert not Amendments.of(put_back.corrections()).is_excluded


# Ranks


def test_an_adjustment_does_not_steal_a_tie() -> None:
    # A peer lets a team keep the time of its last solve when points are taken from it later.
    early = booked(sent("one"), decided(Adjust(team="a", task="who", points=Decimal(-5))), team="a")
    late = booked(sent("two", minutes=30), decided(Reprice(task="who", points=15), "c"), team="b")
    ranked = standings(["a", "b"], {"a": total(early), "b": total(late)})
    assert [(s.team, s.rank, s.milli_points) for s in ranked] == [
        ("b", 1, 15_000),
        ("a", 2, 15_000),
    ]


def test_a_restated_solve_keeps_its_place_in_time() -> None:
    price = decided(Reprice(task="who", points=15))
    first = booked(sent("one"), price, team="a")
    second = booked(sent("two", minutes=1), price, team="b")
    ranked = standings(["b", "a"], {"a": total(first), "b": total(second)})
    assert [s.team for s in ranked] == ["a", "b"]


# Shapes


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "adjust", "team": "team-1", "task": "who", "points": 0},
        {"kind": "adjust", "team": "team-1", "task": "who", "points": "0.0001"},
        {"kind": "adjust", "team": "team-1", "task": "who", "points": "NaN"},
        {"kind": "adjust", "team": "team-1", "task": "who", "points": 10**9},
        {"kind": "defective", "check": "web", "since": LATER, "until": START},
        {"kind": "defective", "check": "web", "since": "2026-11-23T10:00:00", "until": LATER},
        {"kind": "defective", "service": "locker", "since": LATER, "until": START},
        {"kind": "defective", "service": "locker", "since": START, "until": START},
        {"kind": "defective", "check": "web", "service": "web", "since": START, "until": LATER},
        {"kind": "defective", "since": START, "until": LATER},
        {"kind": "void"},
        {"kind": "void", "task": "who", "reason": "twice"},
        {"kind": "forgive", "task": "who"},
        {"kind": "accept", "task": "who", "value": ""},
    ],
)
def test_what_is_no_amendment_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Decided.model_validate({"amendment": wrong, "reason": "Why."})


def test_what_was_decided_before_services_could_be_named_is_read() -> None:
    window = {"since": "2026-11-23T10:00:00Z", "until": "2026-11-23T10:20:00Z"}
    old = {"amendment": {"kind": "defective", "check": "web", **window}, "reason": "Why."}
    read = Decided.model_validate(old)
    assert isinstance(read.amendment, Defective)
    assert (read.amendment.check, read.amendment.service, read.rounds) == ("web", None, {})
    assert Decided.model_validate(read.model_dump(mode="json")) == read


def test_a_correction_has_a_reason() -> None:
    with pytest.raises(ValidationError):
        Decided(amendment=Void(task="who"), reason="")


def test_a_fact_after_a_correction_costs_no_new_look_at_all_that_was_before() -> None:
    books = booked(sent("right"), decided(Void(task="keep")))
    shadow = books.shadow
    for fact in looks("web", UP, DOWN):
        take(fact, books, RULES)
    assert books.shadow is shadow
    assert total(books).tasks["keep_up"] == 3_500
