"""How each process of a site begins, and learns that it should end."""

import asyncio
import os
import resource
import signal
from collections.abc import Callable
from typing import Annotated

import structlog
import typer

from api.cli.supervisor import end_with_parent
from core.log import configure_logging
from core.settings import Settings, read_settings

_log = structlog.get_logger()

SupervisedBy = Annotated[int | None, typer.Option("--supervised-by", hidden=True)]


def begin(supervised_by: int | None) -> None:
    """Log as a process of a site does, and end with its supervisor, if it has one."""
    if supervised_by is not None:
        end_with_parent(supervised_by)
    configure_logging(json=read_settings().log_json)


def take_all_files() -> None:
    """Let this process open as many files as it may: each connection and session takes some."""
    _usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def look_for_engine(settings: Settings) -> None:
    """Say so when this process could use the engine, though a site keeps a broker for that."""
    place = settings.docker_host.removeprefix("unix://")
    if settings.terminal_engine and os.access(place, os.W_OK):
        _log.warning("engine.within_reach", socket=place)


def told_to_stop() -> asyncio.Event:
    """Return what is set when this process is asked to end."""
    stopping = asyncio.Event()
    when_told_to_stop(stopping.set)
    return stopping


def when_told_to_stop(do: Callable[[], object]) -> None:
    """Call `do` whenever this process is asked to end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, do)
