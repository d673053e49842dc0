"""Clocks of teams, extensions, and the log of what was done."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Instructor, Observer, ServicesHere
from api.idempotency import RememberingRoute
from api.responses import RESPONSES
from api.v1.exercises import ExerciseHere, document_key
from api.v1.models import ExerciseOut, exercise_out
from orchestrator.journal import By, JournalEntry

router = APIRouter(tags=["exercises"], responses=RESPONSES)
repeatable = APIRouter(route_class=RememberingRoute, dependencies=[Depends(document_key)])

_TeamSlug = Annotated[str, Path(max_length=40, examples=["team-1"])]


class ReasonIn(BaseModel):
    """Why, for the log."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(default="", max_length=500)


class ExtensionIn(ReasonIn):
    """How much longer, and for whom; without a team, for everybody."""

    minutes: float = Field(gt=0, le=7 * 24 * 60, examples=[10])
    team: str = Field(default="", max_length=40, examples=["team-1"])


class EventOut(BaseModel):
    """An act of a person, or of the system when there is no `actor`; on both clocks."""

    id: int
    at: datetime
    elapsed_seconds: float
    act: str = Field(examples=["exercise.paused"])
    actor: str
    team: str
    subject: str
    text: str
    reason: str


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


@repeatable.post("/exercises/{name}/teams/{team}/pause")
def pause_team(
    team: _TeamSlug,
    sent: ReasonIn,
    caller: Instructor,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> ExerciseOut:
    """Stop the clock of one team."""
    by = By(user=caller.id, reason=sent.reason)
    after = services.timekeeping.pause_team(exercise.id, team, by=by)
    return exercise_out(after, now=services.clock.now(), to=caller)


@repeatable.post("/exercises/{name}/teams/{team}/resume")
def resume_team(
    team: _TeamSlug,
    sent: ReasonIn,
    caller: Instructor,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> ExerciseOut:
    """Let the clock of one team run on."""
    by = By(user=caller.id, reason=sent.reason)
    after = services.timekeeping.resume_team(exercise.id, team, by=by)
    return exercise_out(after, now=services.clock.now(), to=caller)


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


def event_out(entry: JournalEntry) -> EventOut:
    """Return an entry of the log as the interface shows it."""
    return EventOut(
        id=entry.id,
        at=entry.at,
        elapsed_seconds=entry.elapsed.total_seconds(),
        act=entry.act,
        actor=entry.actor,
        team=entry.team,
        subject=entry.subject,
        text=entry.text,
        reason=entry.reason,
    )


router.include_router(repeatable)
