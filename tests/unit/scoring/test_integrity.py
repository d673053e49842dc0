from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.domain.integrity import (
    CLOSE_CROWD,
    CLOSE_TASKS,
    CLOSE_WITHIN,
    Answered,
    Known,
    SignalKind,
    close_in_time,
    same_rare_wrong,
    too_fast,
    without_commands,
)
from scoring.domain.ratings import Rating, average, rated
from scoring.domain.stuck import stuck
from scoring.records.survey import LEAST_ANSWERS, SurveyAnswer, results
from scoring.records.wording import LANGUAGES, words

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


def sent(
    team: str,
    task: str,
    text: str = "x",
    *,
    at: float = 600,
    right: bool = True,
    typed: bool = True,
) -> Answered:
    elapsed = timedelta(seconds=at)
    return Answered(
        team=team,
        who=f"{team}-ada",
        task=task,
        text=text,
        right=right,
        at=START + elapsed,
        elapsed=elapsed,
        typed=typed,
    )


def wrong(team: str, text: str, *, typed: bool = True) -> Answered:
    return sent(team, "who", text, right=False, typed=typed)


def test_a_wrong_answer_of_two_teams_alone_is_a_signal() -> None:
    answers = [wrong("a", "Svcbackup7"), wrong("b", " svcbackup7"), wrong("c", "root1")]
    (found,) = same_rare_wrong(answers, teams=4)
    assert (found.kind, found.teams) == (SignalKind.SAME_WRONG, ("a", "b"))
    assert [e.text for e in found.evidence] == ["sent “Svcbackup7”", "sent “ svcbackup7”"]


@pytest.mark.parametrize(
    ("answers", "teams"),
    [
        ([wrong("a", "Svcbackup7"), wrong("b", "svcbackup7")], 3),
        ([wrong("a", "svcbackup7"), wrong("a", "svcbackup7")], 9),
        ([wrong(team, "administrator") for team in "abc"], 9),
        ([wrong("a", "abc"), wrong("b", "abc")], 9),
        ([wrong("a", "window", typed=False), wrong("b", "window", typed=False)], 9),
    ],
)
def test_what_many_may_have_thought_of_is_none(answers: list[Answered], teams: int) -> None:
    assert list(same_rare_wrong(answers, teams=teams)) == []


def test_teams_that_are_right_together_on_several_tasks_are_a_signal() -> None:
    a = [sent("a", task, at=at) for task, at in (("t1", 100), ("t2", 400), ("t3", 900))]
    b = [sent("b", task, at=at) for task, at in (("t1", 130), ("t2", 460), ("t3", 880))]
    (found,) = close_in_time([*a, *b])
    assert found.teams == ("a", "b")
    assert "on 3 of 3 tasks" in found.what
    apart = [sent("b", "t3", at=961)]
    assert list(close_in_time([*a, *b[:2], *apart])) == []


def test_what_the_whole_room_is_right_about_together_is_no_sign_of_a_pair() -> None:
    moments = (("t1", 5), ("t2", 500), ("t6", 9000), ("t7", 12_000))
    room = [sent(team, task, at=at) for team in "abcd" for task, at in moments]
    assert list(close_in_time(room)) == []
    alone = [
        sent(team, task, at=at + 20 * (team == "b"))
        for team in "ab"
        for task, at in (("t3", 900), ("t4", 1400), ("t5", 2000))
    ]
    (found,) = close_in_time([*room, *alone])
    assert found.teams == ("a", "b")
    assert found.what == (
        "right within 60 s of each other on 3 of 7 tasks that both solved,"
        " and among many teams on 4 more"
    )
    assert {evidence.task for evidence in found.evidence} == {"t3", "t4", "t5"}
    apart = [sent(team, task, at=3000 + 300 * (team == "b")) for team in "ab" for task in "vwxy"]
    assert list(close_in_time([*room, *alone, *apart])) == []


def test_an_answer_sooner_than_anybody_reads_is_a_signal() -> None:
    opened = {("a", "who"): timedelta(seconds=590)}
    (found,) = too_fast([sent("a", "who", at=609.9)], opened)
    assert found.evidence[0].text == "20 s after it opened"
    assert list(too_fast([sent("a", "who", at=610)], opened)) == []
    assert list(too_fast([sent("a", "who", at=591, typed=False)], opened)) == []
    assert list(too_fast([sent("a", "locked", at=1)], opened)) == []


def test_an_answer_that_lies_in_a_host_nobody_touched_is_a_signal() -> None:
    def known(first: dict[str, datetime | None]) -> Known:
        return Known(teams=2, opened={}, first_act=first, needs_host=frozenset({"who"}))

    answer = sent("a", "who")
    later, before = answer.at + timedelta(seconds=1), answer.at - timedelta(seconds=1)
    assert len(list(without_commands([answer], known({"a": None})))) == 1
    assert len(list(without_commands([answer], known({"a": later})))) == 1
    assert list(without_commands([answer], known({"a": before}))) == []
    assert list(without_commands([answer], known({}))) == []
    assert list(without_commands([sent("a", "law")], known({"a": None}))) == []


@pytest.mark.parametrize(
    ("share", "rating"),
    [("1", "P"), ("9/10", "P"), ("89/100", "S"), ("1/2", "S"), ("1/4", "M"), ("6/25", "U")],
)
def test_ratings_follow_from_shares(share: str, rating: str) -> None:
    assert rated(Fraction(share), Fraction(1, 2)) is Rating(rating)


def test_a_high_pass_mark_is_needed_for_the_best_rating_and_nothing_is_rated_of_nothing() -> None:
    assert rated(Fraction(92, 100), Fraction(95, 100)) is Rating.M
    assert rated(None, Fraction(1, 2)) is None
    assert average([Fraction(1), Fraction(0), None]) == Fraction(1, 2)
    assert average([None]) is None


def test_a_team_is_stuck_when_nothing_came_for_long_and_something_is_open() -> None:
    minutes = [timedelta(minutes=m) for m in range(60)]
    found = stuck(
        "a", now=minutes[30], progress=[minutes[5]], tries=[minutes[28]], open_tasks=lambda: ["who"]
    )
    assert found is not None
    assert (found.since, found.silent) == (minutes[25], minutes[2])
    for now, tasks in ((minutes[24], ["who"]), (minutes[30], [])):
        left: list[str] = tasks
        assert stuck("a", now=now, progress=[minutes[5]], tries=[], open_tasks=left.copy) is None


def test_a_survey_tells_nothing_of_few_and_no_order_of_many() -> None:
    answers = [
        SurveyAnswer(ratings={"goals": number}, texts={"keep": text})
        for number, text in ((5, "e"), (1, "a"), (3, "d"), (3, "c"), (3, "b"))
    ]
    assert not results(answers[: LEAST_ANSWERS - 1], asked=9).shown
    found = results(answers, asked=9)
    assert found.texts is not None
    assert found.texts["keep"] == ("a", "b", "c", "d", "e")
    goals = found.ratings[0]
    assert goals.counts == (1, 0, 3, 0, 1)
    assert goals.mean == Fraction(3)


def test_every_language_says_everything() -> None:
    for language in LANGUAGES:
        for part, said in words("en").items():
            there = words(language)[part]
            assert there.keys() == said.keys()
            for key, text in said.items():
                assert there[key].strip()
                assert ("{" in text) == ("{" in there[key])
    assert words("de") == words("en")
    assert words("sr-Latn") == words("sr")


TEAMS, TASKS = "abcdef", "vwxyz"


@given(
    st.fixed_dictionaries({}, optional={key: st.integers(0, 240) for key in product(TEAMS, TASKS)})
)
def test_pairs_found_by_time_are_those_that_a_look_at_every_pair_finds(
    seconds: dict[tuple[str, str], int],
) -> None:
    at = {team: {t: s for (who, t), s in seconds.items() if who == team} for team, _ in seconds}
    within = CLOSE_WITHIN.total_seconds()
    wanted = []
    for one, other in combinations(at, 2):
        alone = apart = 0
        for task in at[one].keys() & at[other].keys():
            both = at[one][task], at[other][task]
            near = [
                t for t in at if task in at[t] and max(abs(at[t][task] - b) for b in both) <= within
            ]
            if abs(both[0] - both[1]) > within:
                apart += 1
            elif len(near) <= CLOSE_CROWD:
                alone += 1
        if alone >= CLOSE_TASKS and alone >= apart:
            wanted.append((one, other))
    found = close_in_time([sent(team, task, at=at) for (team, task), at in seconds.items()])
    assert [suspicion.teams for suspicion in found] == wanted
