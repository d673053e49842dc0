"""Boards: what an audience sees of the standings."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.ids import TeamId
from scoring.domain.standings import Total, standings

DRAWN = 10
"""How many teams have their course drawn, from the first place on."""
_STEPS = 240


class Audience(StrEnum):
    """Who looks at a board."""

    STAFF = "staff"  # everything, at any time
    TEAM = "team"  # every team that is ranked, frozen when the scenario says
    PUBLIC = "public"  # as teams, for whoever has the link; names may be hidden


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A team as a board calls it."""

    id: TeamId
    slug: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """Which team solved a task first, and when."""

    team: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardTask:
    """A column of the board."""

    task: str
    title: str
    milli_points: int
    first: First | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """A team's line: what each task gave, and since when it has had its total.

    `rank` is `None` for a team that is out of the ranking.
    """

    team: str
    name: str
    rank: int | None
    milli_points: int
    tasks: Mapping[str, int]
    reached_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a team's points went: seconds on its own clock, and what it had from then on."""

    team: str
    points: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The standings as of ledger entry `upto_entry`, best first.

    `frozen` is the exercise time after which nothing new of some team is shown; `None` without.
    """

    exercise: str
    audience: Audience
    tasks: tuple[BoardTask, ...]
    rows: tuple[BoardRow, ...]
    timeline: tuple[Course, ...]
    upto_entry: int
    frozen: timedelta | None = None


def rows_of(
    teams: Sequence[Shown], totals: Mapping[str, Total], excluded: Collection[TeamId]
) -> tuple[BoardRow, ...]:
    """Return the lines of a board: those in the ranking, then the others, by points."""
    ranked = [team for team in teams if team.id not in excluded]
    others = [team for team in teams if team.id in excluded]
    return (*_rows(ranked, totals, are_ranked=True), *_rows(others, totals, are_ranked=False))


def _rows(
    teams: Sequence[Shown], totals: Mapping[str, Total], *, are_ranked: bool
) -> Iterable[BoardRow]:
    shown: dict[str, Shown] = {team.id: team for team in teams}
    for standing in standings(list(shown), totals):
        team = shown[standing.team]
        yield BoardRow(
            team=team.slug,
            name=team.name,
            rank=standing.rank if are_ranked else None,
            milli_points=standing.milli_points,
            tasks=standing.tasks,
            reached_at=standing.reached_at,
        )


def course_of(team: str, moves: Iterable[tuple[timedelta, int]]) -> Course:
    """Return the course of a team from what moved its points, in any order, at its own times.

    So many moves that they could not be told apart on a screen are drawn as one.
    """
    total, points = 0, {0: 0}
    for elapsed, milli_points in sorted(moves):
        total += milli_points
        points[int(elapsed.total_seconds())] = total
    step = max(points) // _STEPS + 1
    last = {second // step: second for second in sorted(points)}
    return Course(team=team, points=tuple((second, points[second]) for second in last.values()))
