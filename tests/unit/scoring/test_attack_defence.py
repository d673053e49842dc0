"""Rounds, flags that are taken, and both presets, against sums that were worked out by hand."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import TeamId
from scoring.domain.attack_defence.captures import CaptureCode, IssuedFlag, judge_capture
from scoring.domain.attack_defence.game import (
    Field,
    Game,
    Past,
    Place,
    RoundFacts,
    TakenFlag,
    Tally,
    points_of,
    ranks,
)
from scoring.domain.attack_defence.looks import Step, look_verdict
from scoring.domain.attack_defence.presets import PRESETS
from scoring.domain.attack_defence.roots import root
from scoring.domain.attack_defence.rounds import ends_at, is_alive, round_at
from scoring.domain.attack_defence.spoilt import Spoilt
from scoring.domain.verdicts import Verdict

A, B, C, R = map(TeamId, "abcr")
LOCKER = "locker"
UP, DOWN, MUMBLE, RECOVERING = Verdict.UP, Verdict.DOWN, Verdict.MUMBLE, Verdict.RECOVERING
OURS = Verdict.INFRA_ERROR
EVERY = timedelta(minutes=3)


# Rounds


def test_rounds_count_from_one_and_end_where_the_next_begins() -> None:
    assert [round_at(timedelta(minutes=m), EVERY) for m in (0, 2.99, 3, 8.9, 9)] == [1, 1, 2, 3, 4]
    assert ends_at(2, EVERY) == timedelta(minutes=6)


def test_a_flag_may_be_taken_in_as_many_rounds_as_it_lives() -> None:
    assert [is_alive(4, now, lives=2) for now in (4, 5, 6)] == [True, True, False]


# Captures

FLAG = IssuedFlag(id="f", team=B, service=LOCKER, round=4)


@pytest.mark.parametrize(
    ("by", "now", "is_taken", "code"),
    [
        (A, 4, False, CaptureCode.ACCEPTED),
        (A, 8, False, CaptureCode.ACCEPTED),
        (A, 8, True, CaptureCode.DUPLICATE),
        (A, 9, False, CaptureCode.OLD),
        (A, 9, True, CaptureCode.OLD),
        (B, 4, False, CaptureCode.OWN),
    ],
)
def test_each_flag_that_is_handed_in_has_one_code(
    by: TeamId, now: int, code: CaptureCode, *, is_taken: bool
) -> None:
    assert judge_capture(FLAG, by=by, now=now, lives=5, is_taken=is_taken) is code


def test_nobodys_flag_is_invalid_and_one_of_the_reference_team_says_so() -> None:
    assert judge_capture(None, by=A, now=4, lives=5) is CaptureCode.INVALID
    taken = judge_capture(FLAG, by=A, now=4, lives=5, reference=frozenset({B}))
    assert taken is CaptureCode.REFERENCE


# Looks


def steps(*verdicts: Verdict, earlier: tuple[Verdict, ...] = ()) -> list[Step]:
    ours = [Step(verdict=verdict) for verdict in verdicts]
    return [*ours, *(Step(verdict=verdict, is_earlier=True) for verdict in earlier)]


@pytest.mark.parametrize(
    ("errands", "verdict"),
    [
        (steps(UP, UP, UP), UP),
        (steps(UP, UP, UP, earlier=(UP, UP)), UP),
        (steps(UP, UP, UP, earlier=(UP, MUMBLE)), RECOVERING),
        (steps(UP, UP, UP, earlier=(MUMBLE, DOWN)), DOWN),
        (steps(UP, UP, UP, earlier=(MUMBLE, OURS)), OURS),
        (steps(UP, UP, MUMBLE), MUMBLE),
        (steps(UP, MUMBLE), MUMBLE),
        (steps(DOWN), DOWN),
        (steps(OURS), OURS),
        (steps(UP, RECOVERING, UP), RECOVERING),
    ],
)
def test_what_fails_first_decides_and_a_flag_of_earlier_that_is_gone_is_recovering(
    errands: list[Step], verdict: Verdict
) -> None:
    assert look_verdict(errands) is verdict
    assert [step.is_last for step in errands[:-1]] == [False] * (len(errands) - 1)


def test_a_flag_that_could_not_be_left_while_it_was_down_is_lacking_until_it_is_old() -> None:
    assert look_verdict(steps(UP, UP, UP), lacks_flags=True) is RECOVERING
    assert look_verdict(steps(UP, DOWN), lacks_flags=True) is DOWN


# Roots


@given(st.integers(0, 10**60), st.integers(2, 10))
def test_a_root_is_exact_however_large_the_number(number: int, degree: int) -> None:
    found = root(number, degree)
    assert found**degree <= number < (found + 1) ** degree


# Presets

THREE = Field(teams=(A, B, C), services=(LOCKER,))


def seen(**verdicts: Verdict) -> dict[Place, Verdict]:
    return {(TeamId(team), LOCKER): verdict for team, verdict in verdicts.items()}


def taken(
    owner: TeamId, number: int, now: tuple[TeamId, ...], before: tuple[TeamId, ...] = ()
) -> TakenFlag:
    return TakenFlag(owner=owner, service=LOCKER, round=number, before=before, now=now)


def points(tallies: dict[Place, Tally]) -> dict[TeamId, int]:
    return points_of(tallies.items())


def split(tallies: dict[Place, Tally], team: TeamId) -> tuple[int, int, int]:
    tally = tallies[team, LOCKER]
    return tally.attack, tally.defence, tally.availability


def test_faust_by_hand() -> None:
    # sqrt(3) = 1.732; b's flag is taken by a, then by c: 1 + 1/1 becomes 1 + 1/2 for both, and
    # costs b 1^0.75 = 1, then 2^0.75 = 1.681.
    game = Game(preset=PRESETS["faust"], field=THREE)
    first = RoundFacts(number=1, looks=seen(a=UP, b=UP, c=UP), taken=[taken(B, 1, (A,))])
    after = game.close({}, first, Past())
    assert points(after) == {A: 1732 + 2000, B: 1732 - 1000, C: 1732}
    second = RoundFacts(
        number=2, looks=seen(a=UP, b=RECOVERING, c=UP), taken=[taken(B, 1, (C,), before=(A,))]
    )
    after = game.close(after, second, Past())
    assert split(after, A) == (1500, 0, 3464)
    assert split(after, B) == (0, -1681, 1732 + 866)
    assert split(after, C) == (1500, 0, 3464)
    assert (after[A, LOCKER].captured, after[B, LOCKER].lost) == (1, 1)


def test_saar_by_hand() -> None:
    # Before anything was closed b's rank is 3: 1 + 1 + sqrt(1/3) = 2.577 for a; b loses
    # (1/3)^0.3 * 1.732 = 1.245. Then only two are active: sqrt(2) = 1.414 a round, and the second
    # captor leaves each 1 + sqrt(1/2) + sqrt(1/3) = 2.284, b's loss goes from (1/2)^0.3 * 1.732 =
    # 1.406 to 1.732. A flag of a round in which b was down costs it nothing.
    game = Game(preset=PRESETS["saar"], field=THREE)
    first = RoundFacts(number=1, looks=seen(a=UP, b=UP, c=UP), taken=[taken(B, 1, (A,))])
    after = game.close({}, first, Past())
    assert points(after) == {A: 1732 + 2577, B: 1732 - 1245, C: 1732}
    assert ranks(points(after)) == {A: 1, C: 2, B: 3}
    past = Past(verdicts={1: first.verdicts}, ranks={2: ranks(points(after))})
    stolen = [taken(B, 1, (C,), before=(A,)), taken(B, 2, (A,))]
    after = game.close(
        after, RoundFacts(number=2, looks=seen(a=UP, b=DOWN, c=UP), taken=stolen), past
    )
    assert split(after, A) == (2577 - 293 + 2577, 0, 1732 + 1414)
    assert split(after, B) == (0, -1245 - 326, 1732)
    assert split(after, C) == (2284, 0, 1732 + 1414)


def test_ranks_are_shared_and_whoever_has_nothing_comes_after_those_who_have() -> None:
    assert ranks({A: 5, B: 5, C: -2, R: 0}) == {A: 1, B: 1, C: 3, R: 3}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_round_that_we_spoilt_costs_nobody_anything(preset: str) -> None:
    game = Game(preset=PRESETS[preset], field=THREE)
    after = game.close({}, RoundFacts(number=1, looks=seen(a=UP, b=UP, c=DOWN)), Past())
    for number, looks in enumerate((seen(a=OURS, b=UP, c=OURS), seen(b=UP)), start=2):
        after = game.close(after, RoundFacts(number=number, looks=looks), Past())
    share = after[A, LOCKER].availability
    assert share == 3 * after[A, LOCKER].earned > 0
    assert after[C, LOCKER].availability == 0
    if preset == "faust":
        assert share == after[B, LOCKER].availability


def test_a_team_that_was_not_seen_is_active_so_that_a_lost_flag_costs_no_more() -> None:
    # (1/3)^0.3 * 1.732, as in a round in which c was seen; only a team that is known to fail is not
    # active: (1/2)^0.3 * 1.414.
    game = Game(preset=PRESETS["saar"], field=THREE)
    for looks, cost in (
        (seen(a=UP, b=UP, c=UP), 1245),
        (seen(a=UP, b=UP, c=OURS), 1245),
        (seen(a=UP, b=UP), 1245),
        (seen(a=UP, b=UP, c=MUMBLE), 1148),
    ):
        facts = RoundFacts(number=1, looks=looks, taken=[taken(B, 1, (A,))])
        assert split(game.close({}, facts, Past()), B)[1] == -cost


def test_a_round_that_the_end_cut_short_counts_what_was_taken_and_not_what_was_seen() -> None:
    game = Game(preset=PRESETS["faust"], field=THREE)
    cut = RoundFacts(number=1, looks=seen(a=UP), taken=[taken(B, 1, (C,))], whole=False)
    after = game.close({}, cut, Past())
    assert points(after) == {A: 0, B: -1000, C: 2000}


def test_a_reference_team_neither_scores_nor_counts() -> None:
    field = Field(teams=(A, B, R), services=(LOCKER,), unranked=frozenset({R}))
    for preset in PRESETS.values():
        game = Game(preset=preset, field=field)
        after = game.close({}, RoundFacts(number=1, looks=seen(a=UP, b=UP, r=UP)), Past())
        assert points(after) == {A: 1414, B: 1414, R: 0}
        assert after[R, LOCKER].verdict is UP


# Defective checkers

SPOILT = Spoilt.of({LOCKER: {2}, "slots": set()}, {LOCKER: 2, "slots": 5})


def test_what_was_seen_in_a_spoilt_round_and_a_flag_lacking_since_then_are_our_fault() -> None:
    looks = seen(a=UP, b=DOWN, c=RECOVERING)
    assert SPOILT.counted(1, looks) == looks
    assert SPOILT.counted(2, looks) == seen(a=OURS, b=OURS, c=OURS)
    assert SPOILT.counted(3, looks) == seen(a=UP, b=DOWN, c=OURS)
    assert SPOILT.counted(4, looks) == looks
    assert SPOILT.counted(2, {(A, "slots"): DOWN}) == {(A, "slots"): DOWN}


def spoilt_twice(preset: str) -> dict[Place, Tally]:
    """Play a round, one whose checker finds everything down, and one in which b lacks a flag.

    In the second, a takes b's flag of the first, and c that of the second.
    """
    game = Game(preset=PRESETS[preset], field=THREE)
    first = RoundFacts(number=1, looks=seen(a=UP, b=UP, c=UP))
    after = game.close({}, first, Past())
    past = Past(verdicts={1: first.verdicts}, ranks={2: ranks(points(after))})
    stolen = [taken(B, 1, (A,)), taken(B, 2, (C,))]
    for number, looks, flags in (
        (2, seen(a=DOWN, b=DOWN, c=DOWN), stolen),
        (3, seen(a=UP, b=RECOVERING, c=DOWN), []),
    ):
        facts = RoundFacts(number=number, looks=SPOILT.counted(number, looks), taken=flags)
        after = game.close(after, facts, past)
    return after


def test_faust_with_a_defective_checker_by_hand() -> None:
    # Seen were rounds 1 and 3 of a and c, and round 1 of b: 1.732 for each of three rounds, but c
    # was down in one of two. Flags are worth what they always are: two lost ones cost 1 each.
    after = spoilt_twice("faust")
    assert split(after, A) == (2000, 0, 5196)
    assert split(after, B) == (0, -2000, 5196)
    assert split(after, C) == (2000, 0, 2598)


def test_saar_with_a_defective_checker_by_hand() -> None:
    # All three are active in round 2, since nobody saw otherwise: b's flag of round 1 costs it
    # (1/3)^0.3 * 1.732 = 1.245, and gives a 1 + 1 + sqrt(1/3); that of round 2 costs nothing, for
    # b got nothing in that round by itself, and gives c 1 + 1 + sqrt(1/1), as all had equal points.
    # In round 3 c alone is known not to be active: sqrt(2) for a.
    after = spoilt_twice("saar")
    assert split(after, A) == (2577, 0, (1732 + 1414) * 3 // 2)
    assert split(after, B) == (0, -1245, 1732 * 3)
    assert split(after, C) == (3000, 0, 1732 * 3 // 2)


# Properties

Moves = list[tuple[dict[str, Verdict], dict[tuple[TeamId, int], set[TeamId]]]]

MOVES = st.lists(
    st.tuples(
        st.fixed_dictionaries({}, optional=dict.fromkeys("abc", st.sampled_from(list(Verdict)))),
        st.dictionaries(
            st.tuples(st.sampled_from([A, B, C]), st.integers(0, 2)),
            st.sets(st.sampled_from([A, B, C]), max_size=2),
            max_size=4,
        ),
    ),
    max_size=6,
)


NOT_SPOILT = Spoilt()


def played(preset: str, moves: Moves, spoilt: Spoilt = NOT_SPOILT) -> list[dict[Place, Tally]]:
    """Play rounds in which flags of up to two rounds ago are taken, each by a team once."""
    game = Game(preset=PRESETS[preset], field=THREE)
    after: dict[Place, Tally] = {}
    have: dict[tuple[TeamId, int], tuple[TeamId, ...]] = {}
    verdicts: dict[int, dict[Place, Verdict]] = {}
    began_at: dict[int, dict[TeamId, int]] = {}
    states = []
    for number, (looks, grabs) in enumerate(moves, start=1):
        flags: list[TakenFlag] = []
        for (owner, age), by in sorted(grabs.items()):
            flag = (owner, max(1, number - age))
            before = have.get(flag, ())
            now = tuple(sorted(by - {owner} - set(before)))
            if now and all((f.owner, f.round) != flag for f in flags):
                flags.append(taken(*flag, now=now, before=before))
                have[flag] = before + now
        counted = spoilt.counted(number, seen(**looks))
        facts = RoundFacts(number=number, looks=counted, taken=flags)
        after = game.close(after, facts, Past(verdicts=verdicts, ranks=began_at))
        verdicts[number] = dict(facts.verdicts)
        began_at[number + 1] = ranks(points(after))
        states.append(after)
    return states


@given(MOVES)
def test_faust_closed_round_by_round_is_faust_over_all_rounds_at_once(moves: Moves) -> None:
    states = played("faust", moves)
    if not states:
        return
    captors: dict[tuple[TeamId, int], set[TeamId]] = {}
    for number, (_, grabs) in enumerate(moves, start=1):
        seen_now: set[tuple[TeamId, int]] = set()
        for (owner, age), by in sorted(grabs.items()):
            flag = (owner, max(1, number - age))
            if flag not in seen_now and by - {owner} - captors.get(flag, set()):
                seen_now.add(flag)
                captors.setdefault(flag, set()).update(by - {owner})
    for team in (A, B, C):
        tally = states[-1][team, LOCKER]
        mine = [by for by in captors.values() if team in by]
        lost = [len(by) for (owner, _), by in captors.items() if owner == team]
        assert tally.attack == sum(1000 + 1000 // len(by) for by in mine)
        assert tally.defence == -sum(root(10**12 * n**3, 4) for n in lost)
        assert (tally.captured, tally.lost) == (len(mine), len(lost))


@given(st.sampled_from(list(PRESETS)), MOVES)
def test_the_same_rounds_always_give_the_same_and_signs_are_right(
    preset: str, moves: Moves
) -> None:
    states = played(preset, moves)
    assert states == played(preset, moves)
    for before, after in pairwise(states):
        for place, tally in after.items():
            assert tally.attack >= 0 >= tally.defence
            assert tally.defence <= before[place].defence
            assert tally.earned >= before[place].earned
            assert tally.scored <= tally.rounds == before[place].rounds + 1


@given(
    st.sampled_from(list(PRESETS)),
    MOVES,
    st.sets(st.integers(1, 6)),
    st.lists(
        st.fixed_dictionaries(dict.fromkeys("abc", st.sampled_from(list(Verdict)))), min_size=6
    ),
)
def test_what_a_defective_checker_saw_matters_to_nobody_and_captures_stay(
    preset: str, moves: Moves, rounds: set[int], others: list[dict[str, Verdict]]
) -> None:
    spoilt = Spoilt.of({LOCKER: rounds}, {LOCKER: 3})
    seen_otherwise = [
        (others[number - 1] if number in rounds else looks, grabs)
        for number, (looks, grabs) in enumerate(moves, start=1)
    ]
    states = played(preset, moves, spoilt)
    assert list(map(points, states)) == list(map(points, played(preset, seen_otherwise, spoilt)))
    for counted, all_of_it in zip(states, played(preset, moves), strict=True):
        for place, tally in counted.items():
            assert tally.captured == all_of_it[place].captured
            if preset == "faust":
                assert tally.attack == all_of_it[place].attack
                assert tally.defence == all_of_it[place].defence
