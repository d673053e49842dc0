"""Logging in and out, and one's own SSH keys."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, status
from pydantic import BaseModel, Field

from api.auth import Caller, ServicesHere
from api.context import throttle_of
from api.logins import address_of, log_in
from api.responses import RESPONSES
from api.throttle import LoginThrottle
from core.users.model import Role, User
from core.users.tokens import TOKEN_LIFETIME

router = APIRouter(tags=["session"], responses=RESPONSES)


class UserOut(BaseModel):
    """Somebody who may log in."""

    name: str = Field(examples=["team-1-k3f"])
    display_name: str = Field(examples=["Team 1"])
    role: Role


class Credentials(BaseModel):
    """A login name and its password."""

    name: str = Field(max_length=64, examples=["team-1-k3f"])
    password: str = Field(max_length=200, examples=["h7kd-92mf-xq4r"])


class TokenOut(BaseModel):
    """A bearer token: send it as `Authorization: Bearer …`."""

    token: str = Field(examples=["plg_…"])
    expires_at: datetime
    user: UserOut


class KeyIn(BaseModel):
    """One line of a `.pub` file."""

    public_key: str = Field(max_length=16_384, examples=["ssh-ed25519 AAAAC3Nza… me@laptop"])


class KeysOut(BaseModel):
    """The SHA-256 fingerprints of one's keys, as `ssh-keygen -l` prints them."""

    fingerprints: list[str] = Field(examples=[["SHA256:XvTn0pZ5…"]])


def user_out(user: User) -> UserOut:
    """Return a user as clients see one."""
    return UserOut(name=user.name, display_name=user.display_name, role=user.role)


@router.post("/login")
def login(
    sent: Credentials,
    request: Request,
    services: ServicesHere,
    throttle: Annotated[LoginThrottle, Depends(throttle_of)],
) -> TokenOut:
    """Log in; the token is good for 12 hours."""
    user, token = log_in(services, throttle, sent.name, sent.password, address_of(request))
    return TokenOut(
        token=token, expires_at=services.clock.now() + TOKEN_LIFETIME, user=user_out(user)
    )


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT)
def logout(request: Request, services: ServicesHere, _caller: Caller) -> Response:
    """End the life of the token that comes with this request."""
    services.users.withdraw_token(request.headers["authorization"].partition(" ")[2].strip())
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/me")
def me(caller: Caller) -> UserOut:
    """Tell who is logged in."""
    return user_out(caller)


@router.get("/me/keys")
def my_keys(caller: Caller, services: ServicesHere) -> KeysOut:
    """List one's SSH keys."""
    return KeysOut(fingerprints=list(services.users.key_fingerprints(caller.name)))


@router.put("/me/keys")
def add_my_key(sent: KeyIn, caller: Caller, services: ServicesHere) -> KeysOut:
    """Have this key among one's SSH keys; one that is there already stays."""
    services.users.add_key(caller.name, sent.public_key)
    return KeysOut(fingerprints=list(services.users.key_fingerprints(caller.name)))
