"""What somebody must be to do something."""

from api.errors import NotYourRoleError
from core.users.model import User


def runs_exercises(user: User) -> User:
    """Return `user`; raises NotYourRoleError unless they run exercises."""
    if not user.runs_exercises:
        raise NotYourRoleError(
            f"a user in the role {user.role} does not run exercises", hint="Ask an instructor"
        )
    return user


def sees_results(user: User) -> User:
    """Return `user`; raises NotYourRoleError unless they see results."""
    if not user.sees_results:
        raise NotYourRoleError(
            f"a user in the role {user.role} does not see every team's results",
            hint="Ask an instructor",
        )
    return user


def marks(user: User) -> User:
    """Return `user`; raises NotYourRoleError unless they may mark what teams did."""
    if not user.marks:
        raise NotYourRoleError(
            f"a user in the role {user.role} does not mark", hint="Log in as an assessor"
        )
    return user


def plays(user: User) -> User:
    """Return `user`; raises NotYourRoleError unless they are a trainee."""
    if user.marks:
        raise NotYourRoleError(
            f"a user in the role {user.role} does not answer tasks", hint="Log in as a trainee"
        )
    return user
