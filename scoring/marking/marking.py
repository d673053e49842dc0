"""Marking: blind, handed in for good, moderated when apart, given again with a reason, released."""

from datetime import datetime, timedelta

from core.clock import Clock
from core.db import Database
from core.ids import UserId
from core.rounds import Rounds
from core.scenario.schema_tasks import RubricTask
from core.users.model import User
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.journal import SYSTEM, By, Journal
from scoring.domain.marking import MarkingState
from scoring.errors import TaskUnknownError
from scoring.marking.cases import cases
from scoring.marking.errors import (
    AssessorUnfitError,
    MarkingNotNowError,
    MarkInvalidError,
    NotAssessorError,
    NotMarkedByPeopleError,
    SeatsTakenError,
)
from scoring.marking.fit import Marks, is_repeated, require_drafts, require_fit, settled_place
from scoring.marking.records import Sheet, SheetKind
from scoring.marking.repository import MarkRepository
from scoring.marking.turns import Turn, Turns
from scoring.ports import Exercises

_ROUND = timedelta(minutes=1)
_THE_TEAM, _MODERATOR = 0, 1


class Marking:
    """What assessors, moderators, instructors and teams do with marks.

    `sweep` is for the worker's ticker: it decides what only waited for injects that never came.
    """

    def __init__(self, database: Database, clock: Clock, exercises: Exercises) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._turns = Turns(database, clock, exercises)
        self._journal = Journal(database, clock)
        self._rounds = Rounds(clock, every=_ROUND)

    # Who marks

    def appoint(self, exercise: Exercise, user: User, *, by: By = SYSTEM) -> None:
        """Let somebody mark in an exercise; raises AssessorUnfitError."""
        if not user.marks:
            raise AssessorUnfitError(
                f"{user.name} is a trainee", hint="Assessors are assessors, staff or instructors"
            )
        if exercise.team_of(user.id) is not None:
            raise AssessorUnfitError(
                f"{user.name} is a member of a team of this exercise", hint="Appoint another"
            )
        with self._database.transaction() as transaction:
            now = self._clock.now()
            if MarkRepository(transaction.session).appoint(exercise.id, user.id, at=now):
                act = "assessor.appointed"
                self._journal.note(transaction, exercise, act, "", subject=user.name, by=by)

    def dismiss(self, exercise: Exercise, user: User, *, by: By = SYSTEM) -> None:
        """Let somebody mark no more: what they handed in stays, seats without it are free again."""
        with self._database.transaction() as transaction:
            repository = MarkRepository(transaction.session)
            if not repository.dismiss(exercise.id, user.id):
                return
            markings = repository.of_teams([team.id for team in exercise.teams])
            for marking in (marking for found in markings.values() for marking in found):
                sheet = marking.sheet_of(user.id)
                if sheet is not None and not sheet.levels:
                    repository.leave(sheet.id)
            act = "assessor.dismissed"
            self._journal.note(transaction, exercise, act, "", subject=user.name, by=by)

    # Marks

    def mark(
        self,
        exercise: Exercise,
        team: Team,
        user: UserId,
        *,
        task: str,
        place: str,
        marks: Marks,
        hand_in: bool,
    ) -> None:
        """Keep an assessor's marks of one place as a draft, or hand them in for good.

        The first marks of an assessor take a seat. Handing in needs every criterion of the place,
        each with a reason; the last to hand in brings about the result, or a moderation. The same
        marks again change nothing. Raises NotAssessorError, AssessorUnfitError, SeatsTakenError,
        MarkingNotNowError, MarkInvalidError, MarkHandedInError.
        """
        self._require_marked(exercise, task)
        with self._turns.take(exercise, team, task) as turn:
            _require_assessor(turn, user)
            criteria = settled_place(turn.case, place).criteria
            require_fit(turn.case, criteria, marks, whole=hand_in)
            sheet = _sheet(turn, user)
            if is_repeated(sheet, marks):
                return
            require_drafts(sheet, marks)
            turn.put(sheet.id, marks, handed_in=turn.now if hand_in else None)
            if hand_in:
                text = f"assessor {sheet.seat} of {turn.case.rubric.assessors} {place}".strip()
                turn.note("marks.handed_in", text, By(user=user))
                turn.settle(by=user)

    def moderate(
        self, exercise: Exercise, team: Team, user: UserId, *, task: str, marks: Marks
    ) -> None:
        """Decide where assessors are too far apart: a third person's marks are the result.

        Raises NotAssessorError for one of them or of the team, MarkingNotNowError,
        MarkInvalidError.
        """
        self._require_marked(exercise, task)
        with self._turns.take(exercise, team, task) as turn:
            case, current = turn.case, turn.case.current
            if case.state is not MarkingState.TO_MODERATE or current is None:
                raise MarkingNotNowError(
                    "there is nothing to moderate", hint="Assessors decide while they are close"
                )
            if case.is_of_team(user) or current.sheet_of(user) is not None:
                raise NotAssessorError(
                    "a third person moderates, who neither marked this nor is in the team",
                    hint="Ask another instructor",
                )
            require_fit(case, tuple(case.scheme.criteria), marks, whole=True)
            kind = SheetKind.MODERATOR
            sheet = turn.repository.seat(current.id, user, kind, seat=_MODERATOR, at=turn.now)
            turn.put(sheet, marks, handed_in=turn.now)
            turn.decide(by=user, moderated=True)

    def assess_own(
        self, exercise: Exercise, team: Team, user: UserId, *, task: str, marks: Marks
    ) -> None:
        """Keep what a team gives itself, in the place of what it did before; it never scores.

        Raises NotAssessorError for others than members, MarkingNotNowError once the result is
        released, MarkInvalidError.
        """
        self._require_marked(exercise, task)
        with self._turns.take(exercise, team, task) as turn:
            if not turn.case.is_of_team(user):
                raise NotAssessorError("this is for the members of the team", hint="Mark it")
            if task in turn.repository.released(exercise.id):
                raise MarkingNotNowError("the result is known already", hint="Read it")
            require_fit(turn.case, tuple(turn.case.scheme.criteria), marks, whole=False)
            own = turn.case.own
            sheet = own.id if own is not None else _own_sheet(turn, user)
            turn.put(sheet, marks, handed_in=turn.now)

    def mark_again(self, exercise: Exercise, team: Team, *, task: str, by: By) -> None:
        """Have a team's task marked again by whoever takes a seat; what was given before stays.

        Its points stand until the new result takes their place. Raises MarkInvalidError without
        a reason, MarkingNotNowError before the first marks.
        """
        self._require_marked(exercise, task)
        reason = by.reason.strip()
        if not reason:
            raise MarkInvalidError("a reason is missing", hint="Teams read why it is marked again")
        with self._turns.take(exercise, team, task) as turn:
            current = turn.case.current
            if current is None or not turn.case.assessors:
                raise MarkingNotNowError("nobody has marked this yet", hint="Mark it first")
            number = current.number + 1
            turn.repository.open(
                exercise.id, team.id, task, number=number, at=turn.now, by=by.user, reason=reason
            )
            turn.note("marks.opened_again", f"marking {number}", by)

    def release(self, exercise: Exercise, task: str, *, by: By = SYSTEM) -> None:
        """Let teams read what they were given for a task, and why; again it changes nothing.

        Raises TaskUnknownError, NotMarkedByPeopleError.
        """
        self._require_marked(exercise, task)
        with self._database.transaction() as transaction:
            repository = MarkRepository(transaction.session)
            if task in repository.released(exercise.id):
                return
            repository.release(exercise.id, task, at=self._clock.now(), by=by.user)
            self._journal.note(transaction, exercise, "marks.released", "", subject=task, by=by)

    def sweep(self) -> None:
        """Once a minute decide what is all in since its exercise is over."""
        if not self._rounds.is_due():
            return
        now = self._clock.now()
        with self._database.reading() as session:
            over = MarkRepository(session).undecided_after_the_end()
        for exercise in map(self._exercises.get, over):
            self._settle_what_is_in(exercise, now)

    def _settle_what_is_in(self, exercise: Exercise, now: datetime) -> None:
        scenario = self._exercises.scenario(exercise).scenario
        with self._database.reading() as session:
            found = list(cases(session, scenario, exercise, exercise.teams, now))
        for case in found:
            if case.is_agreed:
                with self._turns.take(exercise, case.team, case.name) as turn:
                    turn.settle(by=None)

    def _require_marked(self, exercise: Exercise, task: str) -> None:
        tasks = self._exercises.scenario(exercise).scenario.tasks
        if task not in tasks:
            raise TaskUnknownError(
                f"there is no task {task[:50]!r}", hint=f"The tasks are {', '.join(tasks)}"
            )
        if not isinstance(tasks[task], RubricTask):
            raise NotMarkedByPeopleError(
                f"{task} is not marked by assessors", hint="Its points come by themselves"
            )


def _require_assessor(turn: Turn, user: UserId) -> None:
    if user not in turn.repository.assessors(turn.exercise.id):
        raise NotAssessorError(
            "you do not mark in this exercise", hint="An instructor appoints assessors"
        )
    if turn.exercise.team_of(user) is not None:
        raise AssessorUnfitError(
            "a member of a team marks nobody in its exercise", hint="Ask another assessor"
        )


def _sheet(turn: Turn, user: UserId) -> Sheet:
    """Return an assessor's sheet; a free seat is taken for who has none."""
    case, current = turn.case, turn.case.current
    own = current.sheet_of(user) if current is not None else None
    if own is not None:
        if own.kind is not SheetKind.ASSESSOR:
            raise NotAssessorError("you moderated this", hint="Its result stands")
        return own
    seats = {sheet.seat for sheet in case.assessors}
    free = sorted(set(range(1, case.rubric.assessors + 1)) - seats)
    if not free:
        raise SeatsTakenError(
            f"{len(seats)} assessors mark this already", hint="Go on with another in your list"
        )
    marking = current.id if current is not None else _open(turn)
    kind = SheetKind.ASSESSOR
    number = turn.repository.seat(marking, user, kind, seat=free[0], at=turn.now)
    return Sheet(id=number, kind=kind, user=user, seat=free[0], marks={})


def _own_sheet(turn: Turn, user: UserId) -> str:
    markings = turn.case.markings
    marking = markings[0].id if markings else _open(turn)
    return turn.repository.seat(marking, user, SheetKind.TEAM, seat=_THE_TEAM, at=turn.now)


def _open(turn: Turn) -> str:
    team, task = turn.case.team.id, turn.case.name
    return turn.repository.open(turn.exercise.id, team, task, number=1, at=turn.now)
