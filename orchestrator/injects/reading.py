"""What people see of injects: each one's state for every team."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.domain.exercise import Exercise
from orchestrator.domain.injects import Expectation, FiringState, next_time
from orchestrator.injects.turns import TeamInjects, Turns
from orchestrator.service import Exercises

PLANNED = "planned"

_TRIGGERS = ("at", "after", "when", "manual")
_ACTIONS = ("message", "run", "do", "link", "cost")


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamState:
    """Where an inject of a team is; times are the team's clock.

    `state` is `planned` or a FiringState. `due` is when it should go out, as far as that is known;
    `at` when it last did, or was skipped; `times` how often it went out.
    """

    team: str
    state: str
    due: timedelta | None
    at: timedelta | None
    times: int
    detail: str
    expectation: Expectation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectView:
    """An inject, and where it is for each team, in the order of teams."""

    inject: str
    title: str
    trigger: str
    actions: tuple[str, ...]
    script: str
    teams: tuple[TeamState, ...]


class InjectReading:
    """Lists of injects, for those who run exercises."""

    def __init__(self, turns: Turns, exercises: Exercises) -> None:
        self._turns = turns
        self._exercises = exercises

    def all(self, exercise: Exercise) -> tuple[InjectView, ...]:
        """See `Injects.all`."""
        injects = self._exercises.scenario(exercise).scenario.injects
        known = self._turns.look([exercise]) if injects else {}
        return tuple(
            InjectView(
                inject=name,
                title=inject.title or name,
                trigger=next(k for k in _TRIGGERS if getattr(inject, k) is not None),
                actions=tuple(k for k in _ACTIONS if getattr(inject, k)),
                script=inject.script or "",
                teams=tuple(_team_state(name, known[t.id]) for t in exercise.teams),
            )
            for name, inject in injects.items()
        )


def _team_state(name: str, known: TeamInjects) -> TeamState:
    record = known.latest(name)
    planned = next_time(known.situation, name)
    fired = [r.firing for r in known.records if r.firing.inject == name]
    comes_again = record is not None and planned is not None
    if record is None or comes_again:
        state, due = PLANNED, planned[1] if planned is not None else None
    else:
        is_manual = known.situation.scenario.injects[name].manual is not None
        state, due = record.firing.state.value, None if is_manual else record.due
    return TeamState(
        team=known.team.slug,
        state=state,
        due=due,
        at=_last(known, name),
        times=sum(firing.state is FiringState.FIRED for firing in fired),
        detail=record.detail if record is not None else "",
        expectation=record.expectation if record is not None else None,
    )


def _last(known: TeamInjects, name: str) -> timedelta | None:
    times: Sequence[timedelta] = [
        record.firing.at
        for record in known.records
        if record.firing.inject == name and record.firing.at is not None
    ]
    return max(times, default=None)
