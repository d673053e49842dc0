"""Clocks of teams, extensions, and the log of what was done."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from api.auth import Instructor, Observer, ServicesHere
from api.bootstrap import Services
from api.idempotency import RememberingRoute
from api.responses import RESPONSES
from api.v1.conduct_models import EventOut, ExtensionIn, ReasonIn, event_out
from api.v1.exercises import ExerciseHere, document_key
from api.v1.models import ExerciseOut, exercise_out
from orchestrator.domain.exercise import Exercise
from orchestrator.journal import By

router = APIRouter(tags=["exercises"], responses=RESPONSES)
repeatable = APIRouter(route_class=RememberingRoute, dependencies=[Depends(document_key)])

_TeamSlug = Annotated[str, Path(max_length=40, examples=["team-1"])]


@repeatable.post("/exercises/{name}/extend")
def extend(
    sent: ExtensionIn, caller: Instructor, exercise: ExerciseHere, services: ServicesHere
) -> ExerciseOut:
    """Let every team, or one, go on for longer."""
    after = services.timekeeping.extend(
        exercise.id,
        timedelta(minutes=sent.minutes),
        team=sent.team,
        by=By(user=caller.id, reason=sent.reason),
    )
    return exercise_out(after, now=services.clock.now(), to=caller)


class TeamMove(StrEnum):
    """What is done to the clock of one team."""

    PAUSE = "pause"
    RESUME = "resume"


_WHAT_IT_DOES: Mapping[TeamMove, str] = MappingProxyType(
    {
        TeamMove.PAUSE: "Stop the clock of one team.",
        TeamMove.RESUME: "Let the clock of one team run on.",
    }
)


def move_team(
    services: Services, move: TeamMove, exercise: Exercise, team: str, *, by: By
) -> Exercise:
    """Do it, and return the exercise afterwards; raises as `Timekeeping` does."""
    acts = {
        TeamMove.PAUSE: services.timekeeping.pause_team,
        TeamMove.RESUME: services.timekeeping.resume_team,
    }
    return acts[move](exercise.id, team, by=by)


def _team_mover(move: TeamMove) -> Callable[..., ExerciseOut]:
    def carry_it_out(
        team: _TeamSlug,
        sent: ReasonIn,
        caller: Instructor,
        exercise: ExerciseHere,
        services: ServicesHere,
    ) -> ExerciseOut:
        by = By(user=caller.id, reason=sent.reason)
        after = move_team(services, move, exercise, team, by=by)
        return exercise_out(after, now=services.clock.now(), to=caller)

    carry_it_out.__doc__ = _WHAT_IT_DOES[move]
    return carry_it_out


for _move in TeamMove:
    repeatable.add_api_route(
        f"/exercises/{{name}}/teams/{{team}}/{_move}",
        _team_mover(_move),
        methods=["POST"],
        name=f"{_move}_team",
    )


@router.get("/exercises/{name}/events")
def list_events(
    _caller: Observer,
    exercise: ExerciseHere,
    services: ServicesHere,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> list[EventOut]:
    """Return what was done in an exercise since the event `after`, oldest first."""
    found = services.exercises.journal.of(exercise.id, after=after, limit=limit)
    return [event_out(entry) for entry in found]


router.include_router(repeatable)
