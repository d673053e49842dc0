"""Talks with servers of a team: a client in a process of its own, joined with the team's network.

The server may say anything, for ever, or nothing: what reads it can be ended, and holds nothing.
"""

import signal
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from orchestrator.domain.world import HostKey
from orchestrator.ports import RangeEngine, RelayEnd
from scoring.checks.client import FINDINGS
from scoring.checks.probes import Finding, ServerProbe, SmtpProbe, SqlProbe, SshProbe
from scoring.domain.verdicts import Verdict

_CLIENTS: dict[type, str] = {SmtpProbe: "smtp", SshProbe: "ssh", SqlProbe: "sql"}
_CODE = Path(__file__).parents[2]
_PROBES: TypeAdapter[ServerProbe] = TypeAdapter(ServerProbe)
# How long a client may take to end once its connection is closed: a busy machine holds it up, too.
_GRACE_SECONDS = 10.0
_LAST_WORDS = 1000


def talk(engine: RangeEngine, host: HostKey, probe: ServerProbe, *, timeout: timedelta) -> Finding:
    """Return what a client beside the host found; raises what the engine raises."""
    ours, theirs = socket.socketpair()
    with ours, theirs, _client(probe, theirs) as client:
        theirs.close()
        try:
            server = probe.server
            how = engine.relay(host, server.address, server.port, ours, timeout=timeout)
            return _finding(client, how, probe, timeout)
        finally:
            client.kill()


def _client(probe: ServerProbe, connection: socket.socket) -> subprocess.Popen[bytes]:
    number = connection.fileno()
    client = subprocess.Popen(
        [sys.executable, "-m", f"scoring.checks.{_CLIENTS[type(probe)]}", str(number)],
        cwd=_CODE,
        env={},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[number],
    )
    assert client.stdin is not None
    with client.stdin:
        client.stdin.write(_PROBES.dump_json(probe))
    client.stdin = None
    return client


def _finding(
    client: subprocess.Popen[bytes], how: RelayEnd, probe: ServerProbe, timeout: timedelta
) -> Finding:
    said, errors = _last_words(client)
    if client.returncode > 0 or client.returncode == -signal.SIGKILL:
        return Finding(verdict=Verdict.INFRA_ERROR, output=errors.decode(errors="replace"))
    where = f"{probe.server.address} port {probe.server.port}"
    match how:
        case RelayEnd.NO_ANSWER:
            return Finding(verdict=Verdict.DOWN, output=f"nobody answers at {where}")
        case RelayEnd.LATE:
            late = f"{where} was not done within {timeout.total_seconds():g} s"
            return Finding(verdict=Verdict.DOWN, output=late)
        case RelayEnd.FLOODED:
            return Finding(verdict=Verdict.MUMBLE, output=f"{where} says more than 4 MiB")
        case RelayEnd.CLOSED:
            return _written(said, f"what {where} says was too much for a client of it")


def _last_words(client: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Return what the client printed, and the end of its errors; nothing when it is stuck."""
    try:
        said, errors = client.communicate(timeout=_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        client.terminate()
        client.communicate()
        return b"", b""
    return said, errors[-_LAST_WORDS:]


def _written(said: bytes, otherwise: str) -> Finding:
    try:
        return FINDINGS.validate_json(said)
    except ValidationError:
        return Finding(verdict=Verdict.MUMBLE, output=otherwise)
