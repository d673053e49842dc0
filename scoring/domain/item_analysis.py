"""Item analysis: what a task was worth as a question, from what teams made of it.

Every team for which the task counted is in every average, also with nothing: a true zero is a
result. Teams for which it never counted (locked to the end, not assessed) are in none.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from math import sqrt
from statistics import mean, pstdev, quantiles

LEAST_TEAMS = 10
"""Below so many teams discrimination is not told: chance alone makes it large."""
_WRONG_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a team made of a task; `took` is its clock from the task's opening to its solve.

    `share` is of the task's points, from 0 to 1; `rest` the team's thousandths of points on all
    other tasks; `wrong` its wrong answers, as they were sent.
    """

    team: str
    solved: bool
    share: Fraction
    rest: int
    took: timedelta | None = None
    attempts: int = 0
    wrong: tuple[str, ...] = ()
    hints: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongAnswer:
    """A wrong answer, how often it was given, and by how many teams."""

    text: str
    times: int
    teams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quartiles:
    """A quarter was at most `lower`, half at most `median`, three quarters at most `upper`."""

    lower: timedelta
    median: timedelta
    upper: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A task over all teams for which it counted.

    `difficulty` is the share that solved it, so 1 is easy. `discrimination` is the point-biserial
    correlation of solving it with the points on all other tasks: from -1 to 1, `None` with fewer
    than LEAST_TEAMS teams or where nothing can differ. Nothing was measured where there is no team.
    """

    task: str
    teams: int
    solved: int
    difficulty: Fraction | None
    share: Fraction | None
    discrimination: float | None
    took: Quartiles | None
    attempts: float | None
    hints: int
    wrong: tuple[WrongAnswer, ...]


def analysed(task: str, outcomes: Sequence[Outcome]) -> Item:
    """Return the analysis of a task from what each team for which it counted made of it."""
    teams, solved = len(outcomes), sum(o.solved for o in outcomes)
    return Item(
        task=task,
        teams=teams,
        solved=solved,
        difficulty=Fraction(solved, teams) if teams else None,
        share=sum((o.share for o in outcomes), Fraction()) / teams if teams else None,
        discrimination=discrimination([(o.solved, o.rest) for o in outcomes]),
        took=quartiles([o.took for o in outcomes if o.took is not None]),
        attempts=mean(o.attempts for o in outcomes) if teams else None,
        hints=sum(o.hints for o in outcomes),
        wrong=most_given({o.team: o.wrong for o in outcomes}),
    )


def discrimination(solved_and_rest: Sequence[tuple[bool, int]]) -> float | None:
    """Return the point-biserial correlation of solving with the rest of the points.

    (M₁ - M₀) / s · √(p·q), with the standard deviation s of all teams (Lord and Novick 1968, 15.5).
    `None` with fewer than LEAST_TEAMS teams, or when all or none solved it, or when the rest is the
    same for all.
    """
    if len(solved_and_rest) < LEAST_TEAMS:
        return None
    with_it = [rest for solved, rest in solved_and_rest if solved]
    without = [rest for solved, rest in solved_and_rest if not solved]
    spread = pstdev(rest for _, rest in solved_and_rest)
    if not with_it or not without or not spread:
        return None
    p = len(with_it) / len(solved_and_rest)
    return (mean(with_it) - mean(without)) / spread * sqrt(p * (1 - p))


def quartiles(times: Sequence[timedelta]) -> Quartiles | None:
    """Return median and quartiles, between the two nearest where there is no middle one."""
    if not times:
        return None
    seconds = [time.total_seconds() for time in times]
    lower, middle, upper = (
        quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else seconds * 3
    )
    return Quartiles(
        lower=timedelta(seconds=lower),
        median=timedelta(seconds=middle),
        upper=timedelta(seconds=upper),
    )


def most_given(wrong: Mapping[str, Sequence[str]]) -> tuple[WrongAnswer, ...]:
    """Return the wrong answers that most teams gave, those by more teams first.

    Capitals and white space make no difference; the text is as it was first sent.
    """
    times: Counter[str] = Counter()
    teams: dict[str, set[str]] = defaultdict(set)
    first: dict[str, str] = {}
    for team, answers in wrong.items():
        for answer in answers:
            key = alike(answer)
            times[key] += 1
            teams[key].add(team)
            first.setdefault(key, answer)
    order = sorted(times, key=lambda key: (-len(teams[key]), -times[key], key))
    return tuple(
        WrongAnswer(text=first[key], times=times[key], teams=len(teams[key]))
        for key in order[:_WRONG_SHOWN]
    )


def alike(answer: str) -> str:
    """Return the same text for answers that differ in capitals and white space only."""
    return " ".join(answer.casefold().split())
