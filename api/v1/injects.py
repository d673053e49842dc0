"""Injects of an exercise, and what instructors do about them."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import Field

from api.auth import Instructor, Observer, ServicesHere
from api.idempotency import RememberingRoute
from api.inject_acts import InjectAct, act_on
from api.responses import RESPONSES
from api.v1.conduct_models import ReasonIn
from api.v1.exercises import ExerciseHere, document_key
from api.v1.inject_models import DoneOut, InjectOut, inject_out
from orchestrator.journal import By

router = APIRouter(tags=["injects"], responses=RESPONSES)
repeatable = APIRouter(route_class=RememberingRoute, dependencies=[Depends(document_key)])


_WHAT_IT_DOES: Mapping[InjectAct, str] = MappingProxyType(
    {
        InjectAct.FIRE: "Let an inject go out now: early, held, asked about, manual, or failed.",
        InjectAct.HOLD: "Keep an inject back until it is released, fired or skipped.",
        InjectAct.RELEASE: "Let a held inject go: at its time, or at once when that has passed.",
        InjectAct.SKIP: "Let an inject never go out; what waits for it goes on from now.",
    }
)


class InjectActIn(ReasonIn):
    """For whom, and why; without a team, for every team for which it is possible."""

    team: str = Field(default="", max_length=40, examples=["team-1"])


class ShiftIn(InjectActIn):
    """By how much everything that has not gone out yet moves; below zero, earlier."""

    minutes: float = Field(ge=-24 * 60, le=24 * 60, examples=[10])

    @property
    def time(self) -> timedelta:
        """By how much."""
        return timedelta(minutes=self.minutes)


@router.get("/exercises/{name}/injects")
def list_injects(
    _caller: Observer, exercise: ExerciseHere, services: ServicesHere
) -> list[InjectOut]:
    """List the injects in the scenario's order, each with its state for every team."""
    return [inject_out(view) for view in services.injects.all(exercise)]


@repeatable.post("/exercises/{name}/injects/shift")
def shift_injects(
    sent: ShiftIn, caller: Instructor, exercise: ExerciseHere, services: ServicesHere
) -> DoneOut:
    """Move everything that has not gone out yet, for one team or all."""
    teams = services.injects.shift(
        exercise.id,
        sent.time,
        team=sent.team,
        by=By(user=caller.id, reason=sent.reason),
    )
    return DoneOut(teams=list(teams))


def _actor(act: InjectAct) -> Callable[..., DoneOut]:
    def carry_it_out(
        inject: Annotated[str, Path(max_length=64, examples=["ransom_note"])],
        sent: InjectActIn,
        caller: Instructor,
        exercise: ExerciseHere,
        services: ServicesHere,
    ) -> DoneOut:
        by = By(user=caller.id, reason=sent.reason)
        return DoneOut(
            teams=list(act_on(services, act, exercise.id, inject, team=sent.team, by=by))
        )

    carry_it_out.__doc__ = _WHAT_IT_DOES[act]
    return carry_it_out


for _act in InjectAct:
    repeatable.add_api_route(
        f"/exercises/{{name}}/injects/{{inject}}/{_act}",
        _actor(_act),
        methods=["POST"],
        name=f"{_act}_inject",
    )
router.include_router(repeatable)
