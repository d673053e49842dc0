"""Checks that have to pass for some time: seen at its two ends, on the rehearsal's clock."""

from collections.abc import Callable, Collection
from datetime import timedelta

from api.rehearsal.stage import Stage
from orchestrator.domain.exercise import Team
from scoring.domain.verdicts import Verdict

Wanted = dict[str, set[timedelta]]
"""For how long which checks must pass."""

_MOST_FAILURES = 2
# A round may be lost: the machine was too slow for it, or the engine for the prober.
_MOST_ROUNDS = 20


def see_held(stage: Stage, team: Team, wanted: Callable[[], Wanted]) -> None:
    """Go from round to round until every check has passed for as long as is wanted of it.

    `wanted` is asked again each time: what has come about wants nothing more. A check that does not
    pass is given up after some rounds, sooner if it does not pass when it is looked at by itself.
    """
    looks: dict[str, int] = {}
    while True:
        rounds = _rounds_to_see(stage, team, wanted(), looks)
        if not rounds:
            return
        at, check = min(rounds)
        looks[check] = looks.get(check, 0) + 1
        stage.reach(team, at)


def wanted_by_injects(stage: Stage, team: Team, *, among: Collection[str]) -> Wanted:
    """Return for how long checks must pass for those `among` its injects that are yet to go out."""
    states = stage.inject_states(team)
    wanted: Wanted = {}
    for name in among:
        when = stage.scenario.injects[name].when
        if when is not None and when.check is not None and not states[name].times:
            hold = stage.scenario.checks[when.check].hold
            wanted.setdefault(when.check, set()).add(hold + (when.passing or timedelta()))
    return wanted


def _rounds_to_see(
    stage: Stage, team: Team, wanted: Wanted, looks: dict[str, int]
) -> list[tuple[timedelta, str]]:
    states = stage.check_states(team)
    rounds = []
    for check, times in wanted.items():
        state = states.get(check)
        if looks.get(check, 0) >= _MOST_ROUNDS:
            continue
        if state is None or state.passing_since is None:
            if looks.get(check, 0) < _MOST_FAILURES or _passes(stage, team, check):
                now = stage.elapsed(team)
                rounds.append((stage.next_round(team, check, after=now), check))
        else:
            ends = [state.passing_since + time for time in times if not state.has_held(time)]
            rounds += [(stage.next_round(team, check, after=end), check) for end in ends]
    return rounds


def _passes(stage: Stage, team: Team, check: str) -> bool:
    return stage.look(team, check).verdict is Verdict.UP
