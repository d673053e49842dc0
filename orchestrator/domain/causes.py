"""What is wrong with an exercise, each cause once, with the teams that have it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.domain.exercise import Problem, Stage, Team

_SOME_TEAM = "a team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A cause, and who has it, by slug. `next_command` is what to type for the first of them."""

    stage: Stage
    host: str
    message: str
    next_command: str
    teams: tuple[str, ...]

    def __str__(self) -> str:
        count = len(self.teams)
        return f"{count} {'team' if count == 1 else 'teams'}: {self.message}"


def causes(teams: Iterable[Team]) -> tuple[Cause, ...]:
    """Return every cause, the one that most teams have first.

    Two teams have the same when all but their own names in it is the same.
    """
    found: dict[tuple[Stage, str, str], list[tuple[Team, Problem]]] = {}
    for team in teams:
        if team.problem is not None:
            told = _without_names(team, team.problem.message)
            key = (team.problem.stage, team.problem.host, told)
            found.setdefault(key, []).append((team, team.problem))
    grouped = [_cause(message, having) for (_, _, message), having in found.items()]
    return tuple(sorted(grouped, key=lambda cause: -len(cause.teams)))


def _cause(message: str, having: list[tuple[Team, Problem]]) -> Cause:
    _, problem = having[0]
    return Cause(
        stage=problem.stage,
        host=problem.host,
        message=problem.message if len(having) == 1 else message,
        next_command=problem.next_command,
        teams=tuple(team.slug for team, _ in having),
    )


def _without_names(team: Team, message: str) -> str:
    words = message.split(" ")
    return " ".join(_SOME_TEAM if word.strip(",.;:") == team.slug else word for word in words)
