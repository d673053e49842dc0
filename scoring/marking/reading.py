"""What assessors, staff and teams read of marks, each no more than is theirs."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database
from core.ids import UserId
from core.users.model import User
from core.users.rows import login_names
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.injects.message_repository import MessageRepository
from scoring.domain.marking import MarkingState
from scoring.marking.cases import Case, cases
from scoring.marking.errors import NotMarkedByPeopleError
from scoring.marking.repository import MarkRepository
from scoring.marking.showing import Seen, line_of, may, place_of, result_of
from scoring.marking.views import (
    CaseLine,
    CaseView,
    TeamResult,
)
from scoring.ports import Exercises
from scoring.team_scenario import TeamScenario
from scoring.uploads.repository import DeliveryRepository


class MarkReading:
    """Lists, cases and results."""

    def __init__(self, database: Database, clock: Clock, exercises: Exercises) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises

    def assessors(self, exercise: Exercise) -> tuple[str, ...]:
        """Return the login names of who marks in an exercise."""
        with self._database.reading() as session:
            return tuple(MarkRepository(session).assessors(exercise.id).values())

    def is_assessor(self, exercise: Exercise, user: UserId) -> bool:
        """Tell whether somebody marks in an exercise."""
        with self._database.reading() as session:
            return user in MarkRepository(session).assessors(exercise.id)

    def queue(self, user: User) -> tuple[CaseLine, ...]:
        """Return what somebody has to mark or may: theirs, and what has a seat left."""
        with self._database.reading() as session:
            found = MarkRepository(session).exercises_of(user.id)
        lines = [line for e in found for line in self.lines(self._exercises.get(e), user)]
        return tuple(
            line
            for line in lines
            if line.mine or (line.state is MarkingState.TO_MARK and line.seats < line.assessors)
        )

    def lines(self, exercise: Exercise, user: User) -> tuple[CaseLine, ...]:
        """Return every team's tasks that people mark, and how far each has come."""
        scenarios = {
            team.id: TeamScenario.of(self._exercises, exercise, team) for team in exercise.teams
        }
        with self._database.reading() as session:
            found = list(self._cases(session, exercise, exercise.teams))
        return tuple(
            line_of(exercise, case, scenarios[case.team.id].title(case.name), user)
            for case in found
        )

    def case(
        self, exercise: Exercise, team: Team, task: str, user: User, *, language: str = ""
    ) -> CaseView:
        """Return a team's task as somebody may see it who marks, moderates or is of the staff.

        Marks of others and names of members are there once every assessor has handed in. Raises
        NotMarkedByPeopleError.
        """
        with self._database.reading() as session:
            seen = self._seen(session, exercise, team, task, language)
            is_assessor = user.id in MarkRepository(session).assessors(exercise.id)
        case, current = seen.case, seen.case.current
        places = tuple(place_of(seen, place, user) for place in case.places)
        allowed, because = may(case, user, is_assessor=is_assessor)
        return CaseView(
            line=line_of(exercise, case, seen.scenario.title(task), user),
            ask=seen.scenario.ask(task),
            places=places,
            may=allowed,
            because=because,
            others=case.all_in,
            difference=case.scheme.difference(case.levels) if case.all_in else None,
            apart=case.rubric.moderate_if_apart,
            moderated=current is not None and current.moderated,
            reason=current.reason if current is not None else "",
        )

    def results(
        self, exercise: Exercise, team: Team, *, language: str = ""
    ) -> Mapping[str, TeamResult]:
        """Return task → what a team is given for it, as far as the team may see it."""
        scenario = TeamScenario.of(self._exercises, exercise, team, language=language)
        with self._database.reading() as session:
            found = list(self._cases(session, exercise, [team]))
            released = MarkRepository(session).released(exercise.id)
        return {
            case.name: result_of(case, scenario, released=case.name in released) for case in found
        }

    def released(self, exercise: Exercise) -> frozenset[str]:
        """Return the tasks of which teams may read their marks."""
        with self._database.reading() as session:
            return MarkRepository(session).released(exercise.id)

    def all_in(self, exercise: Exercise) -> tuple[tuple[Case, Mapping[str, str]], ...]:
        """Return the cases that nobody marks blind any more, each with its people's names."""
        with self._database.reading() as session:
            found = [c for c in self._cases(session, exercise, exercise.teams) if _readable(c)]
            users = {s.user for c in found for m in c.markings for s in m.sheets}
            names = login_names(session, users)
        return tuple((case, names) for case in found)

    def _cases(self, session: Session, exercise: Exercise, teams: Sequence[Team]) -> Iterator[Case]:
        scenario = self._exercises.scenario(exercise).scenario
        return cases(session, scenario, exercise, teams, self._clock.now())

    def _seen(
        self, session: Session, exercise: Exercise, team: Team, task: str, language: str
    ) -> Seen:
        found = self._cases(session, exercise, [team])
        case = next((case for case in found if case.name == task), None)
        if case is None:
            raise NotMarkedByPeopleError(
                f"there is nothing to mark of {task[:50]!r}", hint="Look at your list"
            )
        people = {sheet.user for marking in case.markings for sheet in marking.sheets}
        people |= {member.user for member in team.members}
        return Seen(
            case=case,
            scenario=TeamScenario.of(self._exercises, exercise, team, language=language),
            names=login_names(session, people),
            deliveries=DeliveryRepository(session).of_teams([team.id], task),
            messages={
                message.inject: message
                for message in MessageRepository(session).of_teams([team.id])
            },
        )


def _readable(case: Case) -> bool:
    return case.all_in or case.official is not None
