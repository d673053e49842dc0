"""Training record and signals."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.auth import Instructor, Observer, ServicesHere
from api.bootstrap import Services
from api.downloads import download
from api.responses import RESPONSES
from api.v1.exercises import ExerciseHere
from core.ids import UserId
from orchestrator.domain.exercise import Exercise
from scoring.exports.as_csv import as_csv
from scoring.exports.as_json import as_json
from scoring.exports.as_xapi import as_xapi
from scoring.views import Signal

router = APIRouter(tags=["results"], responses=RESPONSES)


class SignalOut(BaseModel):
    """A team sent a secret of another: for a person to look at."""

    team: str = Field(examples=["team-1"])
    user: str = Field(examples=["team-1-k3f"])
    task: str = Field(examples=["note"])
    owner: str = Field(examples=["team-2"])
    value: str = Field(examples=["flag_note"])
    at: datetime


class RecordForm(StrEnum):
    """How a training record is written."""

    JSON = "json"
    CSV = "csv"
    XAPI = "xapi"  # statements, once it is final


@router.get(
    "/exercises/{name}/record",
    response_class=Response,
    responses={200: {"content": {"application/json": {}, "text/csv": {}}}},
)
def record(
    _caller: Observer,
    exercise: ExerciseHere,
    services: ServicesHere,
    request: Request,
    form: Annotated[RecordForm | None, Query(alias="format", description="Or by Accept.")] = None,
) -> Response:
    """Return what every team and trainee achieved; provisional until the exercise has ended."""
    if form is None:
        wants_csv = request.headers.get("accept", "").startswith("text/csv")
        form = RecordForm.CSV if wants_csv else RecordForm.JSON
    return record_response(services, exercise, form)


def record_response(services: Services, exercise: Exercise, form: RecordForm) -> Response:
    """Return the training record as a file to keep."""
    shown = services.scoring.record(exercise)
    match form:
        case RecordForm.CSV:
            text, kind, media = as_csv(shown), "csv", "text/csv; charset=utf-8"
        case RecordForm.XAPI:
            text = as_xapi(shown, services.settings.home_page())
            kind, media = "xapi.json", "application/json"
        case _:
            text, kind, media = as_json(shown), "json", "application/json"
    return download(text, f"{exercise.name}-record.{kind}", media_type=media)


@router.get("/exercises/{name}/signals")
def signals(_caller: Instructor, exercise: ExerciseHere, services: ServicesHere) -> list[SignalOut]:
    """List what a person should look at; a signal is no proof and takes no points."""
    names = {m.user: m.name for team in exercise.teams for m in team.members}
    return [_signal_out(signal, names) for signal in services.scoring.signals(exercise)]


def _signal_out(signal: Signal, names: dict[UserId, str]) -> SignalOut:
    return SignalOut(
        team=signal.team,
        user=names.get(signal.user, signal.user),
        task=signal.task,
        owner=signal.owner,
        value=signal.value,
        at=signal.at,
    )
