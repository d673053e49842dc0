"""Roles of members, and one-time codes for those who have no way in yet."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, status
from pydantic import BaseModel, Field

from api.auth import Instructor, ServicesHere
from api.codes import issue_code
from api.responses import RESPONSES
from api.v1.conduct_models import ReasonIn
from api.v1.exercises import ExerciseHere
from orchestrator.journal import By

router = APIRouter(tags=["people"], responses=RESPONSES)

_UserName = Annotated[str, Path(max_length=64, examples=["ana"])]
_MOST_HOURS = 7 * 24


class RoleIn(ReasonIn):
    """A role of the scenario."""

    role: str = Field(max_length=64, examples=["analyst"])


class RoleOut(BaseModel):
    """Who plays what from now on."""

    user: str = Field(examples=["ana"])
    role: str = Field(examples=["analyst"])


class CodeIn(BaseModel):
    """How long a code is good."""

    hours: float = Field(default=24, gt=0, le=_MOST_HOURS, examples=[24])


class CodeOut(BaseModel):
    """A one-time code, told this once."""

    user: str = Field(examples=["ana"])
    code: str = Field(examples=["h7kd-92mf-xq4r"])
    expires_at: datetime


@router.put("/exercises/{name}/members/{user}/role")
def set_role(
    sent: RoleIn,
    user: _UserName,
    caller: Instructor,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> RoleOut:
    """Have a member of a team play another role; their live sessions follow at once."""
    by = By(user=caller.id, reason=sent.reason)
    services.casting.give(exercise, user, role=sent.role, by=by)
    return RoleOut(user=user, role=sent.role)


@router.post("/users/{user}/code", status_code=status.HTTP_201_CREATED)
def make_code(sent: CodeIn, user: _UserName, caller: Instructor, services: ServicesHere) -> CodeOut:
    """Make a one-time code, by which somebody enrols a key or a password at their first login.

    The code before is withdrawn. Only administrators make codes for others than trainees.
    """
    code, expires_at = issue_code(services, user, by=caller, lasts=timedelta(hours=sent.hours))
    return CodeOut(user=user, code=code, expires_at=expires_at)
