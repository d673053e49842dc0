"""The standings of an exercise, of which only those that moved are read again."""

from collections.abc import Mapping

from core.ids import ExerciseId, TeamId
from scoring.boards.repository import BoardRepository
from scoring.domain.standings import Total

Have = Mapping[TeamId, tuple[Total, int]]
"""Team → what it has, and the id of its last entry."""

# A statement that names more teams than this is slower than one that reads all.
_FEW = 100


class KnownStandings:
    """What the teams of one exercise have: a ledger only grows, so equal heads are equal totals."""

    def __init__(self) -> None:
        self._have: Have = {}

    def read(self, repository: BoardRepository, exercise: ExerciseId) -> Have:
        """Return team → what it has and the id of its last entry; none without an entry."""
        known = self._have
        heads = repository.heads(exercise)
        moved = [
            team for team, upto in heads.items() if team not in known or known[team][1] != upto
        ]
        if len(moved) > _FEW:
            have = repository.totals(exercise)
        else:
            anew = repository.totals(exercise, moved) if moved else {}
            have = {team: anew.get(team) or known[team] for team in heads}
        self._have = have
        return have
