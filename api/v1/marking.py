"""Assessors and their marks."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, status
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Assessor, Caller, Instructor, Observer, ServicesHere, Trainee
from api.responses import RESPONSES
from api.teams import team_for
from api.v1.deliveries import TaskName, exercise_for_marks, team_to_mark
from api.v1.exercises import ExerciseHere, LanguageHere
from api.v1.mark_models import (
    CaseLineOut,
    CaseOut,
    TeamResultOut,
    case_out,
    line_out,
    result_out,
)
from orchestrator.domain.exercise import Exercise
from orchestrator.journal import By
from scoring.marking.fit import MAX_REASON, Given, Marks

router = APIRouter(tags=["marking"], responses=RESPONSES)
CASE = "/exercises/{name}/marking/{task}/{team}"

TeamSlug = Annotated[str, Path(max_length=64, examples=["team-1"])]
UserName = Annotated[str, Path(max_length=64, examples=["anna"])]


class MarkIn(BaseModel):
    """A level of a criterion, and why; a reason may wait until the marks are handed in."""

    model_config = ConfigDict(extra="forbid")
    level: int = Field(ge=0, le=100, examples=[2])
    reason: str = Field(default="", max_length=MAX_REASON, examples=["Two sources are missing."])


class MarksIn(BaseModel):
    """Marks of one place: an inject, or empty for the task itself. Handed in, they are for good."""

    model_config = ConfigDict(extra="forbid")
    place: str = Field(default="", max_length=64, examples=["press_call"])
    marks: dict[str, MarkIn] = Field(max_length=50)
    hand_in: bool = False


class OwnMarksIn(BaseModel):
    """Marks of every criterion, or what a team gives itself of them."""

    model_config = ConfigDict(extra="forbid")
    marks: dict[str, MarkIn] = Field(max_length=50)


class ReasonIn(BaseModel):
    """Why it is done; teams read it."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(max_length=500, examples=["The second page was not looked at."])


def _for_marks(
    name: Annotated[str, Path(max_length=80, examples=["border-week-k3f"])],
    caller: Assessor,
    services: ServicesHere,
) -> Exercise:
    return exercise_for_marks(services, name, caller)


MarkedHere = Annotated[Exercise, Depends(_for_marks)]


@router.get("/marking")
def queue(caller: Assessor, services: ServicesHere) -> list[CaseLineOut]:
    """List what the caller has to mark or may, in every exercise in which they were appointed."""
    return [line_out(line) for line in services.marks.queue(caller)]


@router.get("/exercises/{name}/assessors")
def list_assessors(_caller: Observer, exercise: ExerciseHere, services: ServicesHere) -> list[str]:
    """List who marks in an exercise, by login name."""
    return list(services.marks.assessors(exercise))


@router.put("/exercises/{name}/assessors/{user}", status_code=status.HTTP_204_NO_CONTENT)
def appoint(
    user: UserName, caller: Instructor, exercise: ExerciseHere, services: ServicesHere
) -> None:
    """Let somebody mark in an exercise: anybody but trainees and members of its teams."""
    services.marking.appoint(exercise, services.users.named(user), by=By(user=caller.id))


@router.delete("/exercises/{name}/assessors/{user}", status_code=status.HTTP_204_NO_CONTENT)
def dismiss(
    user: UserName, caller: Instructor, exercise: ExerciseHere, services: ServicesHere
) -> None:
    """Let somebody mark no more; what they handed in stays."""
    services.marking.dismiss(exercise, services.users.named(user), by=By(user=caller.id))


@router.get("/exercises/{name}/marking")
def list_marking(
    caller: Observer, exercise: ExerciseHere, services: ServicesHere
) -> list[CaseLineOut]:
    """List every team's tasks that assessors mark, and how far each has come."""
    return [line_out(line) for line in services.marks.lines(exercise, caller)]


@router.get("/exercises/{name}/results")
def list_results(
    caller: Caller,
    exercise: ExerciseHere,
    services: ServicesHere,
    language: LanguageHere,
    team: Annotated[str | None, Query(max_length=64, description="For staff: whose.")] = None,
) -> list[TeamResultOut]:
    """List what a team was given by assessors, and why once that is released."""
    whose = team_for(exercise, caller, team)
    found = services.marks.results(exercise, whose, language=language)
    return [result_out(result) for result in found.values()]


@router.post("/exercises/{name}/tasks/{task}/release", status_code=status.HTTP_204_NO_CONTENT)
def release(
    task: TaskName, caller: Instructor, exercise: ExerciseHere, services: ServicesHere
) -> None:
    """Let teams read what they were given for a task, and why."""
    services.marking.release(exercise, task, by=By(user=caller.id))


@router.put("/exercises/{name}/tasks/{task}/own-marks", status_code=status.HTTP_204_NO_CONTENT)
def assess_own(
    task: TaskName,
    sent: OwnMarksIn,
    caller: Trainee,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> None:
    """Say what one's team gives itself; it never scores."""
    team = team_for(exercise, caller, None)
    services.marking.assess_own(exercise, team, caller.id, task=task, marks=_given(sent.marks))


@router.get(CASE)
def show_case(
    team: TeamSlug, task: TaskName, caller: Assessor, exercise: MarkedHere, services: ServicesHere
) -> CaseOut:
    """Return a team's task with its rubric, what came from the team, and the caller's marks.

    Marks of others and names of members are in it once every assessor has handed in.
    """
    found = team_to_mark(exercise, team)
    return case_out(services.marks.case(exercise, found, task, caller))


@router.put(CASE, status_code=status.HTTP_204_NO_CONTENT)
def mark(
    team: TeamSlug,
    task: TaskName,
    sent: MarksIn,
    caller: Assessor,
    exercise: MarkedHere,
    services: ServicesHere,
) -> None:
    """Keep marks as a draft, or hand them in; sent again they change nothing."""
    services.marking.mark(
        exercise,
        team_to_mark(exercise, team),
        caller.id,
        task=task,
        place=sent.place,
        marks=_given(sent.marks),
        hand_in=sent.hand_in,
    )


@router.put(f"{CASE}/moderation", status_code=status.HTTP_204_NO_CONTENT)
def moderate(
    team: TeamSlug,
    task: TaskName,
    sent: OwnMarksIn,
    caller: Instructor,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> None:
    """Decide, as a third person, where assessors are too far apart."""
    found = team_to_mark(exercise, team)
    services.marking.moderate(exercise, found, caller.id, task=task, marks=_given(sent.marks))


@router.post(f"{CASE}/again", status_code=status.HTTP_204_NO_CONTENT)
def mark_again(
    team: TeamSlug,
    task: TaskName,
    sent: ReasonIn,
    caller: Instructor,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> None:
    """Have it marked again; former marks stay, and the result until there is a new one."""
    found = team_to_mark(exercise, team)
    by = By(user=caller.id, reason=sent.reason)
    services.marking.mark_again(exercise, found, task=task, by=by)


def _given(marks: dict[str, MarkIn]) -> Marks:
    return {name: Given(level=mark.level, reason=mark.reason) for name, mark in marks.items()}
