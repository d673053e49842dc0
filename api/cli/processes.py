"""`poligon serve`, `worker` and `down`: the processes of a site."""

import contextlib
import errno
import os
import socket
import sys
import threading
import warnings
from datetime import timedelta
from functools import partial
from typing import Annotated

import structlog
import typer
from celery.exceptions import SecurityWarning

import orchestrator.tasks
import scoring.tasks
from api.app import create_app
from api.bootstrap import Services
from api.cli.database import have_current, services_ready
from api.cli.output import Json, reporting
from api.cli.process import SupervisedBy, begin, look_for_engine
from api.cli.supervisor import GRACE, supervise
from api.heartbeat import sign_of_life
from api.serving import http_server
from core.errors import Fault, PoligonError
from core.queue import Ticker, celery_app
from core.settings import Settings, read_settings
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import UNDER_WAY, Act
from scoring.looking import LookPool

log = structlog.get_logger()

_SWEEP_EVERY = timedelta(seconds=2)
_LOOK_EVERY = timedelta(seconds=5)
_CONFIRM_EVERY = timedelta(seconds=1)
# Threads that mostly wait; what the engine is asked at once is bounded by itself.
_LOOKS_AT_ONCE = 128


class PortInUseError(PoligonError):
    """Something else listens where we should."""

    code = "port.in_use"
    fault = Fault.CONFLICT


class AddressUnusableError(PoligonError):
    """This machine does not have the address that we should listen on."""

    code = "port.unusable"
    fault = Fault.INPUT


def serve(
    *,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Broker, worker and gateway, too, under one supervisor."),
    ] = False,
    supervised_by: SupervisedBy = None,
) -> None:
    """Serve the pages and the interface. Example: poligon serve --all."""
    with reporting():
        begin(supervised_by)
        if everything:
            raise typer.Exit(_serve_all(read_settings()))
        with services_ready() as services:
            _serve_http(services)


def worker(
    *,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Jobs at the same time.")] = 8,
    supervised_by: SupervisedBy = None,
) -> None:
    """Do the background work: worlds and checks. Example: poligon worker --threads 16."""
    with reporting():
        begin(supervised_by)
        with services_ready() as services:
            raise typer.Exit(_work(services, threads))


def down(*, as_json: Json = False) -> None:
    """Remove every world, network and image of this installation, and close its exercises.

    Users, results and records stay. Example: poligon down
    """
    with reporting(as_json=as_json) as output:
        settings = read_settings()
        with services_ready() as services:
            closed = _close_all(services)
            removed = services.engine.remove_everything()
            for exercise in closed:
                for team in exercise.teams:
                    services.worlds.remove_world(exercise.id, team.id)
        output.data(
            {
                "installation": settings.installation,
                "exercises_closed": len(closed),
                "containers": removed.containers,
                "networks": removed.networks,
                "images": removed.images,
            }
        )
        output.line(
            f"Closed {len(closed)} exercises; removed {removed.containers} containers,"
            f" {removed.networks} networks and {removed.images} images of {settings.installation}"
        )


def _serve_all(settings: Settings) -> int:
    have_current(settings)
    # Asked now for one clear sentence: the processes would say it again with every restart.
    for host, port, setting in (
        (settings.http_host, settings.http_port, "POLIGON_HTTP_PORT"),
        (settings.ssh_host, settings.ssh_port, "POLIGON_SSH_PORT"),
    ):
        listen(host, port, setting).close()
    python = [sys.executable, "-m"]
    gateways = dict.fromkeys(_names_of_gateways(settings.gateways), "gateway")
    parts = {"worker": "worker", **gateways, "serve": "serve"}
    whole = {name: [*python, "api.cli.main", command] for name, command in parts.items()}
    commands = {"broker": [*python, "api.cli.broker"], **whole}
    return supervise(commands, grace=GRACE + settings.drain)


def _names_of_gateways(count: int) -> list[str]:
    return ["gateway", *(f"gateway-{number}" for number in range(2, count + 1))]


def listen(host: str, port: int, setting: str) -> socket.socket:
    """Return a bound socket; raises PortInUseError, AddressUnusableError naming the setting."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP, or asyncio would not turn off that small answers wait for an acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"port {port} of {host} is in use already",
                hint=f"Stop what listens there, or set {setting}",
            ) from error
        raise AddressUnusableError(
            f"this machine cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}",
            hint=f"Set {setting} and {setting.replace('PORT', 'HOST')} to what it has",
        ) from error
    return bound


def _serve_http(services: Services) -> None:
    settings = services.settings
    look_for_engine(settings)
    bound = listen(settings.http_host, settings.http_port, "POLIGON_HTTP_PORT")
    server = http_server(create_app(services))
    log.info("api.started", address=settings.http_host, port=settings.http_port)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[bound])
    log.info("api.closed")


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


def _close_all(services: Services) -> tuple[Exercise, ...]:
    """End and close every exercise that is not yet; return them."""
    left = services.exercises.permitting(Act.STAND)
    for exercise in left:
        if exercise.phase in UNDER_WAY:
            services.exercises.end(exercise.id)
        services.exercises.destroy(exercise.id)
    return left
