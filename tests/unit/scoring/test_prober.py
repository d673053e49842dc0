from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network

import pytest

from core.errors import PoligonError
from core.ids import ExerciseId
from orchestrator.domain.world import Attachment, HostKey, HostPlan, NetworkPlan, WorldKey
from orchestrator.ports import (
    EngineRefusedError,
    EngineUnavailableError,
    ImageBuildFailedError,
    UnknownImageError,
)
from scoring.checks.prober import TRUSTING, Prober
from scoring.checks.probes import (
    CommandProbe,
    DnsProbe,
    HttpProbe,
    Look,
    OwnPortProbe,
    PeerPortProbe,
    Probe,
)
from scoring.domain.verdicts import Verdict
from tests.fakes.fake_engine import BASE_IMAGE, FakeEngine
from tests.fakes.scoring_stage import CURL, NETCAT, PAGE

WORLD = WorldKey(exercise=ExerciseId("ex"), team="team-1")
PAGE_PROBE = HttpProbe(
    url="http://office/", method="GET", status=200, contains="Notice", verify=True
)
PORT_PROBE = PeerPortProbe(address=IPv4Address("10.9.1.3"), port=25)


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    subnet = IPv4Network("10.9.1.0/28")
    engine.raise_network(WORLD, NetworkPlan(network="office", subnet=subnet))
    for place, host in enumerate(("desk", "office"), start=2):
        attachment = Attachment(network="office", address=subnet[place])
        engine.raise_host(WORLD, HostPlan(host=host, image=BASE_IMAGE, attachments=(attachment,)))
    return engine


def seen(engine: FakeEngine, probe: Probe, *, host: str = "desk") -> Verdict:
    look = Look(host=host, probe=probe, timeout=timedelta(seconds=5))
    return Prober(engine).look(WORLD, look).verdict


@pytest.mark.parametrize(
    ("exit_code", "verdict"),
    [
        (0, Verdict.UP),
        (1, Verdict.DOWN),
        (124, Verdict.DOWN),  # the team owns what is inside, also what hangs
        (127, Verdict.DOWN),  # or is no longer there
    ],
)
def test_a_command_passes_when_it_exits_with_0(
    engine: FakeEngine, exit_code: int, verdict: Verdict
) -> None:
    engine.answer(("shut",), exit_code=exit_code)
    assert seen(engine, CommandProbe(command=("shut",)), host="office") is verdict


def test_a_hosts_own_port_passes_when_it_accepts(engine: FakeEngine) -> None:
    assert seen(engine, OwnPortProbe(port=22), host="office") is Verdict.DOWN
    engine.hosts[HostKey(world=WORLD, host="office")].listening.add(22)
    assert seen(engine, OwnPortProbe(port=22), host="office") is Verdict.UP


@pytest.mark.parametrize(
    ("answer", "output", "exit_code", "verdict"),
    [
        (None, "10.9.1.9\n", 0, Verdict.UP),
        (None, "", 0, Verdict.MUMBLE),  # no such name, or the server failed
        ("10.9.1.9", "10.9.1.8\n10.9.1.9\n", 0, Verdict.UP),
        ("10.9.1.9", "10.9.1.90\n", 0, Verdict.MUMBLE),
        ("WWW.office.test", "www.office.test.\n", 0, Verdict.UP),
        ("v=spf1 -all", '"v=spf1 -all"\n', 0, Verdict.UP),
        (None, ";; communications error to 10.9.1.3#53: timed out\n", 9, Verdict.DOWN),
        (None, "", 10, Verdict.INFRA_ERROR),
        (None, "", 124, Verdict.INFRA_ERROR),
        (None, "", 127, Verdict.INFRA_ERROR),
    ],
)
def test_a_dns_server_passes_when_one_of_its_records_is_wanted(
    engine: FakeEngine, answer: str | None, output: str, exit_code: int, verdict: Verdict
) -> None:
    engine.answer(
        (
            *("dig", "@10.9.1.3", "-q", "office.test", "-t", "A"),
            *("+short", "+tries=1", "+time=5", "+norecurse"),
        ),
        exit_code=exit_code,
        output=output,
    )
    probe = DnsProbe(server=IPv4Address("10.9.1.3"), name="office.test", type="A", answer=answer)
    assert seen(engine, probe) is verdict


@pytest.mark.parametrize(
    ("exit_code", "verdict"),
    [(0, Verdict.UP), (1, Verdict.DOWN), (124, Verdict.INFRA_ERROR), (127, Verdict.INFRA_ERROR)],
)
def test_a_peers_port_is_tried_from_a_prober(
    engine: FakeEngine, exit_code: int, verdict: Verdict
) -> None:
    engine.answer((*NETCAT, "10.9.1.3", "25"), exit_code=exit_code)
    assert seen(engine, PORT_PROBE) is verdict


@pytest.mark.parametrize(
    ("exit_code", "output", "verdict"),
    [
        (0, PAGE, Verdict.UP),
        (0, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + PAGE, Verdict.UP),
        (23, PAGE + "x" * 60_000, Verdict.UP),
        (0, "HTTP/2 200\r\n\r\nNotice board", Verdict.UP),
        (0, "HTTP/1.1 200 OK\r\n\r\nDefaced", Verdict.MUMBLE),
        (0, "HTTP/1.1 200 OK\r\nX: Notice\r\n\r\nDefaced", Verdict.MUMBLE),
        (0, PAGE.replace("200 OK", "302 Found"), Verdict.MUMBLE),
        (0, "HTTP/1.1 103 Early Hints", Verdict.MUMBLE),
        (0, "", Verdict.MUMBLE),
        (7, "curl: (7) Failed to connect", Verdict.DOWN),
        (28, "curl: (28) Operation timed out", Verdict.DOWN),
        (28, PAGE + "curl: (28) Resolving timed out", Verdict.DOWN),
        (52, "curl: (52) Empty reply from server", Verdict.MUMBLE),
        (60, "curl: (60) SSL certificate problem", Verdict.MUMBLE),
        (1, "curl: (1) Received HTTP/0.9 when not allowed", Verdict.MUMBLE),
        (3, "curl: (3) URL using bad/illegal format", Verdict.INFRA_ERROR),
        (124, "", Verdict.INFRA_ERROR),
        (127, "curl: not found", Verdict.INFRA_ERROR),
        (137, "", Verdict.INFRA_ERROR),
    ],
)
def test_a_page_passes_with_the_right_status_and_text(
    engine: FakeEngine, exit_code: int, output: str, verdict: Verdict
) -> None:
    engine.answer(CURL, exit_code=exit_code, output=output)
    assert seen(engine, PAGE_PROBE) is verdict


@pytest.mark.parametrize(
    ("exit_code", "output"),
    [
        (6, "curl: (6) Could not resolve host: office"),
        (28, "curl: (28) Resolving timed out after 5000 milliseconds"),
    ],
)
def test_a_name_that_is_gone_is_the_teams_doing_only_if_a_host_of_it_ended(
    engine: FakeEngine, exit_code: int, output: str
) -> None:
    engine.answer(CURL, exit_code=exit_code, output=output)
    assert seen(engine, PAGE_PROBE) is Verdict.INFRA_ERROR
    engine.end_host(HostKey(world=WORLD, host="office"))
    assert seen(engine, PAGE_PROBE) is Verdict.DOWN


@pytest.mark.parametrize("probe", [CommandProbe(command=("shut",)), OwnPortProbe(port=22)])
def test_a_host_that_its_team_ended_is_down(engine: FakeEngine, probe: Probe) -> None:
    engine.end_host(HostKey(world=WORLD, host="office"))
    assert seen(engine, probe, host="office") is Verdict.DOWN


def test_a_host_that_was_never_raised_or_was_removed_is_our_fault(engine: FakeEngine) -> None:
    assert seen(engine, CommandProbe(command=("shut",)), host="mail") is Verdict.INFRA_ERROR
    engine.remove_world(WORLD)
    assert seen(engine, CommandProbe(command=("shut",)), host="office") is Verdict.INFRA_ERROR


def test_when_everything_went_down_at_once_it_was_the_machine(engine: FakeEngine) -> None:
    for host in ("desk", "office"):
        engine.end_host(HostKey(world=WORLD, host=host))
    assert seen(engine, CommandProbe(command=("shut",)), host="office") is Verdict.INFRA_ERROR


@pytest.mark.parametrize(
    "error",
    [
        EngineUnavailableError("the engine does not answer"),
        EngineRefusedError("no room for one more container"),
        UnknownImageError("no toolbox"),
        ImageBuildFailedError("the toolbox does not build"),
    ],
)
@pytest.mark.parametrize(
    ("method", "probe"),
    [
        ("run", CommandProbe(command=("shut",))),
        ("accepts_tcp", OwnPortProbe(port=22)),
        ("probe", PORT_PROBE),
        ("probe", PAGE_PROBE),
    ],
)
def test_whatever_the_engine_cannot_do_is_our_fault(
    engine: FakeEngine, method: str, probe: Probe, error: PoligonError
) -> None:
    engine.fail(method, error)
    assert seen(engine, probe) is Verdict.INFRA_ERROR


def test_an_engine_that_goes_while_we_look_for_the_culprit_is_our_fault(
    engine: FakeEngine,
) -> None:
    engine.end_host(HostKey(world=WORLD, host="office"))
    engine.fail("observe", EngineUnavailableError("gone"))
    assert seen(engine, CommandProbe(command=("shut",)), host="office") is Verdict.INFRA_ERROR


def test_output_is_cut_and_can_be_stored_as_text(engine: FakeEngine) -> None:
    engine.answer(("shut",), output="a\0b" + "x" * 100_000)
    look = Look(host="office", probe=CommandProbe(command=("shut",)), timeout=timedelta(seconds=5))
    output = Prober(engine).look(WORLD, look).output
    assert output.startswith("a�bx")
    assert len(output) == 4000


@pytest.mark.parametrize(
    ("method", "verify", "asked"),
    [
        ("HEAD", True, ("--head", "--url", "http://office/")),
        ("POST", True, ("--data", "", "--url", "http://office/")),
        ("GET", False, ("--insecure", "--url", "http://office/")),
    ],
)
def test_the_request_is_the_one_that_the_author_asked_for(
    engine: FakeEngine, method: str, asked: tuple[str, ...], *, verify: bool
) -> None:
    plain = CURL[: CURL.index("--url")]
    engine.answer((*plain, *asked), output=PAGE)
    probe = HttpProbe(
        url="http://office/", method=method, status=200, contains="Notice", verify=verify
    )
    assert seen(engine, probe) is Verdict.UP


def test_certificates_of_a_scenario_go_with_the_request(engine: FakeEngine) -> None:
    script, *rest = CURL[2:]
    engine.answer(("bash", "-c", TRUSTING + script, rest[0], "PEM", *rest[1:]), output=PAGE)
    assert seen(engine, replace(PAGE_PROBE, ca="PEM")) is Verdict.UP
