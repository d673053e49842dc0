"""Clients of servers, against servers of a test: well-behaved ones, and hostile ones."""

import socket
import struct
import threading
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network

import paramiko
import pytest
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL

from core.errors import PoligonError
from core.ids import ExerciseId
from orchestrator.domain.world import Attachment, HostPlan, NetworkPlan, WorldKey
from orchestrator.ports import EngineRefusedError, EngineUnavailableError, RelayEnd
from scoring.checks import talking
from scoring.checks.prober import Prober
from scoring.checks.probes import (
    Finding,
    Look,
    Server,
    ServerProbe,
    SmtpProbe,
    SqlProbe,
    SshProbe,
)
from scoring.domain.verdicts import Verdict
from tests.fakes.fake_engine import BASE_IMAGE, FakeEngine, Program

WORLD = WorldKey(exercise=ExerciseId("ex"), team="team-1")
MAIL = Server(address=IPv4Address("10.9.1.3"), port=25)
SMTP = SmtpProbe(
    server=MAIL,
    tls="none",
    user=None,
    password=None,
    sender=None,
    recipient=None,
    accepted=True,
)
ENVELOPE = replace(SMTP, sender="a@office.test", recipient="b@office.test")
SSH = SshProbe(server=MAIL, user="keeper", password="right", accepted=True)
POSTGRESQL = SqlProbe(
    server=MAIL,
    engine="postgresql",
    user="app",
    password="right",
    database="shop",
    accepted=True,
    query=None,
    rows=None,
    contains=None,
)
MYSQL = replace(POSTGRESQL, engine="mysql")
OF_EACH_KIND = {"smtp": SMTP, "ssh": SSH, "postgresql": POSTGRESQL, "mysql": MYSQL}


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    subnet = IPv4Network("10.9.1.0/28")
    engine.raise_network(WORLD, NetworkPlan(network="office", subnet=subnet))
    attachment = Attachment(network="office", address=subnet[2])
    engine.raise_host(WORLD, HostPlan(host="desk", image=BASE_IMAGE, attachments=(attachment,)))
    return engine


def found(
    engine: FakeEngine, probe: ServerProbe, program: Program | None = None, *, seconds: float = 20
) -> Finding:
    if program is not None:
        engine.programs[MAIL.address, MAIL.port] = program
    look = Look(host="desk", probe=probe, timeout=timedelta(seconds=seconds))
    return Prober(engine).look(WORLD, look)


# Mail


def mail_server(answers: dict[bytes, bytes], greeting: bytes = b"220 mail.test ESMTP") -> Program:
    """Return a server that answers commands by their first word, 250 to any other."""

    def program(end: socket.socket) -> None:
        end.sendall(greeting + b"\r\n")
        with end.makefile("rb") as lines:
            for line in lines:
                word = line.split()[0].lower()
                end.sendall(answers.get(word, b"250 fine") + b"\r\n")

    return program


@pytest.mark.parametrize(
    ("probe", "answers", "verdict"),
    [
        (SMTP, {}, Verdict.UP),
        (ENVELOPE, {}, Verdict.UP),
        (ENVELOPE, {b"rcpt": b"554 relay access denied"}, Verdict.MUMBLE),
        (ENVELOPE, {b"mail": b"550 not you"}, Verdict.MUMBLE),
        (replace(ENVELOPE, accepted=False), {b"rcpt": b"554 relay access denied"}, Verdict.UP),
        (replace(ENVELOPE, accepted=False), {b"mail": b"450 later"}, Verdict.UP),
        (replace(ENVELOPE, accepted=False), {}, Verdict.MUMBLE),
        (replace(ENVELOPE, accepted=False), {b"rcpt": b"421 closing"}, Verdict.MUMBLE),
        (replace(SMTP, tls="starttls"), {}, Verdict.MUMBLE),  # not offered
        (replace(ENVELOPE, user="a", password="b"), {b"auth": b"235 in"}, Verdict.MUMBLE),
        (
            replace(ENVELOPE, user="a", password="b"),
            {b"ehlo": b"250-mail\r\n250 AUTH PLAIN", b"auth": b"235 in"},
            Verdict.UP,
        ),
        (
            replace(ENVELOPE, user="a", password="b"),
            {b"ehlo": b"250-mail\r\n250 AUTH PLAIN", b"auth": b"535 wrong"},
            Verdict.MUMBLE,
        ),
    ],
)
def test_a_mail_server_passes_when_it_says_what_is_wanted(
    engine: FakeEngine, probe: SmtpProbe, answers: dict[bytes, bytes], verdict: Verdict
) -> None:
    finding = found(engine, probe, mail_server(answers))
    assert finding.verdict is verdict, finding.output


def test_a_mail_server_that_greets_wrongly_mumbles(engine: FakeEngine) -> None:
    finding = found(engine, SMTP, mail_server({}, greeting=b"554 no service"))
    assert finding == Finding(verdict=Verdict.MUMBLE, output="554 no service")


def test_no_mail_is_ever_sent(engine: FakeEngine) -> None:
    words: list[bytes] = []

    def program(end: socket.socket) -> None:
        end.sendall(b"220 mail.test\r\n")
        with end.makefile("rb") as lines:
            for line in lines:
                words.append(line.split()[0].lower())
                end.sendall(b"250 fine\r\n")

    assert found(engine, ENVELOPE, program).verdict is Verdict.UP
    assert words == [b"ehlo", b"mail", b"rcpt"]


# SSH


class Door(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        is_right = (username, password) == ("keeper", "right")
        return AUTH_SUCCESSFUL if is_right else AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"


HOST_KEY = paramiko.RSAKey.generate(2048)


def ssh_server(end: socket.socket) -> None:
    # Paramiko closes the socket that it is given.
    transport = paramiko.Transport(end.dup())
    transport.add_server_key(HOST_KEY)
    transport.start_server(event=threading.Event(), server=Door())
    transport.join(30)


@pytest.mark.parametrize(
    ("probe", "verdict"),
    [
        (SSH, Verdict.UP),
        (replace(SSH, user=None, password=None), Verdict.UP),
        (replace(SSH, password="wrong"), Verdict.MUMBLE),
        (replace(SSH, accepted=False), Verdict.MUMBLE),
        (replace(SSH, password="wrong", accepted=False), Verdict.UP),
    ],
)
def test_a_login_passes_when_it_is_accepted_or_refused_as_wanted(
    engine: FakeEngine, probe: SshProbe, verdict: Verdict
) -> None:
    finding = found(engine, probe, ssh_server)
    assert finding.verdict is verdict, finding.output


# Databases


def message(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!i", len(content) + 4) + content


def decline_tls(end: socket.socket) -> None:
    end.recv(8)
    end.sendall(b"N")
    end.recv(1000)


def postgresql_server(answer: bytes) -> Program:
    """Return a server that asks for no password and then answers anything with `answer`."""

    def program(end: socket.socket) -> None:
        decline_tls(end)
        end.sendall(answer)
        while end.recv(1000):
            end.sendall(
                message(b"T", b"\0\1name\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0))
                + message(b"D", struct.pack("!hi", 1, 5) + b"Marta")
                + message(b"C", b"SELECT 1\0")
                + message(b"Z", b"I")
            )

    return program


LET_IN = message(b"R", struct.pack("!i", 0)) + message(b"Z", b"I")
WRONG_PASSWORD = message(b"E", b"SFATAL\0C28P01\0Mpassword authentication failed\0\0")
STARTING = message(b"E", b"SFATAL\0C57P03\0Mthe database system is starting up\0\0")


@pytest.mark.parametrize(
    ("wanted", "answer", "verdict"),
    [
        ({}, LET_IN, Verdict.UP),
        ({}, WRONG_PASSWORD, Verdict.MUMBLE),
        ({"accepted": False}, WRONG_PASSWORD, Verdict.UP),
        ({"accepted": False}, LET_IN, Verdict.MUMBLE),
        ({"accepted": False}, STARTING, Verdict.MUMBLE),
        ({"query": "select name from people"}, LET_IN, Verdict.UP),
        ({"query": "select '12:30'", "rows": 1, "contains": "Mart"}, LET_IN, Verdict.UP),
        ({"query": "select name from people", "rows": 2}, LET_IN, Verdict.MUMBLE),
        ({"query": "select name from people", "contains": "Jana"}, LET_IN, Verdict.MUMBLE),
    ],
)
def test_a_database_passes_when_its_answer_is_wanted(
    engine: FakeEngine, wanted: dict[str, object], answer: bytes, verdict: Verdict
) -> None:
    probe = replace(POSTGRESQL, **wanted)  # type: ignore[arg-type]
    finding = found(engine, probe, postgresql_server(answer))
    assert finding.verdict is verdict, finding.output


def mysql_refusal(number: int) -> Program:
    def program(end: socket.socket) -> None:
        words = b"\xff" + struct.pack("<H", number) + b"#28000Access denied"
        end.sendall(struct.pack("<I", len(words))[:3] + b"\0" + words)
        end.recv(1000)

    return program


@pytest.mark.parametrize(("number", "verdict"), [(1045, Verdict.UP), (1040, Verdict.MUMBLE)])
def test_only_a_refusal_of_the_user_is_one(
    engine: FakeEngine, number: int, verdict: Verdict
) -> None:
    finding = found(engine, replace(MYSQL, accepted=False), mysql_refusal(number))
    assert finding.verdict is verdict, finding.output


# Whatever a server does


def hang_up(end: socket.socket) -> None:
    end.shutdown(socket.SHUT_RDWR)


def say_nothing(end: socket.socket) -> None:
    while end.recv(1000):
        pass


def talk_for_ever(end: socket.socket) -> RelayEnd:
    for _ in range(64):
        end.sendall(b"220-" + b"x" * 60_000 + b"\r\n")
    return RelayEnd.FLOODED


def say(words: bytes) -> Program:
    def program(end: socket.socket) -> None:
        end.sendall(words)
        say_nothing(end)

    return program


@pytest.mark.parametrize("probe", OF_EACH_KIND.values(), ids=OF_EACH_KIND)
@pytest.mark.parametrize(
    ("program", "verdicts"),
    [
        (None, {Verdict.DOWN}),
        (hang_up, {Verdict.MUMBLE}),
        (say_nothing, {Verdict.DOWN}),
        (talk_for_ever, {Verdict.MUMBLE}),
        # What is no answer at all in one protocol may be the beginning of one in another.
        (say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), {Verdict.MUMBLE, Verdict.DOWN}),
        (say(bytes(range(256)) * 16), {Verdict.MUMBLE, Verdict.DOWN}),
        (say(b"\xff" * 5000), {Verdict.MUMBLE, Verdict.DOWN}),
    ],
)
def test_no_server_passes_by_mistake_or_makes_its_failure_ours(
    engine: FakeEngine, probe: ServerProbe, program: Program | None, verdicts: set[Verdict]
) -> None:
    # Only who waits for silence waits to the end, and a busy machine reads slowly.
    seconds = 2 if Verdict.DOWN in verdicts else 30
    finding = found(engine, probe, program, seconds=seconds)
    assert finding.verdict in verdicts, finding.output


def test_a_client_that_is_kept_busy_is_ended(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talking, "_GRACE_SECONDS", 1)

    # SCRAM lets the server say how often a password is hashed.
    def program(end: socket.socket) -> None:
        decline_tls(end)
        end.sendall(message(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0"))
        nonce = end.recv(1000).partition(b"r=")[2]
        hard = b"r=" + nonce + b"x,s=c2FsdHNhbHRzYWx0c2FsdA==,i=10000000"
        end.sendall(message(b"R", struct.pack("!i", 11) + hard))
        say_nothing(end)

    finding = found(engine, POSTGRESQL, program, seconds=2)
    assert finding.verdict is Verdict.DOWN, finding.output


@pytest.mark.parametrize("probe", OF_EACH_KIND.values(), ids=OF_EACH_KIND)
@pytest.mark.parametrize(
    "error", [EngineUnavailableError("gone"), EngineRefusedError("the prober ended with 137")]
)
def test_whatever_the_engine_cannot_do_is_our_fault(
    engine: FakeEngine, probe: ServerProbe, error: PoligonError
) -> None:
    engine.fail("relay", error)
    assert found(engine, probe).verdict is Verdict.INFRA_ERROR


def test_a_client_that_does_not_start_is_our_fault(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(talking._CLIENTS, SmtpProbe, "no_such_module")
    finding = found(engine, SMTP, mail_server({}))
    assert finding.verdict is Verdict.INFRA_ERROR
    assert "no_such_module" in finding.output


def test_a_host_that_its_team_ended_is_down(engine: FakeEngine) -> None:
    attachment = Attachment(network="office", address=IPv4Address("10.9.1.4"))
    engine.raise_host(WORLD, HostPlan(host="other", image=BASE_IMAGE, attachments=(attachment,)))
    engine.end_host(WORLD.host("desk"))
    assert found(engine, SMTP).verdict is Verdict.DOWN


def test_what_a_server_says_can_be_stored(engine: FakeEngine) -> None:
    greeting = b"554 \xff\0" + "č".encode() + b"x" * 8000
    output = found(engine, SMTP, mail_server({}, greeting=greeting)).output
    assert "\0" not in output
    assert len(output) <= 4000
