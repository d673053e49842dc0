"""A site for one rehearsal: its own label, folder and database, and nothing left of it.

So nothing of a rehearsal can be in the site's list of exercises, its results or its records, and
everything of it is removed by its label alone, also what a killed rehearsal left.
"""

import fcntl
import hashlib
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from pydantic import SecretStr

from api.bootstrap import Services, assemble
from api.rehearsal.clock import RehearsalClock
from api.rehearsal.work import HandQueue
from core.clock import Clock
from core.errors import Fault, PoligonError
from core.migration import upgrade
from core.settings import Settings
from orchestrator.ports import RangeEngine

OpenEngine = Callable[[Settings], RangeEngine]

_ENDING = (signal.SIGTERM, signal.SIGHUP)


class RehearsalUnderWayError(PoligonError):
    """Another rehearsal of this site is under way."""

    code = "rehearsal.under_way"
    fault = Fault.CONFLICT


class RehearsalLeftError(PoligonError):
    """Something of a rehearsal is still on the engine."""

    code = "rehearsal.left"
    fault = Fault.UPSTREAM


def settings_of(site: Settings) -> Settings:
    """Return the settings of a rehearsal beside a site, the same for each of its rehearsals."""
    mark = hashlib.sha256(site.installation.encode()).hexdigest()[:8]
    return site.model_copy(
        update={
            "home": site.home / "rehearsal",
            "installation": f"rehearsal-{mark}",
            "database_url": SecretStr(""),
            "broker_url": SecretStr(""),
            "self_test": "every",
            "answers_per_person": 1_000_000,  # a solution answers all at once
            "answers_per_team": 1_000_000,
        }
    )


@contextmanager
def rehearsal_site(
    site: Settings, *, clock: Clock, open_engine: OpenEngine, keep: bool = False
) -> Iterator[tuple[Services, RehearsalClock, HandQueue]]:
    """Lend the services of a site for one rehearsal; it goes at the end, however that comes.

    With `keep` it stays, until the next rehearsal or until somebody takes it down. Raises
    RehearsalUnderWayError, RehearsalLeftError, EngineUnavailableError.
    """
    settings = settings_of(site)
    engine = open_engine(settings)
    engine.info()  # before anything is made: an engine that is away is no fault of a scenario
    ahead, queue = RehearsalClock(clock), HandQueue()
    with _alone(settings.home.with_suffix(".lock")), _ended_as_by_ctrl_c():
        _remove(settings, engine)  # what one left that was killed, or kept
        try:
            upgrade(settings.effective_database_url())
            services = assemble(settings, clock=ahead, queue=queue, engine=engine)
            try:
                yield services, ahead, queue
            finally:
                services.close()
        finally:
            if not keep:
                with _undisturbed():
                    _remove(settings, engine)


def _remove(settings: Settings, engine: RangeEngine) -> None:
    engine.remove_everything()
    shutil.rmtree(settings.home, ignore_errors=True)
    left = engine.remaining()
    if left:
        raise RehearsalLeftError(
            f"of the rehearsal these are left on the engine: {', '.join(left)}",
            hint="Remove them, or rehearse again: that begins with removing them",
        )


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RehearsalUnderWayError(
                "another rehearsal is under way on this site",
                hint="Wait for its end, or give this one a POLIGON_HOME and POLIGON_INSTALLATION",
            ) from error
        yield


@contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """Let what ends a process from outside end the rehearsal in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let nobody interrupt the removal: a second Ctrl-C would leave half of it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, *_ENDING)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
