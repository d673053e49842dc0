"""Who somebody is, and what their role lets them do."""

from dataclasses import dataclass
from enum import StrEnum

from core.errors import Fault, PoligonError
from core.ids import UserId


class Role(StrEnum):
    """What a person does at the centre."""

    TRAINEE = "trainee"
    ASSESSOR = "assessor"
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
    def marks(self) -> bool:
        """Whether they may be appointed to mark what teams did."""
        return self.role is not Role.TRAINEE

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


class CodeRefusedError(PoligonError):
    """A one-time code is wrong, was used or has expired. Which of these is not told."""

    code = "code.refused"
    fault = Fault.DENIED


class PasswordTooShortError(PoligonError):
    """A password that somebody chose has too few characters."""

    code = "password.too_short"
    fault = Fault.INPUT
