"""`poligon doctor`: what keeps this site from working, in one sentence each, with one fix."""

import asyncio
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import typer

from api.bootstrap import Services, open_services
from api.catalogue import Catalogue
from api.cli.database import check_current, is_current
from api.cli.output import Exit, Json, Output, reporting
from api.engine import open_engine
from api.gateways import redis_place
from api.heartbeat import worker_seen
from core.clock import SystemClock
from core.errors import PoligonError
from core.migration import DatabaseOutdatedError
from core.scenario.policy_file import PolicyInvalidError, read_policy
from core.settings import Settings, read_settings
from orchestrator.domain.addresses import AddressPoolExhaustedError, allocate
from orchestrator.domain.diagnosis import Finding, State, diagnose
from orchestrator.ports import EngineUnavailableError

_GIB = 1024**3
_TIGHT, _TOO_TIGHT = 5 * _GIB, _GIB
_TYPICAL_PREFIX = 28
_ANSWER_SECONDS = 1.0


def doctor(*, as_json: Json = False) -> None:
    """Look at everything that this site needs. Example: poligon doctor.

    Exits with 1 when something is broken.
    """
    with reporting(as_json=as_json) as output:
        findings = tuple(examine(read_settings()))
        output.data([asdict(finding) for finding in findings])
        _tell(output, findings)
        broken = any(finding.state is State.BROKEN for finding in findings)
        raise typer.Exit(Exit.ERROR if broken else Exit.OK)


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield what is found; nothing is changed."""
    for name, look in _LOOKS.items():
        try:
            yield from look(name, settings)
        except PoligonError as error:
            yield Finding(look=name, state=State.BROKEN, says=error.message, fix=error.hint)


def _engine(_name: str, settings: Settings) -> Iterator[Finding]:
    engine = open_engine(settings)
    yield from diagnose(engine.diagnose(), worlds_stand=bool(engine.standing()))


def _database(name: str, settings: Settings) -> Iterator[Finding]:
    embedded = not settings.database_url.get_secret_value()
    file = _file_of(settings)
    if embedded and not file.exists():
        says = f"the embedded database {file} is made at the first start"
        yield Finding(look=name, state=State.OK, says=says)
        return
    try:
        check_current(settings)
    except DatabaseOutdatedError as error:
        # The embedded one is upgraded at the next start.
        state = State.NOTE if embedded else State.BROKEN
        yield Finding(look=name, state=state, says=error.message, fix="poligon db upgrade")
        return
    yield Finding(look=name, state=State.OK, says="it answers and has the right shape")


def _file_of(settings: Settings) -> Path:
    """Return where the embedded database is."""
    return settings.home / "poligon.db"


def _addresses(name: str, settings: Settings) -> Iterator[Finding]:
    try:
        taken = open_engine(settings).taken_subnets()
    except EngineUnavailableError:
        return  # which is said already
    try:
        allocate(settings.address_pool, taken, [_TYPICAL_PREFIX])
    except AddressPoolExhaustedError as error:
        says = "the engine's host routes all of the address pool already"
        yield Finding(look=name, state=State.BROKEN, says=says, fix=error.hint)
        return
    overlaps = [str(n) for n in taken if any(n.overlaps(p) for p in settings.address_pool)]
    pool = ", ".join(map(str, settings.address_pool))
    busy = f", {len(overlaps)} of its subnets are taken and skipped" if overlaps else ""
    yield Finding(look=name, state=State.OK, says=f"the pool {pool} has room{busy}")


@contextmanager
def _opened(settings: Settings) -> Iterator[Services | None]:
    """Open the site; `None` when nothing is in it yet, or when another look says why it cannot."""
    is_begun = settings.database_url.get_secret_value() or _file_of(settings).exists()
    if not is_begun or not is_current(settings):
        yield None
        return
    try:
        services = open_services(settings)
    except PolicyInvalidError:
        yield None
        return
    try:
        yield services
    finally:
        services.close()


def _leftovers(name: str, settings: Settings) -> Iterator[Finding]:
    with _opened(settings) as services:
        if services is None:
            return
        try:
            left = services.janitor.left_over()
        except EngineUnavailableError:
            return  # which is said already
    if not left:
        says = "nothing of ours stands on the engine that no exercise knows"
        yield Finding(look=name, state=State.OK, says=says)
        return
    says = f"{len(left)} things of ours belong to no exercise, such as {left[0].name}"
    fix = "A running worker removes them within a minute; poligon down removes everything"
    yield Finding(look=name, state=State.NOTE, says=says, fix=fix)


def _ledgers(name: str, settings: Settings) -> Iterator[Finding]:
    with _opened(settings) as services:
        if services is None:
            return
        broken = services.proving.known_faults()
    for exercise, faults in broken.items():
        says = f"the ledger of {exercise} does not hold: {faults[0]}"
        fix = f"poligon score verify {exercise}"
        yield Finding(look=name, state=State.BROKEN, says=says, fix=fix)
    if not broken:
        yield Finding(look=name, state=State.OK, says="every ledger held when last looked through")


def _disk(name: str, settings: Settings) -> Iterator[Finding]:
    place = settings.home
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK):
        says = f"{place} cannot be written by this user"
        fix = "Set POLIGON_HOME to a folder that this user may write"
        yield Finding(look=name, state=State.BROKEN, says=says, fix=fix)
        return
    free = shutil.disk_usage(place).free
    yield Finding(
        look=name,
        state=State.BROKEN if free < _TOO_TIGHT else State.NOTE if free < _TIGHT else State.OK,
        says=f"{place} has {free / _GIB:.1f} GiB free",
        fix="Free some; images and recordings need room" if free < _TIGHT else "",
    )


def _ports(name: str, settings: Settings) -> Iterator[Finding]:
    yield _port(
        f"{name}: web",
        settings.http_host,
        settings.http_port,
        setting="POLIGON_HTTP_PORT",
        is_ours=_is_our_web,
    )
    yield _port(
        f"{name}: ssh",
        settings.ssh_host,
        settings.ssh_port,
        setting="POLIGON_SSH_PORT",
        is_ours=_is_our_ssh,
    )


def _port(
    look: str, host: str, port: int, *, setting: str, is_ours: Callable[[bytes], bool]
) -> Finding:
    said = _said_at(host, port)
    if said is None:
        return Finding(look=look, state=State.OK, says=f"port {port} is free; nobody serves there")
    if is_ours(said):
        return Finding(look=look, state=State.OK, says=f"this service answers at port {port}")
    return Finding(
        look=look,
        state=State.BROKEN,
        says=f"another program listens at port {port} of {host}",
        fix=f"Stop it, or set {setting}",
    )


def _said_at(host: str, port: int) -> bytes | None:
    """Return what a server at a port says to an HTTP request; `None` when nobody listens."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # a key, no bind
    try:
        with socket.create_connection((reached, port), timeout=_ANSWER_SECONDS) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            return connection.recv(4096)
    except TimeoutError:
        return b""
    except OSError:
        return None


def _is_our_web(said: bytes) -> bool:
    return b"x-request-id" in said.lower()


def _is_our_ssh(said: bytes) -> bool:
    return said.startswith(b"SSH-2.0-cyberpoligon")


def _broker(name: str, settings: Settings) -> Iterator[Finding]:
    place = Path(settings.effective_terminal_engine().removeprefix("unix://"))
    if not place.parent.exists():
        return  # there was none yet, or it is another container's
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            connection.connect(str(place))
    except OSError as error:
        yield Finding(
            look=name,
            state=State.NOTE,
            says=f"nobody enters a host: no broker listens at {place} ({error.strerror or error})",
            fix="poligon serve --all, or poligon broker beside a gateway of its own",
        )
        return
    yield Finding(look=name, state=State.OK, says=f"a broker listens at {place}")


def _redis(name: str, settings: Settings) -> Iterator[Finding]:
    place = redis_place(settings)
    if place is None:
        return  # gateways of one machine need none
    there = asyncio.run(place.presences())
    says = f"it answers; gateways that are found there: {len(there)}"
    yield Finding(look=name, state=State.OK, says=says)


def _policy(name: str, settings: Settings) -> Iterator[Finding]:
    lines = len(read_policy(settings.policy).allow)
    says = f"{settings.policy} can be read; permissions in it: {lines}"
    if settings.policy is None:
        says = "there is none: what only the site decides is refused, and there is no quota"
    yield Finding(look=name, state=State.OK, says=says)


def _lrs(name: str, settings: Settings) -> Iterator[Finding]:
    if not settings.lrs_url:
        return  # nobody is told anything
    with _opened(settings) as services:
        if services is None:
            return
        found = services.outbox.status()
    counts = ", ".join(f"{count} {state}" for state, count in found.counts.items())
    wrong = found.problem or found.refused
    yield Finding(
        look=name,
        state=State.NOTE if wrong else State.OK,
        says=f"results for {settings.lrs_url}: {counts}{'; ' if wrong else ''}{wrong}",
        fix="poligon lrs status" if wrong else "",
    )


def _scenarios(name: str, settings: Settings) -> Iterator[Finding]:
    try:
        offers = Catalogue(settings.scenarios, read_policy(settings.policy)).offers()
    except PolicyInvalidError:
        return  # which is said already
    if not offers:
        yield Finding(
            look=name,
            state=State.NOTE,
            says=f"there is no scenario in {settings.scenarios}",
            fix="Set POLIGON_SCENARIOS to a folder with scenarios in it",
        )
        return
    yield Finding(
        look=name,
        state=State.OK,
        says=f"{settings.scenarios} has {', '.join(o.id for o in offers)}",
    )
    for offer in offers:
        if offer.loaded is None:
            folder = Path(settings.scenarios) / offer.id
            yield Finding(
                look=name,
                state=State.NOTE,
                says=f"{offer.id} cannot be launched: {offer.problems[0]}",
                fix=f"poligon scenario lint {folder}",
            )


def _worker(name: str, settings: Settings) -> Iterator[Finding]:
    if worker_seen(settings, SystemClock().now()):
        yield Finding(look=name, state=State.OK, says="a worker was seen within 15 s")
        return
    yield Finding(
        look=name,
        state=State.NOTE,
        says="no worker was seen within 15 s; launches wait for one",
        fix="poligon serve --all",
    )


_LOOKS: dict[str, Callable[[str, Settings], Iterator[Finding]]] = {
    "engine": _engine,
    "policy": _policy,
    "database": _database,
    "addresses": _addresses,
    "leftovers": _leftovers,
    "ledgers": _ledgers,
    "disk": _disk,
    "ports": _ports,
    "scenarios": _scenarios,
    "worker": _worker,
    "broker": _broker,
    "redis": _redis,
    "lrs": _lrs,
}


def _tell(output: Output, findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        output.line(f"{finding.state:6}  {finding.look}: {finding.says}")
        if finding.fix and finding.state is not State.OK:
            output.line(f"        → {finding.fix}")
