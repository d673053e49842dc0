"""Who plays which of a scenario's roles."""

import structlog

from core.clock import Clock
from core.db import Database
from core.errors import Fault, PoligonError
from core.ids import ExerciseId
from core.scenario.schema import Scenario
from orchestrator.domain.exercise import Exercise, Member, Team
from orchestrator.journal import SYSTEM, By, Journal
from orchestrator.library import Library
from orchestrator.repository import ExerciseRepository

log = structlog.get_logger()


class RoleUnknownError(PoligonError):
    """The scenario has no such role."""

    code = "exercise.role_unknown"
    fault = Fault.INPUT


class MemberUnknownError(PoligonError):
    """Nobody of that name is in a team of the exercise."""

    code = "exercise.member_unknown"
    fault = Fault.MISSING


class Casting:
    """Roles of members, after the launch."""

    def __init__(self, database: Database, clock: Clock, library: Library) -> None:
        self._database = database
        self._library = library
        self._journal = Journal(database, clock)

    def give(self, exercise: Exercise, user: str, *, role: str, by: By = SYSTEM) -> None:
        """Have a member play another role from now on; live sessions follow at once.

        Raises MemberUnknownError, RoleUnknownError.
        """
        require_role(self._library.scenario(exercise.scenario_digest).scenario, role)
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            team, member = place_of(repository.find(exercise.id) or exercise, user)
            if member.role == role:
                return
            repository.set_role(ExerciseId(exercise.id), member.user, role=role)
            self._journal.note(
                transaction,
                exercise,
                "member.role_changed",
                f"{user} plays {role}, and played {member.role} before",
                team=team.id,
                subject=user,
                by=by,
            )
        log.info("member.role_changed", exercise=exercise.name, user=user, role=role)


def require_role(scenario: Scenario, role: str) -> None:
    """Raise RoleUnknownError, naming the roles, unless the scenario has this one."""
    if role not in scenario.roles:
        raise RoleUnknownError(
            f"the scenario has no role {role!r}", hint=f"Its roles are {', '.join(scenario.roles)}"
        )


def place_of(exercise: Exercise, user: str) -> tuple[Team, Member]:
    """Return the team that somebody is in, and as what; raises MemberUnknownError."""
    for team in exercise.teams:
        for member in team.members:
            if member.name == user:
                return team, member
    raise MemberUnknownError(
        f"{user!r} is in no team of {exercise.name}",
        hint=f"`poligon exercise status {exercise.name}` shows the members",
    )
