"""What runs short while worlds stand: memory and disk of hosts, disk of the engine. Told, no more.

The journal remembers what was told last, so that it is told once, whoever looks.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database
from core.errors import PoligonError
from core.ids import ExerciseId
from core.scenario.schema import Scenario
from orchestrator.domain.diagnosis import (
    FREE_SPACE,
    is_full,
    told_of_filled,
    told_of_space,
    told_of_writers,
)
from orchestrator.domain.engine_facts import Space
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import PERMITS, Act, Phase
from orchestrator.domain.world import HostKey
from orchestrator.journal import Journal
from orchestrator.ports import EngineFullError
from orchestrator.repository import ExerciseRepository

log = structlog.get_logger()

_Written = Callable[[ExerciseId], Mapping[HostKey, int]]

_OUT_OF_MEMORY = "host.out_of_memory"
_HOST_FULL = "host.disk_full"
_DISK_FULL, _DISK_OK = "engine.disk_full", "engine.disk_ok"
# A program that is started again and again is killed again and again.
_TOLD_AGAIN = timedelta(minutes=1)
_FILLED_TOLD_AGAIN = timedelta(minutes=10)
# An engine counts in blocks, and stops a host before the last of its bytes.
_FILLED = 0.95


class Shortages:
    """Writes shortages into the journals of exercises that stand, and reads them there."""

    def __init__(self, database: Database, clock: Clock, journal: Journal) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal

    def tell_memory(self, exercise: Exercise, host: HostKey) -> None:
        """Write down that a process of a host was killed; at most once a minute for each host."""
        team = exercise.team(host.world.team)
        if team is not None:
            told = f"a process of {host.host} was killed: the machine may not use more memory"
            self._tell_once(
                exercise, team, host.host, _OUT_OF_MEMORY, told, again_after=_TOLD_AGAIN
            )

    def _tell_once(
        self,
        exercise: Exercise,
        team: Team,
        host: str,
        act: str,
        told: str,
        *,
        again_after: timedelta,
    ) -> None:
        since = self._clock.now() - again_after

        def is_told(session: Session) -> bool:
            return self._journal.told_since(
                session, exercise.id, act, team=team.id, subject=host, since=since
            )

        with self._database.reading() as session:
            if is_told(session):
                return  # many a second, and none of them holds a writer up
        with self._database.transaction() as transaction:
            ExerciseRepository(transaction.session).hold(exercise.id)
            if is_told(transaction.session):
                return
            self._journal.note(transaction, exercise, act, told, team=team.id, subject=host)
        log.info(act, exercise=exercise.name, team=team.slug, host=host)

    def tell_filled(self, exercise: Exercise, scenario: Scenario, written: _Written) -> None:
        """Write down which hosts have filled the disk that the scenario gives them.

        At most every ten minutes for each host.
        """
        limits = {name: host.limits.disk for name, host in scenario.hosts.items()}
        if not any(limits.values()):
            return
        for key, size in written(exercise.id).items():
            limit, team = limits.get(key.host), exercise.team(key.world.team)
            if limit is not None and team is not None and size >= limit * _FILLED:
                self._tell_once(
                    exercise,
                    team,
                    key.host,
                    _HOST_FULL,
                    told_of_filled(key, size, limit),
                    again_after=_FILLED_TOLD_AGAIN,
                )

    def tell_disk(self, exercises: Sequence[Exercise], space: Space, written: _Written) -> None:
        """Write down in each exercise that the engine's disk became full, or is so no more.

        The hosts that hold most of it are named.
        """
        full = self._told_full([exercise.id for exercise in exercises])
        for exercise in exercises:
            was = exercise.id in full
            if is_full(space, was=was) != was:
                told = told_of_space(space)
                self._note_disk(
                    exercise, told if was else _with_writers(told, written, exercise), was=was
                )

    def _note_disk(self, exercise: Exercise, told: str, *, was: bool) -> None:
        with self._database.transaction() as transaction:
            ExerciseRepository(transaction.session).hold(exercise.id)
            last = self._journal.last_acts(
                transaction.session, [exercise.id], (_DISK_FULL, _DISK_OK)
            )
            if (last.get(exercise.id, ("", ""))[0] == _DISK_FULL) != was:
                return  # another worker was faster
            act = _DISK_OK if was else _DISK_FULL
            self._journal.note(transaction, exercise, act, told)
        log.warning(act, exercise=exercise.name, told=told)

    def full_disk(self, exercise: Exercise) -> str:
        """Return what was told of the engine's disk while it is full; else nothing."""
        if Act.STAND not in PERMITS[exercise.phase]:
            return ""
        return self._told_full([exercise.id]).get(exercise.id, "")

    def require_room(self) -> None:
        """Raise EngineFullError while exercises stand and the engine's disk is full."""
        phases = [phase for phase in Phase if Act.STAND in PERMITS[phase]]
        with self._database.reading() as session:
            standing = ExerciseRepository(session).in_phase(*phases)
        if self._told_full([exercise.id for exercise in standing]):
            raise EngineFullError(
                "the engine's disk is almost full, so nothing new is launched", hint=FREE_SPACE
            )

    def _told_full(self, exercises: Sequence[ExerciseId]) -> Mapping[ExerciseId, str]:
        with self._database.reading() as session:
            last = self._journal.last_acts(session, exercises, (_DISK_FULL, _DISK_OK))
        return {exercise: text for exercise, (act, text) in last.items() if act == _DISK_FULL}


def _with_writers(told: str, written: _Written, exercise: Exercise) -> str:
    """Add to what is told of a full disk which hosts of the exercise hold most of it."""
    try:
        by_host = written(exercise.id)
    except PoligonError as error:  # that the disk is full is told all the same
        log.warning("disk.writers_unknown", exercise=exercise.name, error=str(error))
        return told
    return "; ".join([told, *told_of_writers(by_host)])


def require_space(space: Space) -> None:
    """Raise EngineFullError when too little is left to build a world."""
    if is_full(space):
        raise EngineFullError(f"{told_of_space(space)}, so nothing new is built", hint=FREE_SPACE)
