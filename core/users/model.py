"""Who somebody is, and what their role lets them do."""

from dataclasses import dataclass
from enum import StrEnum

from core.errors import Fault, PoligonError
from core.ids import UserId


class Role(StrEnum):
    """What a person does at the centre."""

    TRAINEE = "trainee"
    INSTRUCTOR = "instructor"
    STAFF = "staff"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who may log in. `name` is what they type."""

    id: UserId
    name: str
    role: Role
    display_name: str = ""

    @property
    def runs_exercises(self) -> bool:
        """Whether they launch, run and remove exercises."""
        return self.role in {Role.INSTRUCTOR, Role.ADMIN}

    @property
    def sees_results(self) -> bool:
        """Whether they see every team's board and record."""
        return self.role in {Role.INSTRUCTOR, Role.STAFF, Role.ADMIN}


class UserUnknownError(PoligonError):
    """There is no such user."""

    code = "user.unknown"
    fault = Fault.MISSING


class UserExistsError(PoligonError):
    """Somebody has this name already."""

    code = "user.exists"
    fault = Fault.CONFLICT


class UserNameInvalidError(PoligonError):
    """A name that cannot be typed as an SSH login."""

    code = "user.name_invalid"
    fault = Fault.INPUT


class KeyInvalidError(PoligonError):
    """Text that is not one public key in OpenSSH's form."""

    code = "user.key_invalid"
    fault = Fault.INPUT


class LoginRefusedError(PoligonError):
    """Name and password do not fit. Which of the two is not told."""

    code = "login.refused"
    fault = Fault.DENIED
