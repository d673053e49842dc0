"""Facts in their order lead to one ledger, however facts of other teams come between them."""

import random
from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.ids import TeamId
from scoring.domain.attempts import AnswerVerdict
from scoring.domain.deriving import take, worth
from scoring.domain.ledger import AT_ONCE, Cause, EntryKind, Fact, Grant, Ruling
from scoring.domain.memory import MemoryBooks
from scoring.domain.replay import differences, replay
from scoring.domain.rules import Rules
from scoring.domain.standings import Total, board_hash
from scoring.domain.verdicts import Verdict
from tests.fakes.histories import SCENARIO, START, drawn_facts

TEAM = TeamId("team")
RULES = Rules.of(SCENARIO)


def booked(facts: Sequence[Fact], team: str = TEAM) -> MemoryBooks:
    books, impossible = replay(TeamId(team), facts, RULES)
    assert not impossible
    return books


def answered(id_: str = "sent") -> Fact:
    return Fact(Cause.SUBMISSION, id_, START, subject="who", outcome=AnswerVerdict.CORRECT)


def cost(cause: Cause, id_: str, milli_points: int, task: str = "who") -> Fact:
    return Fact(cause, id_, START, subject=task, milli_points=milli_points)


def entries(books: MemoryBooks) -> list[tuple[str, int]]:
    return [(entry.kind, entry.milli_points) for entry in books.entries.values()]


# Interleaving


@given(st.lists(drawn_facts(), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_any_interleaving_of_teams_gives_what_each_of_them_alone_gives(
    histories: list[list[Fact]], shuffle: random.Random
) -> None:
    teams = [f"team {number}" for number in range(len(histories))]
    turns = [number for number, facts in enumerate(histories) for _ in facts]
    shuffle.shuffle(turns)
    together = {team: MemoryBooks(TeamId(team)) for team in teams}
    left = [iter(facts) for facts in histories]
    for number in turns:
        take(next(left[number]), together[teams[number]], RULES)
    alone = {team: booked(facts, team) for team, facts in zip(teams, histories, strict=True)}
    for team in teams:
        assert together[team].entries == alone[team].entries
    assert board_hash(
        {t: Total.of(list(b.entries.values())) for t, b in together.items()}
    ) == board_hash({t: Total.of(list(b.entries.values())) for t, b in alone.items()})


@given(drawn_facts(), st.data())
def test_a_fact_that_comes_again_at_any_later_time_changes_nothing(
    facts: list[Fact], data: st.DataObject
) -> None:
    again = list(facts)
    for fact in facts:
        place = data.draw(st.integers(again.index(fact) + 1, len(again)), label="again at")
        again.insert(place, fact)
    assert booked(again).entries == booked(facts).entries


@given(drawn_facts())
def test_a_clock_that_jumps_moves_no_points(facts: list[Fact]) -> None:
    stopped = [fact._replace(at=START) for fact in facts]
    assert entries(booked(stopped)) == entries(booked(facts))


@given(drawn_facts())
def test_a_task_never_goes_below_zero_by_what_it_costs(facts: list[Fact]) -> None:
    of_the_task = [f for f in facts if f.ruling is None and f.outcome != AT_ONCE]
    books = booked(of_the_task)
    assert books.sum_of("who") >= 0
    assert books.sum_of("contain") >= 0


@given(drawn_facts())
def test_a_hint_that_is_paid_for_at_once_never_takes_a_team_below_zero(facts: list[Fact]) -> None:
    books = MemoryBooks(TEAM)
    for fact in facts:
        before = books.total()
        take(fact, books, RULES)
        if fact.cause is Cause.HINT:
            assert books.total() >= min(before, 0)
            assert (books.total() < before) <= (fact.outcome == AT_ONCE)


# Costs


def test_a_hint_and_all_other_costs_take_no_more_than_the_task_gave() -> None:
    # A peer lets a hint and the shown solution take a task below zero.
    costs = [cost(Cause.HINT, "hint", 15_000), cost(Cause.INJECT, "solution", 20_000)]
    books = booked([*costs, answered()])
    assert entries(books) == [("solve", 20_000), ("cost", -15_000), ("cost", -5000)]
    assert books.sum_of("who") == 0


def test_one_hint_taken_twice_costs_once() -> None:
    # A peer charges a hint each time that somebody asks for it.
    hint = cost(Cause.HINT, "hint", 5000)
    assert entries(booked([hint, hint, answered(), hint])) == [("solve", 20_000), ("cost", -5000)]


@given(drawn_facts(), st.integers(0, 60))
def test_what_was_promised_is_what_a_right_answer_gives(facts: list[Fact], place: int) -> None:
    books = MemoryBooks(TEAM)
    for fact in facts[:place]:
        if fact.ruling is None:
            take(fact, books, RULES)
    sent = answered("last")._replace(elapsed=timedelta(seconds=10 * place))
    promised = worth(books, RULES, "who", sent.elapsed)
    take(sent, books, RULES)
    assert books.sum_of("who") == promised


def test_what_a_solve_would_give_is_what_it_gives() -> None:
    books = booked([cost(Cause.HINT, "hint", 5000)])
    promised = worth(books, RULES, "who", timedelta())
    take(answered(), books, RULES)
    assert promised == books.sum_of("who") == worth(books, RULES, "who", timedelta()) == 15_000


def test_a_hint_that_cost_more_than_a_late_solve_gives_is_not_promised_back() -> None:
    kept_up = Fact(*(Cause.CHECK_RUN, "look", START), subject="web", number=1, outcome=Verdict.UP)
    hint = cost(Cause.HINT, "hint", 2501)._replace(outcome=AT_ONCE)
    wrong = [cost(Cause.SUBMISSION, f"wrong {n}", 1000) for n in range(6)]
    books = booked([kept_up, *wrong, hint])
    assert books.sum_of("who") == -2501
    late = answered()._replace(elapsed=timedelta(seconds=240))
    promised = worth(books, RULES, "who", late.elapsed)
    take(late, books, RULES)
    assert books.sum_of("who") == promised == -1


# Rulings


def ruled(ruling: Ruling, id_: str = "ruling") -> Fact:
    return Fact(Cause.CORRECTION, id_, START + timedelta(hours=3), ruling=ruling)


def test_a_ruling_takes_entries_back_and_books_new_ones_with_its_reason() -> None:
    grant = Grant(task="who", kind=EntryKind.SOLVE, milli_points=12_000, at=START)
    ruling = Ruling(reverses=(f"solve:{TEAM}:who",), grants=(grant,), reason="It was too easy.")
    books = booked([answered(), ruled(ruling)])
    assert entries(books) == [("solve", 20_000), ("solve", -20_000), ("solve", 12_000)]
    taken_back, granted = list(books.entries.values())[1:]
    assert taken_back.reason == granted.reason == "It was too easy."
    assert taken_back.reverses == f"solve:{TEAM}:who"
    total = Total.of(list(books.entries.values()))
    assert (total.milli_points, total.moved_at) == (12_000, START)


def test_an_entry_is_taken_back_once() -> None:
    ruling = Ruling(reverses=(f"solve:{TEAM}:who",), reason="Void.")
    facts = [answered(), ruled(ruling), ruled(ruling, "again")]
    books, impossible = replay(TEAM, facts, RULES)
    assert entries(books) == [("solve", 20_000), ("solve", -20_000)]
    assert [(i.fact, i.what) for i in impossible] == [("correction again", "impossible")]
    assert "taken back already" in impossible[0].derived


def test_what_was_taken_back_is_not_given_again_by_its_own_fact() -> None:
    ruling = Ruling(reverses=(f"solve:{TEAM}:who",), reason="Void.")
    books = booked([answered(), ruled(ruling), answered("later")])
    assert books.sum_of("who") == 0


# Comparing


def test_a_ledger_that_follows_from_its_facts_has_no_differences() -> None:
    books = booked([cost(Cause.HINT, "hint", 5000), answered()])
    assert list(differences(books.entries, dict(books.entries))) == []


def test_what_is_missing_extra_or_different_is_named_with_its_fact() -> None:
    derived = booked([cost(Cause.HINT, "hint", 5000), answered()]).entries
    solve, paid = derived.values()
    forged = solve._replace(key="forged", fact=solve.fact._replace(id="nobody"))
    booked_ = {solve.key: solve._replace(milli_points=99_000), "forged": forged}
    found = {d.key: d for d in differences(booked_, derived)}
    assert {key: (d.what, d.fact) for key, d in found.items()} == {
        solve.key: ("different", "submission sent"),
        paid.key: ("missing", "hint hint"),
        "forged": ("extra", "submission nobody"),
    }
    assert "99000 thousandths by solve for who" in found[solve.key].booked
    assert "20000 thousandths by solve for who" in found[solve.key].derived


def test_a_fact_of_a_task_that_is_not_there_is_named() -> None:
    books, impossible = replay(TEAM, [answered()._replace(subject="nowhere")], RULES)
    assert not books.entries
    assert [i.fact for i in impossible] == ["submission sent"]


def test_late_and_repeated_rounds_move_nothing() -> None:
    look = Fact(Cause.CHECK_RUN, "one", START, subject="web", number=5, outcome=Verdict.UP)
    late = look._replace(id="two", number=4, outcome=Verdict.DOWN)
    assert booked([look, late]).entries == booked([look]).entries
