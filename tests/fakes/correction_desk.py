"""Two instructors, and what they correct and dispute with: at a stage, or of any exercise."""

from typing import Protocol

from sqlalchemy import func, select

from core.clock import Clock
from core.db import Database
from core.users.model import Role, User
from core.users.service import Users
from orchestrator.domain.exercise import Exercise
from orchestrator.service import Exercises
from scoring.corrections.disputes import Disputes
from scoring.corrections.service import Corrections
from scoring.corrections.views import Correction
from scoring.domain.amendments import Amendment, Decided
from scoring.tables import ScoreEntryRow
from tests.fakes.scoring_stage import Stage


class Corrected(Protocol):
    """An exercise, and what it stands on."""

    @property
    def database(self) -> Database: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def exercises(self) -> Exercises: ...

    @property
    def exercise(self) -> Exercise: ...


class Instructors:
    """Two instructors, who correct scores of an exercise."""

    def __init__(self, of: Corrected) -> None:
        self._of = of
        users = Users(of.database, of.clock)
        self.ada = users.add("ada", role=Role.INSTRUCTOR, password="a long enough one")
        self.bob = users.add("bob", role=Role.INSTRUCTOR, password="a long enough one")
        self.corrections = Corrections(of.database, of.clock, of.exercises)

    def propose(self, amendment: Amendment, *, reason: str = "It was wrong.") -> Correction:
        decided = Decided(amendment=amendment, reason=reason)
        return self.corrections.propose(self._of.exercise, decided, self.ada)

    def approve(self, id_: str, by: User | None = None) -> Correction:
        """Look at the preview and approve what it shows."""
        by = by or self.bob
        seen = self.corrections.preview(self._of.exercise, id_, by)
        return self.corrections.approve(self._of.exercise, id_, by, digest=seen.digest)

    def correct(self, amendment: Amendment, *, reason: str = "It was wrong.") -> Correction:
        return self.approve(self.propose(amendment, reason=reason).id)

    def rows(self) -> int:
        with self._of.database.reading() as session:
            return session.scalar(select(func.count()).select_from(ScoreEntryRow)) or 0


class Desk(Instructors):
    """A stage, two instructors, and what they correct and dispute with."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.stage = stage
        self.disputes = Disputes(stage.database, stage.clock, stage.exercises)
