"""`poligon gateway`: the process that serves SSH, how it does, and its end in good order."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

import typer
from pydantic import TypeAdapter

from api.access import host_key_file, public_key_file, user_ca_file
from api.bootstrap import Services
from api.cli.conduct import duration
from api.cli.database import services_ready
from api.cli.output import Json, reporting
from api.cli.process import (
    SupervisedBy,
    begin,
    look_for_engine,
    take_all_files,
    when_told_to_stop,
)
from api.gateways import door_folder, gateways_of, redis_place
from core.errors import Fault, PoligonError
from core.settings import Settings, read_settings
from orchestrator.access import Access
from orchestrator.engine.exec_stream import DockerTerminals
from orchestrator.engine.reach import DockerReach
from orchestrator.gateway.book_chronicle import BookChronicle
from orchestrator.gateway.chronicle import Chronicle
from orchestrator.gateway.facts import GatewayFacts
from orchestrator.gateway.host_key import load_or_create
from orchestrator.gateway.limits import Limits
from orchestrator.gateway.server import Gateway
from orchestrator.terminal.limits import TerminalLimits
from orchestrator.terminal.notebook import Notebook
from orchestrator.terminal.recorder import CastWriter

app = typer.Typer(invoke_without_command=True, add_completion=False)

_FACTS = TypeAdapter(tuple[GatewayFacts, ...])
_START = "Start one: poligon gateway"
_LONGEST = timedelta(hours=24)


class NoGatewayError(PoligonError):
    """No gateway answers, or none of the name."""

    code = "gateway.none"
    fault = Fault.MISSING


class DrainTooLongError(PoligonError):
    """Nobody waits so long for a restart."""

    code = "gateway.drain_too_long"
    fault = Fault.INPUT


@app.callback()
def gateway(context: typer.Context, *, supervised_by: SupervisedBy = None) -> None:
    """Serve SSH: the port through which trainees enter. Example: poligon gateway."""
    if context.invoked_subcommand is not None:
        return
    with reporting():
        begin(supervised_by)
        take_all_files()
        with services_ready() as services:
            asyncio.run(guard(services))


@app.command()
def status(*, as_json: Json = False) -> None:
    """Print what each gateway has in hand, and the sum.

    Example: poligon gateway status
    """
    with reporting(as_json=as_json) as output:
        found = asyncio.run(gateways_of(read_settings()).status())
        if not found:
            raise NoGatewayError("no gateway answers here", hint=_START)
        output.data(_FACTS.dump_python(found, mode="json"))
        for facts in found:
            output.line(f"{facts.name} {_state(facts)}: {_summed([facts])}")
        if len(found) > 1:
            output.line(f"all {len(found)}: {_summed(found)}")


@app.command()
def drain(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Gateways, as `status` names them; else all of this machine."),
    ] = None,
    *,
    within: Annotated[str, typer.Option(help="How long sessions may go on, such as 10m.")] = "10m",
    as_json: Json = False,
) -> None:
    """Have gateways take nobody new, tell everybody inside, and end; a supervisor starts new ones.

    Example: poligon gateway drain --within 10m
    """
    with reporting(as_json=as_json) as output:
        time = duration(within)
        if time > _LONGEST:
            raise DrainTooLongError("sessions go on for 24 hours at most", hint="Say 10m or 1h")
        drained = asyncio.run(gateways_of(read_settings()).drain(within=time, names=names or ()))
        if not drained:
            raise NoGatewayError(
                "no such gateway answers here" if names else "no gateway answers here",
                hint="poligon gateway status lists them" if names else _START,
            )
        output.data({"gateways": list(drained), "within_seconds": time.total_seconds()})
        output.line(f"Taking nobody new: {', '.join(drained)}")


def _state(facts: GatewayFacts) -> str:
    if facts.draining is not None:
        return f"takes nobody new and ends by {_spoken(facts.draining)}"
    alone = ", cut off from other machines: its Redis does not answer"
    return f"since {_spoken(facts.since)}{alone if facts.at_redis is False else ''}"


def _spoken(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _summed(gateways: Sequence[GatewayFacts]) -> str:
    def total(count: Callable[[GatewayFacts], int]) -> int:
        return sum(map(count, gateways))

    banned = {source for facts in gateways for source in facts.bans}
    parts = (
        (
            f"{total(lambda f: f.connections)} connections"
            f" ({total(lambda f: f.strangers)} not logged in)"
        ),
        (
            f"{total(lambda f: f.sessions)} sessions"
            f" ({total(lambda f: f.kept)} kept, {total(lambda f: f.waiting)} waiting)"
        ),
        f"{total(lambda f: f.forwards)} forwards",
        f"{total(lambda f: f.bytes_shown) / 1e6:.1f} MB shown",
        f"{total(lambda f: sum(f.refused.values()))} refused{_by_reason(gateways)}",
        f"banned: {', '.join(sorted(banned)) or 'nobody'}",
    )
    return ", ".join(parts)


def _by_reason(gateways: Sequence[GatewayFacts]) -> str:
    refused: Counter[str] = Counter()
    for facts in gateways:
        refused.update(facts.refused)
    told = ", ".join(f"{count} {reason}" for reason, count in sorted(refused.items()))
    return f" ({told})" if told else ""


async def guard(services: Services) -> None:
    """Serve until told to stop; raises HostKeyUnusableError, GatewayAddressUnusableError."""
    settings = services.settings
    book = Notebook(services.sessions.write)
    writer = CastWriter(services.sessions.folder, book, services.clock)
    look_for_engine(settings)
    gate = _made(services, BookChronicle(book, writer, services.clock))
    await gate.start()
    when_told_to_stop(partial(gate.leave, within=settings.drain))
    _publish_key(settings)
    await gate.until_left()
    # In this order: what is complete only now is written down yet.
    await asyncio.to_thread(writer.close)
    await asyncio.to_thread(book.close)


def _made(services: Services, chronicle: Chronicle) -> Gateway:
    settings = services.settings
    broker = settings.effective_terminal_engine()
    return Gateway(
        doorkeeper=Access(services.users, services.exercises),
        terminals=DockerTerminals(broker, installation=settings.installation),
        reach=DockerReach(broker, installation=settings.installation),
        host_key=host_key_file(settings),
        user_ca=user_ca_file(settings),
        address=settings.ssh_host,
        port=settings.ssh_port,
        doors=door_folder(settings),
        redis=redis_place(settings),
        clock=services.clock,
        limits=Limits(
            sessions_per_person=settings.sessions_per_trainee,
            sessions_per_team=settings.sessions_per_team,
            idle=settings.idle_limit,
            session_time=settings.session_limit,
        ),
        is_one_of_several=settings.gateways > 1,
        terminal_limits=TerminalLimits(keep=settings.keep_terminals),
        chronicle=chronicle,
    )


def _publish_key(settings: Settings) -> None:
    """Leave the public key where pages and the command line find it."""
    public = load_or_create(host_key_file(settings)).export_public_key()
    public_key_file(settings).write_bytes(public)
