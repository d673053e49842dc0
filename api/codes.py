"""One-time codes: who may make them for whom."""

from datetime import datetime, timedelta

import structlog

from api.bootstrap import Services
from core.errors import Fault, PoligonError
from core.users.model import Role, User

log = structlog.get_logger()


class CodeForbiddenError(PoligonError):
    """A code lets in whoever has it: an instructor's is not for an administrator's account."""

    code = "code.forbidden"
    fault = Fault.DENIED


def issue_code(
    services: Services, name: str, *, by: User, lasts: timedelta
) -> tuple[str, datetime]:
    """Return a new one-time code and when it expires.

    Raises UserUnknownError, and CodeForbiddenError unless it is for a trainee or `by` an
    administrator.
    """
    user = services.users.named(name)
    if user.role is not Role.TRAINEE and by.role is not Role.ADMIN:
        raise CodeForbiddenError(
            f"{name} is no trainee; only an administrator makes a code for them",
            hint="Ask the operator: poligon user code",
        )
    log.info("code.issued", user=name, by=by.name)
    return services.users.codes.issue(name, lasts=lasts)
