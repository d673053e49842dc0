"""Two instructors at a stage, and what they correct and dispute with."""

from sqlalchemy import func, select

from core.users.model import Role, User
from core.users.service import Users
from scoring.corrections.disputes import Disputes
from scoring.corrections.service import Corrections
from scoring.corrections.views import Correction
from scoring.domain.amendments import Amendment, Decided
from scoring.tables import ScoreEntryRow
from tests.fakes.scoring_stage import Stage


class Desk:
    """A stage, two instructors, and what they correct with."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        users = Users(stage.database, stage.clock)
        self.ada = users.add("ada", role=Role.INSTRUCTOR, password="a long enough one")
        self.bob = users.add("bob", role=Role.INSTRUCTOR, password="a long enough one")
        self.corrections = Corrections(stage.database, stage.clock, stage.exercises)
        self.disputes = Disputes(stage.database, stage.clock, stage.exercises)

    def propose(self, amendment: Amendment, *, reason: str = "It was wrong.") -> Correction:
        decided = Decided(amendment=amendment, reason=reason)
        return self.corrections.propose(self.stage.exercise, decided, self.ada)

    def approve(self, id_: str, by: User | None = None) -> Correction:
        """Look at the preview and approve what it shows."""
        by = by or self.bob
        seen = self.corrections.preview(self.stage.exercise, id_, by)
        return self.corrections.approve(self.stage.exercise, id_, by, digest=seen.digest)

    def correct(self, amendment: Amendment, *, reason: str = "It was wrong.") -> Correction:
        return self.approve(self.propose(amendment, reason=reason).id)

    def rows(self) -> int:
        with self.stage.database.reading() as session:
            return session.scalar(select(func.count()).select_from(ScoreEntryRow)) or 0
