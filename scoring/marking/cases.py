"""A team's task as it stands before its assessors: what was asked, what came, what they gave."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.ids import TeamId, UserId
from core.scenario.schema import Scenario
from core.scenario.schema_rubrics import Rubric
from core.scenario.schema_tasks import RubricTask
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import OVER, UNDER_WAY
from orchestrator.injects.repository import InjectRepository
from scoring.domain.handing_in import takes_no_more_files
from scoring.domain.ledger import MILLI
from scoring.domain.marking import MarkingState, Moment, Place, all_in, places_of, state_of
from scoring.domain.rubric import Levels, Scheme, result, scheme_of, worth
from scoring.marking.records import MarkingRecord, Sheet, SheetKind
from scoring.marking.repository import MarkRepository

_BEGUN = UNDER_WAY | OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What there is to mark of one team's task; `markings` are in order, the last one is on."""

    team: Team
    name: str
    task: RubricTask
    rubric: Rubric
    places: tuple[Place, ...]
    markings: tuple[MarkingRecord, ...]

    @property
    def scheme(self) -> Scheme:
        """How the team is marked: by the criteria that it met."""
        met = {criterion for place in self.places for criterion in place.criteria}
        return scheme_of(self.rubric, left_out=self.rubric.criteria.keys() - met)

    @property
    def current(self) -> MarkingRecord | None:
        """The marking that is on; `None` before anybody began."""
        return self.markings[-1] if self.markings else None

    @property
    def assessors(self) -> tuple[Sheet, ...]:
        """The assessors' sheets of the marking that is on."""
        return self.current.of(SheetKind.ASSESSOR) if self.current is not None else ()

    @property
    def levels(self) -> tuple[Levels, ...]:
        """What each of them handed in."""
        return tuple(sheet.levels for sheet in self.assessors)

    @property
    def all_in(self) -> bool:
        """Whether every assessor has handed in everything, so that nobody is blind any more."""
        return bool(self.places) and all_in(self.scheme, self.levels)

    @property
    def state(self) -> MarkingState:
        """How far the marking that is on has come."""
        decided = self.current is not None and self.current.decided_at is not None
        return state_of(self.places, self.scheme, self.levels, decided=decided)

    @property
    def is_agreed(self) -> bool:
        """Whether everything is in and close enough, and only waits to be booked."""
        waits = self.state is MarkingState.TO_MODERATE
        return waits and not self.scheme.needs_moderation(self.levels)

    @property
    def official(self) -> MarkingRecord | None:
        """The marking whose result counts: the last one that has one."""
        decided = [marking for marking in self.markings if marking.decided_at is not None]
        return decided[-1] if decided else None

    @property
    def own(self) -> Sheet | None:
        """What the team gives itself."""
        sheets = [sheet for marking in self.markings for sheet in marking.of(SheetKind.TEAM)]
        return sheets[0] if sheets else None

    @property
    def milli_points(self) -> int | None:
        """What the team is given, in thousandths; `None` before there is a result."""
        return self.points_of(self.official) if self.official is not None else None

    def points_of(self, marking: MarkingRecord) -> int:
        """Return what a marking that has a result comes to, in thousandths."""
        levels = [sheet.levels for sheet in marking.decisive]
        share = result(self.rubric, levels, levels[0] if marking.moderated else None)
        return worth(share, self.task.points * MILLI)

    def is_of_team(self, user: UserId) -> bool:
        """Tell whether somebody is a member of the team."""
        return any(member.user == user for member in self.team.members)


def cases(
    session: Session, scenario: Scenario, exercise: Exercise, teams: Iterable[Team], now: datetime
) -> Iterator[Case]:
    """Yield what there is to mark, task by task; nothing before the exercise has begun."""
    marked = {n: t for n, t in scenario.tasks.items() if isinstance(t, RubricTask)}
    if exercise.phase not in _BEGUN or not marked:
        return
    asked = list(teams)
    ids = [team.id for team in asked]
    markings = MarkRepository(session).of_teams(ids)
    records = InjectRepository(session).records(ids)
    for name, task in marked.items():
        for team in asked:
            firings = [record.firing for record in records[team.id]]
            moment = _moment(exercise, team.id, scenario, now)
            yield Case(
                team=team,
                name=name,
                task=task,
                rubric=scenario.rubrics[task.rubric],
                places=places_of(scenario, name, firings, moment),
                markings=markings.get((team.id, name), ()),
            )


def _moment(exercise: Exercise, team: TeamId, scenario: Scenario, now: datetime) -> Moment:
    return Moment(
        elapsed=exercise.elapsed(now, team),
        ended=exercise.phase in OVER,
        no_more_files=takes_no_more_files(exercise, scenario.end.grace, now),
    )
