"""The after-action report of an exercise or of one team in it, in the shape of HSEEP's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from scoring.domain.integrity import Suspicion
from scoring.domain.item_analysis import Item
from scoring.domain.ratings import Rating, average, rated
from scoring.records.record import TeamRecord, TrainingRecord
from scoring.records.survey import SurveyResults
from scoring.records.timeline import Happening, Moment

_EASY = Fraction(4, 5)
_HARD = Fraction(1, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamShare:
    """What one team has of an objective."""

    team: str
    share: Fraction | None
    rating: Rating | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """An objective or a competency over the teams of the report: `share` is their mean."""

    id: str
    title: str
    competency: str
    share: Fraction | None
    pass_mark: Fraction
    passed: int
    assessed: int
    rating: Rating | None
    teams: tuple[TeamShare, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A line of the improvement plan: what is to get better, what is done, by whom, until when.

    `team` is a slug, empty for all; `done` is when somebody said that it is done.
    """

    id: str
    team: str
    area: str
    action: str
    owner: str
    due: date | None
    done: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An after-action report as of `made_at`, of a team or, without one, of the whole exercise.

    `titles` is task → title. `signals` is for staff: `None` where the report is not for them.
    """

    record: TrainingRecord
    team: str
    made_at: datetime
    summary: str
    teams: tuple[TeamRecord, ...]
    objectives: tuple[Rated, ...]
    competencies: tuple[Rated, ...]
    strengths: tuple[str, ...]
    areas: tuple[str, ...]
    actions: tuple[Action, ...]
    items: tuple[Item, ...]
    titles: Mapping[str, str]
    timeline: tuple[Moment, ...]
    survey: SurveyResults
    signals: tuple[Suspicion, ...] | None


def rated_objectives(teams: Sequence[TeamRecord]) -> tuple[Rated, ...]:
    """Return each objective over the teams; a team with nothing pulls the mean down."""
    if not teams:
        return ()
    return tuple(_objective(place, teams) for place in range(len(teams[0].objectives)))


def _objective(place: int, teams: Sequence[TeamRecord]) -> Rated:
    mine = [team.objectives[place] for team in teams]
    first, share = mine[0], average([o.share for o in mine])
    return Rated(
        id=first.objective,
        title=first.title,
        competency=first.competency,
        share=share,
        pass_mark=first.pass_mark,
        passed=sum(o.passed is True for o in mine),
        assessed=sum(o.share is not None for o in mine),
        rating=rated(share, first.pass_mark),
        teams=tuple(
            TeamShare(team=team.team, share=o.share, rating=rated(o.share, o.pass_mark))
            for team, o in zip(teams, mine, strict=True)
        ),
    )


def rated_competencies(objectives: Sequence[Rated], titles: Mapping[str, str]) -> tuple[Rated, ...]:
    """Return each competency that has objectives: shares and pass marks are their means."""
    found = []
    for competency in dict.fromkeys(o.competency for o in objectives):
        mine = [o for o in objectives if o.competency == competency]
        share = average([o.share for o in mine])
        pass_mark = sum((o.pass_mark for o in mine), Fraction()) / len(mine)
        found.append(
            Rated(
                id=competency,
                title=titles.get(competency, competency),
                competency=competency,
                share=share,
                pass_mark=pass_mark,
                passed=sum(o.passed for o in mine),
                assessed=sum(o.assessed for o in mine),
                rating=rated(share, pass_mark),
            )
        )
    return tuple(found)


def strengths(
    objectives: Sequence[Rated], items: Sequence[Item], titles: Mapping[str, str]
) -> tuple[str, ...]:
    """Return what the numbers say went well, a sentence each."""
    return (
        *(
            f"{o.title}: {_percent(o.share)} of its points, rated {o.rating}."
            for o in objectives
            if o.rating in {Rating.P, Rating.S}
        ),
        *(
            f"“{titles[i.task]}” was done by {i.solved} of {i.teams} teams."
            for i in items
            if i.difficulty is not None and i.difficulty >= _EASY
        ),
    )


def areas(
    objectives: Sequence[Rated],
    items: Sequence[Item],
    titles: Mapping[str, str],
    timeline: Sequence[Moment],
) -> tuple[str, ...]:
    """Return what the numbers say is to get better, a sentence each."""
    missed = [
        m
        for m in timeline
        if m.kind is Happening.RESPONSE and m.text.startswith("expectation.missed")
    ]
    return (
        *(
            f"{o.title}: {_percent(o.share)} of its points, rated {o.rating}"
            f" ({o.passed} of {o.assessed} passed)."
            for o in objectives
            if o.rating in {Rating.M, Rating.U}
        ),
        *(
            f"“{titles[i.task]}” was done by {i.solved} of {i.teams} teams."
            for i in items
            if i.difficulty is not None and i.difficulty <= _HARD
        ),
        *(
            f"{m.team} did not give the response that “{m.subject}” expects in time."
            for m in missed
        ),
    )


def _percent(share: Fraction | None) -> str:
    return "nothing assessed" if share is None else f"{round(share * 100)} %"
