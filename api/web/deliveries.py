"""Handing files in, and getting them back."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api.auth import PageCaller, PageTrainee, SameOrigin, ServicesHere
from api.teams import team_for
from api.uploading import Upload, from_form
from api.v1.deliveries import DeliveryId, TaskName, delivery_response
from api.web.exercise import ExerciseHere, trainee_refused
from core.errors import PoligonError

router = APIRouter()


@router.post("/exercises/{name}/tasks/{task}/deliveries", dependencies=[SameOrigin])
async def deliver(
    request: Request,
    task: TaskName,
    caller: PageTrainee,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> Response:
    """Hand a file in and go back to its task; a refusal is shown there."""
    upload = Upload(services, exercise, team_for(exercise, caller, None), caller, task)
    try:
        await from_form(request, upload)
    except PoligonError as error:
        refused = error  # a name that outlives its block
    else:
        here = f"/exercises/{exercise.name}#task-{task}"
        return RedirectResponse(here, HTTPStatus.SEE_OTHER)
    return await run_in_threadpool(
        lambda: trainee_refused(request, exercise, caller, services, refused, task=task)
    )


@router.get("/exercises/{name}/deliveries/{delivery}")
def download_delivery(
    name: Annotated[str, Path(max_length=80)],
    delivery: DeliveryId,
    caller: PageCaller,
    services: ServicesHere,
) -> Response:
    """Hand a file out, to be saved and never shown."""
    return delivery_response(services, name, caller, delivery)
