"""What follows from the state of a world, as a rule; and how long a host is left alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.ids import ExerciseId
from orchestrator.domain.backoff import LONGEST_WAIT, MOST_TRIES, WITHIN, next_try
from orchestrator.domain.exercise import Problem, Stage
from orchestrator.domain.health import Ailing, Ailment
from orchestrator.domain.repair import Case, decide, problem_of
from orchestrator.domain.world import WorldKey

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
WORLD = WorldKey(exercise=ExerciseId("ex"), team="team-1")
HOSTS = st.sampled_from("abc")
TIMES = st.lists(
    st.timedeltas(timedelta(), timedelta(minutes=30)).map(lambda ago: NOW - ago), max_size=8
)
PROBLEMS = st.none() | st.builds(Problem, stage=st.sampled_from(Stage), message=st.just("x"))
CASES = st.builds(
    Case,
    exercise=st.just("ex"),
    team=st.just("team-1"),
    degraded=st.booleans(),
    problem=PROBLEMS,
    ailing=st.lists(
        st.builds(Ailing, key=HOSTS.map(WORLD.host), ailment=st.sampled_from(Ailment)),
        unique_by=lambda a: a.key,
    ),
    under_way=st.frozensets(HOSTS),
    tries=st.dictionaries(HOSTS, TIMES),
    restarted=st.frozensets(HOSTS),
)


@given(CASES)
def test_a_host_that_ended_from_inside_is_raised_only_where_the_scenario_says_so(
    case: Case,
) -> None:
    for ailing in decide(case, NOW).repairs:
        assert not ailing.from_inside or ailing.key.host in case.restarted


@given(CASES)
def test_what_is_under_way_is_not_begun_again(case: Case) -> None:
    assert not {a.key.host for a in decide(case, NOW).repairs} & set(case.under_way)


@given(CASES)
def test_a_world_with_an_ailing_host_is_shown_degraded_unless_a_repair_is_under_way(
    case: Case,
) -> None:
    decision = decide(case, NOW)
    if case.ailing and not case.degraded and not case.under_way:
        assert decision.problem is not None
    if not case.ailing:
        assert (decision.problem, decision.repairs) == (None, ())


@given(CASES)
def test_while_something_of_ours_ails_no_team_is_blamed(case: Case) -> None:
    shown = problem_of(case, NOW)
    if any(not ailing.from_inside for ailing in case.ailing):
        assert shown is not None
        assert shown.stage in {Stage.REPAIR, Stage.READINESS, Stage.ISOLATION}


@given(CASES)
def test_a_way_out_is_shown_until_another_self_test(case: Case) -> None:
    way_out = Problem(stage=Stage.ISOLATION, message="the engine's host is reached")
    case = replace(case, degraded=True, problem=way_out)
    assert problem_of(case, NOW) == way_out
    assert not decide(case, NOW).look_again


@given(CASES)
def test_after_an_outage_every_host_is_raised_in_one_go(case: Case) -> None:
    outage = [
        a for a in case.ailing if a.ailment is Ailment.OUTAGE and a.key.host not in case.under_way
    ]
    raised = decide(case, NOW).repairs
    for ailing in outage:
        assert ailing in raised or next_try(case.tries.get(ailing.key.host, ()), NOW) is None


@given(CASES)
def test_what_is_shown_already_is_not_shown_again(case: Case) -> None:
    shown = problem_of(case, NOW)
    after = Case(
        exercise=case.exercise,
        team=case.team,
        degraded=True,
        problem=shown,
        ailing=case.ailing,
        tries=case.tries,
        restarted=case.restarted,
    )
    assert decide(after, NOW).problem is None


@given(TIMES)
def test_the_wait_is_bounded_and_never_in_the_past_of_the_last_try(tries: list[datetime]) -> None:
    recent = [at for at in tries if NOW - at < WITHIN]
    at = next_try(tries, NOW)
    if len(recent) >= MOST_TRIES:
        assert at is None
    elif recent:
        assert at is not None
        assert max(recent) < at <= max(recent) + LONGEST_WAIT
    else:
        assert at == NOW
