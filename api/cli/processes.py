"""`poligon serve`, `worker`, `gateway` and `down`: the processes of a site."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import threading
import warnings
from datetime import timedelta
from typing import Annotated

import structlog
import typer
import uvicorn
from celery.exceptions import SecurityWarning

import orchestrator.tasks
import scoring.tasks
from api.access import host_key_file, public_key_file
from api.app import create_app
from api.bootstrap import Services
from api.cli.database import have_current, services_ready
from api.cli.output import Json, reporting
from api.cli.supervisor import end_with_parent, supervise
from api.heartbeat import sign_of_life
from core.errors import Fault, PoligonError
from core.log import configure_logging
from core.queue import Ticker, celery_app
from core.settings import Settings, read_settings
from orchestrator.access import Access
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import Act, Phase
from orchestrator.engine.exec_stream import DockerTerminals
from orchestrator.gateway.host_key import load_or_create
from orchestrator.gateway.server import Gateway

log = structlog.get_logger()

_SWEEP_EVERY = timedelta(seconds=2)
_LOOK_EVERY = timedelta(seconds=5)
_GOODBYE_SECONDS = 5

SupervisedBy = Annotated[int | None, typer.Option("--supervised-by", hidden=True)]


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
        bool, typer.Option("--all", help="The worker and the gateway, too, under one supervisor.")
    ] = False,
    supervised_by: SupervisedBy = None,
) -> None:
    """Serve the pages and the interface. Example: poligon serve --all."""
    with reporting():
        _begin(supervised_by)
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
        _begin(supervised_by)
        with services_ready() as services:
            raise typer.Exit(_work(services, threads))


def gateway(*, supervised_by: SupervisedBy = None) -> None:
    """Serve SSH: the port through which trainees enter. Example: poligon gateway."""
    with reporting():
        _begin(supervised_by)
        with services_ready() as services:
            asyncio.run(_guard(services))


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


def _begin(supervised_by: int | None) -> None:
    if supervised_by is not None:
        end_with_parent(supervised_by)
    configure_logging(json=read_settings().log_json)


def _serve_all(settings: Settings) -> int:
    have_current(settings)
    # Asked now for one clear sentence: the processes would say it again with every restart.
    for host, port, setting in (
        (settings.http_host, settings.http_port, "POLIGON_HTTP_PORT"),
        (settings.ssh_host, settings.ssh_port, "POLIGON_SSH_PORT"),
    ):
        listen(host, port, setting).close()
    poligon = [sys.executable, "-m", "api.cli.main"]
    return supervise({name: [*poligon, name] for name in ("worker", "gateway", "serve")})


def listen(host: str, port: int, setting: str) -> socket.socket:
    """Return a bound socket; raises PortInUseError, AddressUnusableError naming the setting."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
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
    bound = listen(settings.http_host, settings.http_port, "POLIGON_HTTP_PORT")
    config = uvicorn.Config(
        create_app(services),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
    )
    log.info("api.started", address=settings.http_host, port=settings.http_port)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[bound])
    log.info("api.closed")


def _work(services: Services, threads: int) -> int:
    # Root or not makes no difference here: a worker may use the engine's socket.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    app = celery_app(services.settings)
    orchestrator.tasks.register(app, services.worlds, services.reconciling, services.injects)
    scoring.tasks.register(app, services.scoring)
    beat = sign_of_life(services.settings)
    sweeps = (
        beat,
        services.worlds.sweep,
        services.timekeeping.sweep,
        services.injects.sweep,
        services.scoring.sweep,
        services.janitor.sweep,
    )
    ticker = Ticker(sweeps, every=_SWEEP_EVERY)
    # By itself: it asks the engine, and one that answers late must hold nothing else up.
    looking = Ticker((services.reconciling.sweep,), every=_LOOK_EVERY)
    stopping = threading.Event()
    watching = threading.Thread(
        target=services.reconciling.watch, args=(stopping,), name="watch", daemon=True
    )
    processes = app.Worker(pool="threads", concurrency=threads, loglevel="INFO", quiet=True)
    ticker.start()
    looking.start()
    watching.start()
    log.info("worker.started", threads=threads)
    try:
        processes.start()
    finally:
        ticker.stop()
        looking.stop()
        stopping.set()
        log.info("worker.closed")
    return int(processes.exitcode or 0)


async def _guard(services: Services) -> None:
    settings = services.settings
    gate = Gateway(
        doorkeeper=Access(services.users, services.exercises),
        terminals=DockerTerminals(settings.docker_host, installation=settings.installation),
        host_key=host_key_file(settings),
        address=settings.ssh_host,
        port=settings.ssh_port,
        clock=services.clock,
    )
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await gate.start()
    _publish_key(settings)
    await stopping.wait()
    await gate.close()


def _publish_key(settings: Settings) -> None:
    """Leave the public key where pages and the command line find it."""
    public = load_or_create(host_key_file(settings)).export_public_key()
    public_key_file(settings).write_bytes(public)


def _close_all(services: Services) -> tuple[Exercise, ...]:
    """End and close every exercise that is not yet; return them."""
    left = services.exercises.permitting(Act.STAND)
    for exercise in left:
        if exercise.phase in {Phase.RUNNING, Phase.PAUSED}:
            services.exercises.end(exercise.id)
        services.exercises.destroy(exercise.id)
    return left
