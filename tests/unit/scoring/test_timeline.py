from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scoring.records.timeline import (
    Happening,
    Moment,
    Recorded,
    Scene,
    merged,
    of_team,
    with_scenes,
)

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(seconds: float, kind: Happening = Happening.ACT, *, team: str = "", who: str = "") -> Moment:
    elapsed = timedelta(seconds=seconds)
    return Moment(at=START + elapsed, elapsed=elapsed, kind=kind, team=team, who=who)


def recorded(session: str, *, user: str, team: str = "team-1") -> Recorded:
    return Recorded(
        session=session,
        team=team,
        user=user,
        host="desk",
        began=START + timedelta(seconds=10),
        ended=START + timedelta(seconds=60),
    )


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(Happening)))))
def test_merging_keeps_every_moment_and_puts_them_in_order(
    sources: list[list[tuple[int, Happening]]],
) -> None:
    order = list(Happening)
    whole = [
        [at(s, kind) for s, kind in sorted(source, key=lambda m: (m[0], order.index(m[1])))]
        for source in sources
    ]
    found = merged(*whole)
    assert sorted(map(id, found)) == sorted(id(m) for source in whole for m in source)
    assert [m.at for m in found] == sorted(m.at for m in found)


def test_points_come_after_what_they_are_given_for() -> None:
    points, answer = at(5, Happening.POINTS), at(5, Happening.ANSWER)
    assert merged([points], [answer]) == (answer, points)


def test_a_teams_timeline_has_what_happened_to_all_and_nothing_of_others() -> None:
    ours, all_teams, theirs = at(1, team="team-1"), at(2), at(3, team="team-2")
    assert of_team([ours, all_teams, theirs], "team-1") == (ours, all_teams)


def test_a_moment_leads_into_the_recording_of_whoever_did_it() -> None:
    ada, ben = recorded("ada-1", user="ada"), recorded("ben-1", user="ben")
    others = recorded("other", user="ada", team="team-2")
    answer = at(25, Happening.ANSWER, team="team-1", who="ada")
    (found,) = with_scenes([answer], [ada, ben, others])
    assert found.scenes == (Scene(session="ada-1", host="desk", seconds=15),)


def test_a_moment_of_nobody_leads_into_every_recording_of_its_team_that_ran() -> None:
    check, later = (at(s, Happening.CHECK, team="team-1") for s in (25, 61))
    both = [recorded("ada-1", user="ada"), recorded("ben-1", user="ben")]
    found = with_scenes([check, later], both)
    assert [[scene.session for scene in m.scenes] for m in found] == [["ada-1", "ben-1"], []]
