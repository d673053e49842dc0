"""How somebody gets in by SSH."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.access import gateway_key, passwords_of, recorded_for, ssh_command
from api.auth import Caller, ServicesHere
from api.bootstrap import Services
from api.responses import RESPONSES
from api.v1.exercises import ExerciseHere, LanguageHere
from core.users.model import User
from orchestrator.domain.exercise import Exercise
from orchestrator.resets import Offer

router = APIRouter(tags=["play"], responses=RESPONSES)


class ResetCostOut(BaseModel):
    """What a reset takes from a task of the team, never more than it gave."""

    task: str = Field(examples=["restore-mail"])
    points: int = Field(examples=[5])


class ResetOut(BaseModel):
    """A host that the caller may have made anew; `left` is null where there is no limit."""

    host: str = Field(examples=["mail"])
    title: str = Field(examples=["Mail server"])
    left: int | None = Field(examples=[2])
    cost: ResetCostOut | None


class PasswordOut(BaseModel):
    """What an account on a host of the team logs in with, from another host."""

    host: str = Field(examples=["files"])
    title: str = Field(examples=["File server"])
    account: str = Field(examples=["keeper"])
    password: str = Field(examples=["hM4Xq7bVtLr2Qn"])


class RecordedOut(BaseModel):
    """A host of which something is kept, and the sentence that says what."""

    host: str = Field(examples=["desk"])
    title: str = Field(examples=["Analyst's desk"])
    notice: str = Field(examples=["Terminals and what commands show are recorded."])


class AccessOut(BaseModel):
    """What to type, and how to know that it is the right gateway that answers.

    `known_hosts` and `fingerprint` are empty before the gateway's first start.
    """

    login: str = Field(examples=["team-1-k3f"])
    host: str = Field(examples=["range.example"])
    port: int = Field(examples=[2222])
    command: str = Field(examples=["ssh -p 2222 team-1-k3f@range.example"])
    known_hosts: str = Field(examples=["[range.example]:2222 ssh-ed25519 AAAAC3Nza…"])
    fingerprint: str = Field(examples=["SHA256:XvTn0pZ5…"])
    recorded: list[RecordedOut]
    passwords: list[PasswordOut]
    resets: list[ResetOut]


@router.get("/exercises/{name}/access")
def show_access(
    exercise: ExerciseHere, caller: Caller, services: ServicesHere, language: LanguageHere
) -> AccessOut:
    """Say how the caller gets into their hosts, with what further, and what they may reset.

    Titles come in the language that `Accept-Language` asks for, as far as they are translated.
    """
    settings = services.settings
    key = gateway_key(settings)
    return AccessOut(
        login=caller.name,
        host=settings.public_host,
        port=settings.ssh_port,
        command=ssh_command(settings, caller.name),
        known_hosts=key.known_hosts if key is not None else "",
        fingerprint=key.fingerprint if key is not None else "",
        recorded=[
            RecordedOut(host=told.host, title=told.title, notice=told.notice)
            for told in recorded_for(services, exercise, caller.id, language=language)
        ],
        passwords=[
            PasswordOut(
                host=shown.host, title=shown.title, account=shown.account, password=shown.password
            )
            for shown in passwords_of(services, exercise, caller.id, language=language)
        ],
        resets=[_reset(offer) for offer in _offers(exercise, caller, services, language)],
    )


def _offers(
    exercise: Exercise, caller: User, services: Services, language: str
) -> tuple[Offer, ...]:
    team = exercise.team_of(caller.id)
    if team is None:
        return ()
    return services.resets.offers(exercise, team, caller, language=language)


def _reset(offer: Offer) -> ResetOut:
    cost = offer.cost
    return ResetOut(
        host=offer.host,
        title=offer.title,
        left=offer.left,
        cost=ResetCostOut(task=cost.task, points=cost.points) if cost is not None else None,
    )
