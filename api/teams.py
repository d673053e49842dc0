"""Which team somebody means, and whether they may."""

from api.errors import NoTeamError, TeamUnknownError
from core.users.model import User
from orchestrator.domain.exercise import Exercise, Team


def team_for(exercise: Exercise, caller: User, slug: str | None) -> Team:
    """Return the team that `caller` asks about; raises NoTeamError, TeamUnknownError."""
    own = exercise.team_of(caller.id)
    if slug is None:
        if own is None:
            raise NoTeamError("which team is not told", hint="Add ?team= and a team's slug")
        return own
    found = exercise.team(slug)
    if found is None or not (caller.sees_results or found == own):
        raise TeamUnknownError(
            f"there is no team {slug!r} in {exercise.name}", hint="Look at the exercise's teams"
        )
    return found
