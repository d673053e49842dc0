"""Secrets of other teams: one that turns up in an answer was passed on or stolen."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping

from core.ids import ExerciseId, TeamId
from core.scenario.schema_values import FlagValue, PasswordValue, TokenValue
from orchestrator.domain.exercise import Exercise
from scoring.domain.folding import tidied
from scoring.ports import Exercises

_EXERCISES_KEPT = 16
_Owners = Mapping[bytes, tuple[TeamId, str]]


class Canaries:
    """Whose secret a text is. Values are derived once and for all, so they are kept at hand.

    By digest: looking one up takes as long for a near miss as for anything else.
    """

    def __init__(self, exercises: Exercises) -> None:
        self._exercises = exercises
        self._kept: OrderedDict[ExerciseId, _Owners] = OrderedDict()
        self._lock = threading.Lock()

    def owner(self, exercise: Exercise, text: str) -> tuple[TeamId, str] | None:
        """Return the team whose flag, password or token `text` is, and the value's name."""
        return self._owners(exercise).get(_digest(text))

    def _owners(self, exercise: Exercise) -> _Owners:
        with self._lock:
            if exercise.id not in self._kept:
                self._kept[exercise.id] = self._secrets(exercise)
                if len(self._kept) > _EXERCISES_KEPT:
                    self._kept.popitem(last=False)
            return self._kept[exercise.id]

    def _secrets(self, exercise: Exercise) -> _Owners:
        specs = self._exercises.scenario(exercise).scenario.values
        names = [
            n for n, s in specs.items() if isinstance(s, FlagValue | PasswordValue | TokenValue)
        ]
        owners: dict[bytes, tuple[TeamId, str]] = {}
        for team in exercise.teams:
            values = self._exercises.facts(exercise, team).values
            owners |= {_digest(str(values[name])): (team.id, name) for name in names}
        return owners


def _digest(text: str) -> bytes:
    return hashlib.sha256(tidied(text).encode()).digest()
