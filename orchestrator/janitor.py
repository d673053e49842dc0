"""The janitor: exercises that nobody uses any more expire, and what belongs to nothing goes."""

from datetime import timedelta

import structlog

from core.clock import Clock
from core.errors import PoligonError
from core.rounds import Rounds
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.expiry import Expiry, expiry_of
from orchestrator.domain.leftovers import Standing, leftovers
from orchestrator.domain.phases import Act, IllegalMoveError, WorldPhase
from orchestrator.ports import RangeEngine, Removed
from orchestrator.service import Exercises

log = structlog.get_logger()

_ROUND = timedelta(minutes=1)


class Janitor:
    """Looks after one engine, a round a minute however often it is called."""

    def __init__(
        self, exercises: Exercises, engine: RangeEngine, clock: Clock, *, expiry: timedelta
    ) -> None:
        self._exercises = exercises
        self._engine = engine
        self._clock = clock
        self._expiry = expiry
        self._rounds = Rounds(clock, every=_ROUND)

    def sweep(self) -> None:
        """Make a round if one is due."""
        if self._rounds.is_due():
            self.expire()
            self.clean_up()

    def outlook(self, exercise: Exercise) -> Expiry | None:
        """Return when an exercise expires, for those who read of it."""
        return expiry_of(exercise, after=self._expiry)

    def expire(self) -> tuple[Exercise, ...]:
        """Destroy what was left alone for too long, as an instructor would; return it."""
        now = self._clock.now()
        expired = []
        for exercise in self._exercises.permitting(Act.STAND):
            expiry = self.outlook(exercise)
            if expiry is not None and expiry.is_due(now):
                try:
                    expired.append(self._exercises.destroy(exercise.id))
                except IllegalMoveError:
                    continue  # somebody started it just now
                log.warning("exercise.expired", exercise=exercise.name, since=str(expiry.at))
        return tuple(expired)

    def left_over(self) -> tuple[Standing, ...]:
        """Return what stands of this installation and belongs to no world that should."""
        # The engine first: what is made between the two questions is then known to the database.
        standing = self._engine.standing()
        wanted = [
            (exercise.id, team.slug)
            for exercise in self._exercises.with_worlds_left()
            for team in exercise.teams
            if team.world is not WorldPhase.REMOVED
        ]
        return leftovers(standing, wanted=wanted, now=self._clock.now())

    def clean_up(self) -> Removed:
        """Remove what is left over, a log line each; return how much went."""
        left = self.left_over()
        for thing in left:
            log.warning("leftover.found", name=thing.name, made_at=str(thing.made_at))
        if not left:
            return Removed()
        try:
            removed = self._engine.remove_standing(left)
        except PoligonError as error:
            log.warning("leftovers.not_removed", error=error.message)
            raise
        log.info("leftovers.removed", containers=removed.containers, networks=removed.networks)
        return removed
