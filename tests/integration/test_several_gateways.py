"""Several gateway processes on one port."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import paramiko
import pytest

from api.bootstrap import open_services
from core import waiting
from core.migration import upgrade
from core.settings import Settings
from core.users.model import Role
from tests.fakes.patient_transport import PatientTransport
from tests.fakes.worker_site import cli_after
from tests.ports import free_port

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(300)]

PASSWORD = "correct-horse"
LOGINS = 16
SOON = timedelta(seconds=60)
# A command that waits for gateways' answers as long as a busy machine takes.
PATIENT = cli_after("from orchestrator.gateway import inner_line; inner_line._ANSWER_SECONDS = 60")


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path, ssh_port=free_port(), gateways=2)
    upgrade(settings.effective_database_url())
    services = open_services(settings)
    services.users.add("ana", role=Role.TRAINEE, password=PASSWORD)
    services.close()
    return settings


def environment_of(site: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "POLIGON_HOME": str(site.home),
        "POLIGON_SSH_PORT": str(site.ssh_port),
        "POLIGON_GATEWAYS": str(site.gateways),
        "POLIGON_LOG_JSON": "true",
    }


def poligon_gateway(site: Settings, *arguments: str, as_json: bool = True) -> str:
    """Return what a command of `poligon gateway` prints."""
    line = [*PATIENT, "gateway", *arguments]
    line += ["--json"] if as_json else []
    ended = subprocess.run(
        line, env=environment_of(site), stdout=subprocess.PIPE, text=True, check=True
    )
    return ended.stdout


def connections(site: Settings) -> dict[str, int]:
    """Return how many each gateway has, by its name."""
    status = json.loads(poligon_gateway(site, "status"))
    return {facts["name"]: facts["connections"] for facts in status}


def listed(site: Settings) -> set[str]:
    """Return the first words of the lines that people are shown."""
    lines = poligon_gateway(site, "status", as_json=False).splitlines()
    return {line.partition(" ")[0] for line in lines}


@contextmanager
def a_gateway(site: Settings, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a gateway process that logs to a file."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli.main", "gateway"],
            env=environment_of(site),
            stdout=file,
            stderr=file,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def told(log: Path) -> list[dict[str, str]]:
    """Return what a gateway has logged; the last line may be half-written."""
    lines = log.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]


def events(log: Path, event: str) -> int:
    return sum(line["event"] == event for line in told(log))


def opened(log: Path) -> str:
    """Return the name of a gateway, from its log."""
    return Path(
        next(line["path"] for line in told(log) if "inner_door.opened" in line["event"])
    ).stem


def logged_in(site: Settings) -> tuple[paramiko.SSHClient, str]:
    """Return a client that is in, and the fingerprint of the key that it saw."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(
        "127.0.0.1", site.ssh_port, "ana", PASSWORD, allow_agent=False, look_for_keys=False,
        transport_factory=PatientTransport,
    )  # fmt: skip
    transport = client.get_transport()
    assert transport
    return client, transport.get_remote_server_key().fingerprint


def test_two_gateways_share_a_port_and_a_key_and_one_serves_on_alone(
    site: Settings, tmp_path: Path
) -> None:
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    with ExitStack() as held:
        gateways = [held.enter_context(a_gateway(site, log)) for log in logs]
        waiting.until(
            lambda: all(events(log, "gateway.started") for log in logs),
            what="both gateways",
            within=SOON,
        )
        clients = [logged_in(site) for _ in range(LOGINS)]
        assert len({fingerprint for _, fingerprint in clients}) == 1
        waiting.until(
            lambda: sum(events(log, "login.accepted") for log in logs) == LOGINS,
            what="every login in the logs",
            within=SOON,
        )
        accepted = [events(log, "login.accepted") for log in logs]
        assert all(accepted), "each took some"
        named = {log: opened(log) for log in logs}
        waiting.until(
            lambda: connections(site) == dict(zip(named.values(), accepted, strict=True)),
            what="each gateway's connections in its status",
            within=SOON,
        )
        for client, _ in clients:
            client.close()
        waiting.until(
            lambda: listed(site) == {*named.values(), "all"},
            what="a line for each gateway and one for all",
            within=SOON,
        )
        drained = poligon_gateway(site, "drain", named[logs[0]], "--within", "1h")
        assert json.loads(drained)["gateways"] == [named[logs[0]]]
        assert gateways[0].wait(timeout=60) == 0, "nobody was inside"
        logged_in(site)[0].close()
        waiting.until(
            lambda: events(logs[1], "login.accepted") == accepted[1] + 1,
            what="the login at the other",
            within=SOON,
        )
