"""`poligon worker`: the process that does the background work of a site."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Annotated

import structlog
import typer
from celery.exceptions import SecurityWarning

import orchestrator.tasks
import scoring.tasks
from api.bootstrap import Services
from api.cli.database import services_ready
from api.cli.output import reporting
from api.cli.process import SupervisedBy, begin
from api.heartbeat import sign_of_life
from api.lrs import delivering
from core.queue import Ticker, celery_app
from scoring.look_pool import LookPool

log = structlog.get_logger()

_SWEEP_EVERY = timedelta(seconds=2)
_LOOK_EVERY = timedelta(seconds=5)
_CONFIRM_EVERY = timedelta(seconds=1)
_TELL_EVERY = timedelta(seconds=1)
# Threads that mostly wait; what the engine is asked at once is bounded by itself.
_LOOKS_AT_ONCE = 128


def worker(
    *,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Jobs at the same time.")] = 8,
    supervised_by: SupervisedBy = None,
) -> None:
    """Do the background work: worlds and checks. Example: poligon worker --threads 16."""
    with reporting():
        begin(supervised_by)
        with services_ready() as services, _telling(services):
            raise typer.Exit(_work(services, threads))


@contextmanager
def _telling(services: Services) -> Iterator[None]:
    """Tell the site's LRS of results meanwhile, by itself: one that hangs holds nothing else up."""
    if not services.settings.lrs_url:
        yield
        return
    with delivering(services) as delivery:
        ticker = Ticker((services.outbox.sweep, delivery.sweep), every=_TELL_EVERY)
        ticker.start()
        try:
            yield
        finally:
            ticker.stop()


def _work(services: Services, threads: int) -> int:
    # Root or not makes no difference here: a worker may use the engine's socket.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    app = celery_app(services.settings)
    orchestrator.tasks.register(app, services.worlds, services.reconciling, services.injects)
    looks = LookPool(_LOOKS_AT_ONCE)
    scoring.tasks.register(app, services.scoring, services.attack_defence, services.proving, looks)
    beat = sign_of_life(services.settings)
    sweeps = (
        beat,
        services.worlds.sweep,
        services.timekeeping.sweep,
        services.injects.sweep,
        services.scoring.sweep,
        services.scoring.boards.sweep,
        services.attack_defence.sweep,
        services.janitor.sweep,
        services.retention.sweep,
        services.uploads.sweep,
        services.marking.sweep,
        services.proving.sweep,
        services.torn_recordings.sweep,
    )
    ticker = Ticker(sweeps, every=_SWEEP_EVERY)
    # By itself: it asks the engine, and one that answers late must hold nothing else up.
    looking = Ticker((services.reconciling.sweep,), every=_LOOK_EVERY)
    # By itself: it waits for a place when many targets let their checks wait.
    confirming = Ticker((partial(services.scoring.confirm, looks.start),), every=_CONFIRM_EVERY)
    stopping = threading.Event()
    watching = threading.Thread(
        target=services.reconciling.watch, args=(stopping,), name="watch", daemon=True
    )
    processes = app.Worker(pool="threads", concurrency=threads, loglevel="INFO", quiet=True)
    ticker.start()
    looking.start()
    confirming.start()
    watching.start()
    log.info("worker.started", threads=threads)
    try:
        processes.start()
    finally:
        ticker.stop()
        looking.stop()
        confirming.stop()
        looks.close()
        stopping.set()
        log.info("worker.closed")
    return int(processes.exitcode or 0)
