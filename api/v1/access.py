"""How somebody gets in by SSH."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.access import gateway_key, ssh_command
from api.auth import Caller, ServicesHere
from api.responses import RESPONSES
from api.v1.exercises import ExerciseHere

router = APIRouter(tags=["play"], responses=RESPONSES)


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


@router.get("/exercises/{name}/access")
def show_access(_exercise: ExerciseHere, caller: Caller, services: ServicesHere) -> AccessOut:
    """Say how the caller gets into their hosts of this exercise."""
    settings = services.settings
    key = gateway_key(settings)
    return AccessOut(
        login=caller.name,
        host=settings.public_host,
        port=settings.ssh_port,
        command=ssh_command(settings, caller.name),
        known_hosts=key.known_hosts if key is not None else "",
        fingerprint=key.fingerprint if key is not None else "",
    )
