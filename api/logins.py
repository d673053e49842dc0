"""Logging in with name and password, the same way for the interface and for pages."""

import structlog
from fastapi import Request

from api.bootstrap import Services
from api.throttle import LoginThrottle
from core.users.model import CodeRefusedError, LoginRefusedError, User, UserUnknownError

log = structlog.get_logger()


def address_of(request: Request) -> str:
    """Return the address that a request comes from, as the server knows it."""
    return request.client.host if request.client else ""


def log_in(
    services: Services, throttle: LoginThrottle, name: str, password: str, address: str
) -> tuple[User, str]:
    """Return who it is and a token; raises LoginRefusedError, TooManyLoginsError."""
    with throttle.attempt(account=name, address=address):
        try:
            user, token = services.users.log_in(name, password)
        except LoginRefusedError:
            log.info("login.refused", account=name, address=address)
            raise
    log.info("login.done", user=user.name)
    return user, token


def enrol_password(
    services: Services,
    throttle: LoginThrottle,
    *,
    name: str,
    code: str,
    password: str,
    address: str,
) -> None:
    """Use a one-time code for a password.

    Raises PasswordTooShortError (the code stays good), LoginRefusedError, TooManyLoginsError.
    """
    with throttle.attempt(account=name, address=address):
        try:
            services.users.codes.enrol_password(name, code, password)
        except (CodeRefusedError, UserUnknownError) as error:
            log.info("login.refused", account=name, address=address)
            raise LoginRefusedError(
                "this code is wrong, was used or has expired",
                hint="Ask your instructor for another",
            ) from error
    log.info("login.password_set", user=name)
