"""Claims: one worker at a time on one thing, and free again soon after it dies."""

import platform
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog

from core.clock import Clock
from core.db import Database
from core.errors import Fault, PoligonError
from core.ids import ExerciseId, TeamId
from core.waiting import pause
from orchestrator.ports import EngineUnavailableError
from orchestrator.repository import ExerciseRepository
from orchestrator.tables import ExerciseRow, TeamRow

log = structlog.get_logger()

# A killed worker's claims last this long; they are renewed three times in it.
CLAIM_LASTS = timedelta(seconds=15)
# How long a thing is left alone after the engine did not answer for it.
_ENGINE_AWAY_RESTS = timedelta(seconds=4)


@contextmanager
def renewing(key: str, renew: Callable[[], None], *, every: timedelta) -> Iterator[None]:
    """Call `renew` for a claim again and again while the block runs, in a thread of its own."""
    done = threading.Event()

    def again() -> None:
        while not pause(every.total_seconds(), interrupted_by=done):
            try:
                renew()
            except PoligonError as error:  # the work is idempotent: going on is better
                log.warning("claim.not_renewed", key=key, error=str(error))

    thread = threading.Thread(target=again, name="renewal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class NotYetError(PoligonError):
    """It did not work, and may after a rest: whoever holds it lets go, and it is left alone."""

    code = "world.not_yet"
    fault = Fault.UPSTREAM

    def __init__(self, message: str, *, rest: timedelta) -> None:
        super().__init__(message, hint="It is tried again by itself")
        self.rest = rest


class Claims:
    """What this worker has claimed in the database, under a name of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._worker = f"{platform.node()[:24]}-{uuid.uuid4().hex[:12]}"

    @contextmanager
    def exercise(self, key: ExerciseId) -> Iterator[bool]:
        """Hold an exercise while the block runs; False when another worker holds it."""
        with self._held(ExerciseRow, key) as held:
            yield held

    @contextmanager
    def team(self, key: TeamId) -> Iterator[bool]:
        """Hold a team's world while the block runs; False when another worker holds it."""
        with self._held(TeamRow, key) as held:
            yield held

    @contextmanager
    def _held(self, thing: type[ExerciseRow | TeamRow], key: str) -> Iterator[bool]:
        if not self._claim(thing, key):
            yield False
            return
        rest = timedelta()
        try:
            with renewing(key, lambda: self._renew(thing, key), every=CLAIM_LASTS / 3):
                yield True
        except EngineUnavailableError:
            rest = _ENGINE_AWAY_RESTS
            raise
        except NotYetError as error:
            rest = error.rest
            raise
        finally:
            self._release(thing, key, rest)

    def _claim(self, thing: type[ExerciseRow | TeamRow], key: str) -> bool:
        now = self._clock.now()
        with self._database.transaction() as transaction:
            return ExerciseRepository(transaction.session).claim(
                thing, key, worker=self._worker, now=now, until=now + CLAIM_LASTS
            )

    def _renew(self, thing: type[ExerciseRow | TeamRow], key: str) -> None:
        with self._database.transaction() as transaction:
            ExerciseRepository(transaction.session).renew(
                thing, key, worker=self._worker, until=self._clock.now() + CLAIM_LASTS
            )

    def _release(self, thing: type[ExerciseRow | TeamRow], key: str, rest: timedelta) -> None:
        with self._database.transaction() as transaction:
            ExerciseRepository(transaction.session).release(
                thing, key, worker=self._worker, until=self._clock.now() + rest
            )
