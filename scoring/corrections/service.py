"""Correcting scores: one person proposes, sees what would change, and another one approves."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, Transaction
from core.ids import TeamId, new_id
from core.users.model import User
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import Act, require
from orchestrator.journal import By, Journal
from scoring.attack_defence.replaying import remake_tallies, restated
from scoring.booking import TeamBooks
from scoring.corrections.preview import Preview, previewed
from scoring.corrections.repository import CorrectionRepository
from scoring.corrections.requirements import require_fitting
from scoring.corrections.views import Correction, CorrectionState, TeamCorrection
from scoring.domain.amendments import (
    Accept,
    Adjust,
    Amendment,
    Decided,
    Defective,
    Exclude,
    Revoke,
)
from scoring.domain.deriving import take
from scoring.domain.ledger import Cause, Fact
from scoring.domain.rules import NO_RULES
from scoring.errors import (
    CorrectionDecidedError,
    CorrectionUnknownError,
    PreviewOutdatedError,
    SecondPersonError,
)
from scoring.ports import Exercises
from scoring.repository import ScoreRepository

_STATES = {
    CorrectionState.APPROVED: "correction.approved",
    CorrectionState.REJECTED: "correction.rejected",
    CorrectionState.WITHDRAWN: "correction.withdrawn",
}


class Corrections:
    """Corrections of exercises that run, are paused or are over."""

    def __init__(self, database: Database, clock: Clock, exercises: Exercises) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._journal = Journal(database, clock)

    def propose(self, exercise: Exercise, decided: Decided, by: User) -> Correction:
        """Write a correction down as proposed, without any effect yet; return it.

        Raises NotNowError, CorrectionInvalidError.
        """
        require(exercise.phase, Act.CORRECT)
        scenario = self._exercises.scenario(exercise).scenario
        amendment = decided.amendment
        if isinstance(amendment, Accept):
            amendment = amendment.model_copy(update={"submissions": ()})
        with self._database.transaction() as transaction:
            repository = CorrectionRepository(transaction.session)
            require_fitting(amendment, exercise, scenario, repository.all(exercise.id))
            correction = Correction(
                id=new_id(),
                amendment=amendment,
                reason=decided.reason,
                state=CorrectionState.PROPOSED,
                proposed_by=by.id,
                proposed_at=self._clock.now(),
                decided_by=None,
                decided_at=None,
                note="",
            )
            repository.add(exercise.id, correction)
            self._note(transaction, exercise, "correction.proposed", correction, by)
        return correction

    def preview(self, exercise: Exercise, id_: str, by: User) -> Preview:
        """Return what a proposed correction would change now; raises as `approve` does."""
        with self._database.snapshot() as session:
            correction = _open(CorrectionRepository(session), exercise, id_)
            decided = Decided(amendment=correction.amendment, reason=correction.reason)
            facts = self._facts(session, exercise, id_, decided, by, self._clock.now())
            return previewed(session, exercise, facts)

    def approve(self, exercise: Exercise, id_: str, by: User, *, digest: str) -> Correction:
        """Book a correction, if it changes what a preview with this digest showed; return it.

        Raises CorrectionUnknownError, CorrectionDecidedError, SecondPersonError,
        PreviewOutdatedError, NotNowError.
        """
        now = self._clock.now()
        with self._database.transaction() as transaction:
            session = transaction.session
            repository = CorrectionRepository(session)
            ScoreRepository(session).take_turns(exercise.id)
            correction = _open(repository, exercise, id_)
            _require_another(correction, by)
            decided = Decided(amendment=correction.amendment, reason=correction.reason)
            facts = self._facts(session, exercise, id_, decided, by, now)
            if previewed(session, exercise, facts).digest != digest:
                raise PreviewOutdatedError(
                    "this correction would change something else now than what you looked at",
                    hint="Look at the preview again; nothing was booked",
                )
            self._decide(transaction, exercise, correction, CorrectionState.APPROVED, by)
            for team, mine in sorted(facts.items()):
                books = TeamBooks(session, exercise.id, team, recorded_at=now)
                for fact in mine:
                    take(fact, books, NO_RULES)
            if _is_of_rounds(session, exercise, correction.amendment):
                remake_tallies(session, exercise, self._exercises.scenario(exercise).scenario)
            return repository.all(exercise.id)[id_]

    def reject(self, exercise: Exercise, id_: str, by: User, *, note: str) -> Correction:
        """Turn a correction of somebody else down; return it. Raises as `approve` does."""
        return self._turn_down(exercise, id_, by, CorrectionState.REJECTED, note)

    def withdraw(self, exercise: Exercise, id_: str, by: User) -> Correction:
        """Take one's own proposal back; return it. Raises as `approve` does."""
        return self._turn_down(exercise, id_, by, CorrectionState.WITHDRAWN, "")

    def all(self, exercise: Exercise) -> tuple[Correction, ...]:
        """Return an exercise's corrections, oldest first. Not for trainees."""
        with self._database.reading() as session:
            return tuple(CorrectionRepository(session).all(exercise.id).values())

    def of_team(self, team: Team) -> tuple[TeamCorrection, ...]:
        """Return what was corrected for a team, in its order."""
        with self._database.reading() as session:
            return CorrectionRepository(session).of_team(team.id)

    def _facts(
        self,
        session: Session,
        exercise: Exercise,
        id_: str,
        decided: Decided,
        by: User,
        now: datetime,
    ) -> dict[TeamId, tuple[Fact, ...]]:
        """Return the facts of a correction for each team that it is about."""
        teams = _about(session, exercise, decided.amendment)
        facts = {
            team: Fact(
                cause=Cause.CORRECTION,
                id=id_,
                at=now,
                user=by.id,
                elapsed=exercise.elapsed(now, team),
                decided=Decided(amendment=amendment, reason=decided.reason),
            )
            for team, amendment in _for_each(session, decided.amendment, teams).items()
        }
        if _is_of_rounds(session, exercise, decided.amendment):
            scenario = self._exercises.scenario(exercise).scenario
            return restated(session, exercise, scenario, facts)
        return {team: (fact,) for team, fact in facts.items()}

    def _turn_down(
        self, exercise: Exercise, id_: str, by: User, state: CorrectionState, note: str
    ) -> Correction:
        with self._database.transaction() as transaction:
            repository = CorrectionRepository(transaction.session)
            correction = _open(repository, exercise, id_)
            if state is CorrectionState.REJECTED:
                _require_another(correction, by)
            elif correction.proposed_by != by.id:
                raise SecondPersonError(
                    "only whoever proposed a correction withdraws it", hint="Reject it instead"
                )
            self._decide(transaction, exercise, correction, state, by, note)
            return repository.all(exercise.id)[id_]

    def _decide(
        self,
        transaction: Transaction,
        exercise: Exercise,
        correction: Correction,
        state: CorrectionState,
        by: User,
        note: str = "",
    ) -> None:
        repository = CorrectionRepository(transaction.session)
        if not repository.decide(correction.id, state, by=by.id, at=self._clock.now(), note=note):
            raise _decided(correction.id)
        self._note(transaction, exercise, _STATES[state], correction, by)

    def _note(
        self,
        transaction: Transaction,
        exercise: Exercise,
        act: str,
        correction: Correction,
        by: User,
    ) -> None:
        why = By(user=by.id, reason=correction.reason)
        text = told(correction.amendment)
        self._journal.note(transaction, exercise, act, text, subject=correction.id, by=why)


def told(amendment: Amendment) -> str:
    """Return an amendment in a few words, such as `void who`."""
    body = amendment.model_dump(mode="json", exclude={"kind", "submissions"}, exclude_none=True)
    # A service may be called what a check is called.
    kind = f"{amendment.kind} service" if "service" in body else amendment.kind
    return " ".join([kind, *(str(value) for value in body.values())])


def _open(repository: CorrectionRepository, exercise: Exercise, id_: str) -> Correction:
    require(exercise.phase, Act.CORRECT)
    found = repository.all(exercise.id).get(id_)
    if found is None:
        raise CorrectionUnknownError(
            f"{exercise.name} has no correction {id_!r}", hint="Look at the list of them"
        )
    if found.state is not CorrectionState.PROPOSED:
        raise _decided(id_, found.state)
    return found


def _decided(id_: str, state: str = "decided on") -> CorrectionDecidedError:
    return CorrectionDecidedError(
        f"correction {id_} is {state} already", hint="To undo what was approved, revoke it"
    )


def _require_another(correction: Correction, by: User) -> None:
    if correction.proposed_by == by.id:
        raise SecondPersonError(
            "you proposed this correction; a second person decides on it",
            hint="Ask another instructor; you may withdraw it",
        )


def _meant(session: Session, exercise: Exercise, amendment: Amendment) -> Amendment:
    """Return an amendment, or of a revocation what it revokes."""
    if isinstance(amendment, Revoke):
        return CorrectionRepository(session).all(exercise.id)[amendment.correction].amendment
    return amendment


def _is_of_rounds(session: Session, exercise: Exercise, amendment: Amendment) -> bool:
    """Tell whether rounds of attack and defence follow from an amendment."""
    meant = _meant(session, exercise, amendment)
    return isinstance(meant, Defective) and meant.service is not None


def _about(session: Session, exercise: Exercise, amendment: Amendment) -> list[TeamId]:
    amendment = _meant(session, exercise, amendment)
    if isinstance(amendment, Adjust | Exclude):
        return [team.id for team in exercise.teams if team.slug == amendment.team]
    return [team.id for team in exercise.teams]


def _for_each(
    session: Session, amendment: Amendment, teams: list[TeamId]
) -> dict[TeamId, Amendment]:
    if not isinstance(amendment, Accept):
        return dict.fromkeys(teams, amendment)
    sent = CorrectionRepository(session).sent(teams, amendment)
    return {
        team: amendment.model_copy(update={"submissions": tuple(ids)}) for team, ids in sent.items()
    }
