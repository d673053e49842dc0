"""Flags that a team hands in on its page: as many lines as it likes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from api.auth import PageTrainee, SameOrigin, ServicesHere
from api.context import flag_throttle_of
from api.flag_throttle import FlagThrottle
from api.teams import team_for
from api.web.exercise import ExerciseHere, trainee_refused, trainee_told
from core.errors import PoligonError

router = APIRouter()


@router.post("/exercises/{name}/captures", dependencies=[SameOrigin])
def capture(
    request: Request,
    caller: PageTrainee,
    exercise: ExerciseHere,
    services: ServicesHere,
    throttle: Annotated[FlagThrottle, Depends(flag_throttle_of)],
    flags: Annotated[str, Form(max_length=100_000)],
) -> Response:
    """Take the flags, and show the answer to each; a refusal is shown on the page."""
    team = team_for(exercise, caller, None)
    lines = flags.split()
    try:
        throttle.take(team.id, len(lines))
        answers = services.attack_defence.capture(exercise, team, caller.id, lines)
    except PoligonError as error:
        return trainee_refused(request, exercise, caller, services, error)
    return trainee_told(request, exercise, caller, services, answers)
