"""Injects going out: what is due is claimed once, and what it does is booked with the claim."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import structlog

from core.errors import PoligonError
from core.jobs import Job
from core.scenario.generated import message_file
from core.scenario.render import Renderer
from core.scenario.schema_injects import Message
from core.scenario.template import TemplateFailedError
from orchestrator.charges import Charge, ChargedFor
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.injects import (
    Choice,
    Due,
    Expectation,
    FiringState,
    due,
    expectation,
)
from orchestrator.domain.phases import Act
from orchestrator.injects.ports import Scorekeeper
from orchestrator.injects.records import Letter, Record
from orchestrator.injects.turns import TeamInjects, Turn, Turns
from orchestrator.journal import SYSTEM, By
from orchestrator.service import JOB_PATIENCE, Exercises

log = structlog.get_logger()

CARRY_OUT = "orchestrator.carry_out"

Letters = Mapping[str, Letter | TemplateFailedError]

_NOT_NOW: Mapping[Choice, tuple[FiringState, str, str]] = MappingProxyType(
    {
        Choice.SKIP: (FiringState.SKIPPED, "inject.skipped", "{inject} came too late"),
        Choice.ASK: (
            FiringState.UNDECIDED,
            "inject.late",
            "{inject} came too late: fire or skip it",
        ),
    }
)


class GoingOut:
    """Lets injects go out for teams."""

    def __init__(self, turns: Turns, exercises: Exercises, scorekeeper: Scorekeeper) -> None:
        self._turns = turns
        self._exercises = exercises
        self._scorekeeper = scorekeeper

    def sweep(self, exercises: Iterable[Exercise]) -> None:
        """Let everything that is due go out; one exercise that fails does not stop the others."""
        running = list(exercises)
        known = self._turns.look(running) if running else {}
        for exercise in running:
            on = [t for t in exercise.teams if exercise.permits(Act.CHECK, t)]
            for team in on:
                mine = known[team.id]
                if due(mine.situation) or _settled(mine) or mine.to_undo:
                    self._advance(exercise, team, known[team.id])

    def _advance(self, exercise: Exercise, team: Team, known: TeamInjects) -> None:
        try:
            names = {found.inject for found in due(known.situation)}
            letters = self.letters(exercise, team, names)
            with self._turns.take(exercise.id, team.id) as turn:
                if turn.exercise.permits(Act.CHECK, turn.team):
                    self._let_go(turn, letters)
                    self._settle(turn)
                    _send_to_undo(turn)
        except PoligonError as error:
            log.warning(
                "injects.not_advanced", exercise=exercise.name, team=team.slug, error=str(error)
            )

    def _let_go(self, turn: Turn, letters: Letters) -> None:
        for found in due(turn.injects.situation):
            if found.choice is Choice.FIRE:
                if found.inject in letters:
                    self.fire(turn, found, letters)
                continue
            state, act, text = _NOT_NOW[found.choice]
            at = turn.elapsed if state is FiringState.SKIPPED else None
            turn.repository.add(turn.exercise.id, turn.team.id, found, state, at=at, now=turn.now)
            self.note(turn, act, text.format(inject=found.inject), found.inject)

    def letters(self, exercise: Exercise, team: Team, injects: Iterable[str]) -> Letters:
        """Return the messages of injects as the team reads them, or why one cannot be written.

        Before the transaction that sends them: a template may take a second.
        """
        scenario = self._exercises.scenario(exercise).scenario
        renderer = self._exercises.renderer(exercise, team)
        letters: dict[str, Letter | TemplateFailedError] = {}
        for name in injects:
            message = scenario.injects[name].message
            try:
                letters[name] = _letter(name, renderer, message)
            except TemplateFailedError as error:
                letters[name] = error
        return letters

    # One inject

    def fire(self, turn: Turn, found: Due, letters: Letters, *, by: By = SYSTEM) -> None:
        """Let one go out now; its message and cost are booked in the same transaction."""
        inject = turn.scenario.injects[found.inject]
        letter = letters[found.inject]
        if isinstance(letter, TemplateFailedError):
            self._claim(turn, found, FiringState.FAILED, detail=letter.message)
            self.note(turn, "inject.failed", letter.message, found.inject, by)
            return
        state = FiringState.FIRING if inject.reaches_out else FiringState.FIRED
        firing = self._claim(turn, found, state)
        self.note(turn, "inject.fired", f"{found.inject} goes out", found.inject, by)
        if inject.message is not None and turn.messages.send(
            turn.exercise.id, turn.team.id, firing, letter, now=turn.now, at=turn.elapsed
        ):
            self.note(turn, "message.sent", letter.text, found.inject)
        if inject.cost is not None and inject.when is not None and inject.when.task is not None:
            self._charge(turn, firing, inject.when.task, inject.cost)
        if inject.expect is not None:
            turn.repository.expect(firing, before=None, after=Expectation.OPEN)
        if inject.reaches_out:
            turn.transaction.after_commit(Job(CARRY_OUT, (turn.exercise.id, turn.team.id)))

    def _charge(self, turn: Turn, firing: str, task: str, points: int) -> None:
        charge = Charge(cause=ChargedFor.INJECT, id=firing, task=task, points=points, at=turn.now)
        self._scorekeeper.charge(turn.transaction, turn.exercise.id, turn.team.id, charge)

    def _claim(self, turn: Turn, found: Due, state: FiringState, *, detail: str = "") -> str:
        record = turn.injects.record(found.inject, found.occurrence)
        if record is None:
            return turn.repository.add(
                turn.exercise.id,
                turn.team.id,
                found,
                state,
                at=turn.elapsed,
                now=turn.now,
                detail=detail,
            )
        turn.repository.move(
            record.id,
            before=record.firing.state,
            after=state,
            now=turn.now,
            at=turn.elapsed,
            detail=detail,
        )
        return record.id

    # Expected responses

    def _settle(self, turn: Turn) -> None:
        for record, state in _settled(turn.injects):
            if turn.repository.expect(record.id, before=Expectation.OPEN, after=state):
                inject = record.firing.inject
                expect = turn.scenario.injects[inject].expect
                what = expect.task if expect is not None and expect.task else "a reply"
                text = f"{what}, as {inject} expects, was {state}"
                self.note(turn, f"expectation.{state}", text, inject)

    def note(self, turn: Turn, act: str, text: str, inject: str, by: By = SYSTEM) -> None:
        """Write down what was done about an inject."""
        self._exercises.journal.note(
            turn.transaction, turn.exercise, act, text, team=turn.team.id, subject=inject, by=by
        )


def _letter(inject: str, renderer: Renderer, message: Message | None) -> Letter:
    if message is None:
        return Letter(sender="", to="", text="")
    for file in message.files:
        if file.from_ is None:
            # Kept nowhere: one that cannot be written fails the inject, as a text does.
            message_file(file, inject=inject, renderer=renderer)
    return Letter(
        sender=renderer.text(message.from_ or ""), to=message.to, text=renderer.text(message.text)
    )


def _send_to_undo(turn: Turn) -> None:
    until = turn.now + JOB_PATIENCE
    reserved = [
        turn.repository.reserve_undo(record.id, now=turn.now, until=until)
        for record in turn.injects.to_undo
    ]
    if any(reserved):
        turn.transaction.after_commit(Job(CARRY_OUT, (turn.exercise.id, turn.team.id)))


def _settled(known: TeamInjects) -> tuple[tuple[Record, Expectation], ...]:
    """Return the firings whose expected response has come or is too late, and which it is."""
    injects, now = known.situation.scenario.injects, known.situation.elapsed
    solved = known.situation.observed.solved
    found = []
    for record in known.records:
        expect, at = injects[record.firing.inject].expect, record.firing.at
        if record.expectation is Expectation.OPEN and expect is not None and at is not None:
            replied = known.replied.get(record.id)
            state = expectation(expect, at, now, solved=solved, replied=replied)
            if state is not Expectation.OPEN:
                found.append((record, state))
    return tuple(found)
