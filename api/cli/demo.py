"""`poligon demo`: a whole site in a folder of its own, with the starter exercise for two teams.

It uses what it shows: the service is `poligon serve --all`, the exercise is launched over HTTP.
Afterwards nothing of it is left, and the check says so by looking.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import httpx
import typer
from pydantic import SecretStr

from api.access import gateway_key
from api.bootstrap import open_services
from api.cli.output import Output, reporting
from api.engine import open_engine
from api.journey.people import JourneyFailedError, expect
from api.journey.play import SCENARIO, Journey, Stage
from core.settings import Settings, read_settings
from core.users.model import Role
from core.waiting import WaitedTooLongError, until
from orchestrator.ports import RangeEngine

_STARTS_WITHIN = timedelta(seconds=60)
_STOPS_WITHIN_SECONDS = 40
_PORTS_TO_TRY = 50


def demo(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Play it as users would, then remove it.")
    ] = False,
) -> None:
    """Run the starter exercise for two teams, and say how to get in."""
    with reporting() as output:
        settings = _settings(read_settings())
        engine = open_engine(settings)
        engine.info()
        volumes = engine.nameless_volumes()
        _remove(settings, engine)  # what a demo left that was killed
        try:
            with _service(settings, output) as service, _stage(settings) as stage:
                _play(stage, output) if check else _show(stage, settings, output)
        finally:
            _remove(settings, engine)
        _expect_nothing_left(engine, volumes, service)
        output.line("Nothing is left: no container, network, volume or process.")


def _settings(site: Settings) -> Settings:
    """Return the site's settings for a demo beside it: own folder, own label, free ports."""
    return site.model_copy(
        update={
            "home": site.home / "demo",
            "installation": f"{site.installation[:16]}-demo",
            "database_url": SecretStr(""),
            "broker_url": SecretStr(""),
            "scenarios": Path(__file__).parents[2] / "scenarios",
            "http_port": _free_port(site.http_host, site.http_port),
            "ssh_port": _free_port(site.ssh_host, site.ssh_port),
        }
    )


def _free_port(host: str, first: int) -> int:
    """Return `first`, or the next port that nobody listens on."""
    for port in range(first, first + _PORTS_TO_TRY):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
            except OSError:
                continue
            return port
    raise JourneyFailedError(
        f"no port from {first} to {first + _PORTS_TO_TRY - 1} is free on {host}",
        hint="Set POLIGON_HTTP_PORT and POLIGON_SSH_PORT",
    )


@contextmanager
def _service(settings: Settings, output: Output) -> Iterator[subprocess.Popen[bytes]]:
    """Run `poligon serve --all` with these settings; its log is in the demo's folder."""
    settings.home.mkdir(parents=True)
    log = settings.home / "service.log"
    command = [sys.executable, "-m", "api.cli.main", "serve", "--all"]
    with log.open("wb") as sink:
        service = subprocess.Popen(
            [*command, "--supervised-by", str(os.getpid())],
            env=_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,  # Ctrl-C is ours; the service is then ended in order
        )
    try:
        _await_service(service, settings, log)
        output.note(f"the service is up (its log: {log})")
        yield service
    except (JourneyFailedError, WaitedTooLongError):
        output.note(f"the end of the service's log:\n{_tail(log)}")
        raise
    finally:
        service.terminate()
        try:
            service.wait(_STOPS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(service.pid, signal.SIGKILL)
            service.wait()


def _environment(settings: Settings) -> dict[str, str]:
    ours = {
        "POLIGON_HOME": str(settings.home),
        "POLIGON_INSTALLATION": settings.installation,
        "POLIGON_DATABASE_URL": "",
        "POLIGON_BROKER_URL": "",
        "POLIGON_SCENARIOS": str(settings.scenarios),
        "POLIGON_HTTP_PORT": str(settings.http_port),
        "POLIGON_SSH_PORT": str(settings.ssh_port),
    }
    return {**os.environ, **ours}  # noqa: TID251  # handed on to the service as it is


def _await_service(service: subprocess.Popen[bytes], settings: Settings, log: Path) -> None:
    url = f"http://{settings.http_host}:{settings.http_port}/readyz"

    def is_up() -> bool:
        if service.poll() is not None:
            raise JourneyFailedError(f"the service ended with {service.returncode}")
        try:
            return httpx.get(url, timeout=2).is_success and _listens(settings)
        except httpx.TransportError:
            return False

    until(
        is_up, what="the service to be ready", within=_STARTS_WITHIN, last_seen=lambda: _tail(log)
    )


def _listens(settings: Settings) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((settings.ssh_host, settings.ssh_port)) == 0


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-30:])


@contextmanager
def _stage(settings: Settings) -> Iterator[Stage]:
    """Add the people who run the demo, and a folder for keys."""
    people = {"instructor": Role.INSTRUCTOR, "staff": Role.STAFF}
    passwords = {name: secrets.token_urlsafe(9) for name in people}
    services = open_services(settings)
    for name, role in people.items():
        services.users.add(name, role=role, password=passwords[name])
    services.close()
    keys = settings.home / "keys"
    keys.mkdir(mode=0o700)
    yield Stage(
        base_url=f"http://{settings.public_host}:{settings.http_port}",
        instructor=("instructor", passwords["instructor"]),
        staff=("staff", passwords["staff"]),
        solution=settings.scenarios / SCENARIO / "solution",
        folder=keys,
    )


def _play(stage: Stage, output: Output) -> None:
    Journey(stage, lambda text: output.line(f"✓ {text}" if text[0] != " " else text)).play()


def _show(stage: Stage, settings: Settings, output: Output) -> None:
    journey = Journey(stage, output.note)
    journey.launch()
    journey.start()
    logins = journey.issue_logins()
    output.line(f"\nCyberpoligon runs at {stage.base_url}\n")
    rows = [["instructor", *stage.instructor], ["staff", *stage.staff]]
    rows += [[login["team"], login["user"], login["password"]] for login in logins]
    output.table("Logins", ["who", "name", "password"], rows)
    output.line("\nA trainee gets in with the same name and password:")
    for login in logins:
        output.line(f"  ssh -p {settings.ssh_port} {login['user']}@{settings.public_host}")
    if (key := gateway_key(settings)) is not None:
        output.line(f"\nThe server's fingerprint, about which ssh asks at first: {key.fingerprint}")
        output.line(f"For ~/.ssh/known_hosts, so that it does not ask: {key.known_hosts}")
    output.line("\nCtrl-C takes everything down.")
    _await_goodbye()
    output.line("\nTaking everything down …")


def _await_goodbye() -> None:
    """Return when somebody presses Ctrl-C, ends this process or closes its terminal."""
    goodbye = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: goodbye.set())
    goodbye.wait()


def _remove(settings: Settings, engine: RangeEngine) -> None:
    engine.remove_everything()
    shutil.rmtree(settings.home, ignore_errors=True)


def _expect_nothing_left(
    engine: RangeEngine, volumes: frozenset[str], service: subprocess.Popen[bytes]
) -> None:
    left = engine.remaining()
    expect(not left, "no container, network or image of the demo to be left", ", ".join(left))
    more = engine.nameless_volumes() - volumes
    expect(not more, "no volume to be left", ", ".join(more))
    members = _session(service.pid)
    expect(not members, "no process of the service to be left", members)


def _session(leader: int) -> list[int]:
    """Return the living processes of the session that `leader` began, from /proc."""
    members = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            # The name in brackets may hold anything; the fields after it are fixed (proc(5)).
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            members.append(int(entry.name))
    return members
