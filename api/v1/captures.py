"""Attack and defence: flags that a team hands in, and services by teams."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.auth import Caller, ServicesHere, Trainee
from api.context import flag_throttle_of
from api.flag_throttle import FlagThrottle
from api.responses import RESPONSES
from api.teams import team_for
from api.v1.exercises import ExerciseHere, LanguageHere
from api.v1.points import points
from scoring.attack_defence.board import ServiceBoard, TeamServices
from scoring.attack_defence.capturing import MAX_FLAGS
from scoring.domain.attack_defence.captures import CaptureCode
from scoring.domain.attack_defence.game import Tally
from scoring.domain.verdicts import Verdict

router = APIRouter(tags=["services"], responses=RESPONSES)

Flag = Annotated[str, Field(max_length=200, examples=["LCK{A1JK6HHW8PyfkgUXue8LkFOi}"])]


class FlagsIn(BaseModel):
    """Flags of other teams, in any order."""

    flags: list[Flag] = Field(min_length=1, max_length=MAX_FLAGS)


class FlagOut(BaseModel):
    """What the team is told about a flag; `service` is whose it is, when it is anybody's."""

    flag: str = Field(examples=["LCK{A1JK6HHW8PyfkgUXue8LkFOi}"])
    code: CaptureCode
    service: str = Field(examples=["locker"])


class TallyOut(BaseModel):
    """A service of a team after the last round that was closed.

    `verdict` is what was seen in that round, null when nobody looked; `captured` counts flags of
    others that the team took from this service, `lost` its own that somebody took.
    """

    verdict: Verdict | None
    attack: float = Field(examples=[5.5])
    defence: float = Field(examples=[-1.681])
    availability: float = Field(examples=[8.66])
    captured: int = Field(examples=[4])
    lost: int = Field(examples=[1])


class TeamServicesOut(BaseModel):
    """A team's line. A reference team is there to be attacked, and has no points."""

    team: str = Field(examples=["team-1"])
    name: str = Field(examples=["Team 1"])
    reference: bool = False
    points: float = Field(examples=[12.479])
    services: dict[str, TallyOut]


class ServiceBoardOut(BaseModel):
    """Services by teams after round `closed`, best first; 0 before the first was closed.

    `round` is on until the exercise has run for `ends_seconds`. `frozen_seconds` is the exercise
    time since which a team is shown nothing new, while that is so.
    """

    closed: int = Field(examples=[7])
    round: int | None = Field(examples=[8])
    ends_seconds: int | None = Field(examples=[1440])
    titles: dict[str, str] = Field(examples=[{"locker": "Document locker"}])
    teams: list[TeamServicesOut]
    frozen_seconds: int | None = Field(default=None, examples=[9900])


@router.post("/exercises/{name}/captures")
def capture(
    sent: FlagsIn,
    caller: Trainee,
    exercise: ExerciseHere,
    services: ServicesHere,
    throttle: Annotated[FlagThrottle, Depends(flag_throttle_of)],
) -> list[FlagOut]:
    """Hand in flags that one's team took from others; each has its own answer.

    Sent again, a flag is a duplicate and changes nothing.
    """
    team = team_for(exercise, caller, None)
    throttle.take(team.id, len(sent.flags))
    answers = services.attack_defence.capture(exercise, team, caller.id, sent.flags)
    return [FlagOut(flag=a.flag, code=a.code, service=a.service) for a in answers]


@router.get("/exercises/{name}/services")
def show(
    exercise: ExerciseHere, caller: Caller, services: ServicesHere, language: LanguageHere
) -> ServiceBoardOut:
    """Return how the services of all teams are, and what attack and defence gave."""
    shown = services.attack_defence.board(
        exercise, for_teams=not caller.sees_results, language=language
    )
    return service_board_out(shown)


def service_board_out(shown: ServiceBoard) -> ServiceBoardOut:
    """Return the services' board as clients see it."""
    return ServiceBoardOut(
        closed=shown.closed,
        round=shown.round,
        ends_seconds=int(shown.ends.total_seconds()) if shown.ends is not None else None,
        titles=dict(zip(shown.services, shown.titles, strict=True)),
        teams=[_team_out(line, shown.services) for line in shown.teams],
        frozen_seconds=int(shown.frozen.total_seconds()) if shown.frozen is not None else None,
    )


def _team_out(line: TeamServices, services: tuple[str, ...]) -> TeamServicesOut:
    return TeamServicesOut(
        team=line.team,
        name=line.name,
        reference=line.reference,
        points=points(line.milli_points),
        services={
            service: _tally_out(tally)
            for service, tally in zip(services, line.services, strict=True)
        },
    )


def _tally_out(tally: Tally) -> TallyOut:
    return TallyOut(
        verdict=tally.verdict,
        attack=points(tally.attack),
        defence=points(tally.defence),
        availability=points(tally.availability),
        captured=tally.captured,
        lost=tally.lost,
    )
