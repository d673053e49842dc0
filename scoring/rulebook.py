"""All rules of an exercise, from its pinned scenario, within any transaction."""

from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.ids import ExerciseId
from core.scenario.pack import unpack
from orchestrator.repository import ExerciseRepository
from orchestrator.tables import ExerciseRow
from scoring.domain.rules import Rules

_KEPT: dict[str, Rules] = {}
_MOST = 32


def rules_of(session: Session, exercise: ExerciseId) -> Rules:
    """Return all rules of an exercise."""
    digest = session.execute(
        select(ExerciseRow.scenario_digest).where(ExerciseRow.id == exercise)
    ).scalar_one()
    rules = _KEPT.get(digest)
    if rules is None:
        archive = ExerciseRepository(session).pack(digest)
        assert archive is not None  # an exercise refers to its scenario
        while len(_KEPT) >= _MOST:
            _KEPT.pop(next(iter(_KEPT)), None)
        rules = _KEPT[digest] = _read(archive)
    return rules


def _read(archive: bytes) -> Rules:
    with TemporaryDirectory() as folder:
        return Rules.of(unpack(archive, Path(folder)).scenario)
