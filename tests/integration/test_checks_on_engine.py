"""Probes against hosts on the real engine, as teams keep, break and end them."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import docker
import pytest

from core.ids import ExerciseId, new_id
from core.settings import read_settings
from core.waiting import until
from orchestrator.domain.world import (
    Attachment,
    FilePlan,
    HostKey,
    HostPlan,
    Limits,
    NetworkPlan,
    WorldKey,
)
from orchestrator.engine.names import container_name
from orchestrator.engine.runtime import DockerEngine
from scoring.checks.prober import Prober
from scoring.checks.probes import (
    CommandProbe,
    DnsProbe,
    FileProbe,
    Finding,
    HttpProbe,
    Look,
    OwnPortProbe,
    PeerPortProbe,
    Probe,
)
from scoring.domain.verdicts import Verdict
from tests.addresses import fresh_subnet
from tests.fakes.fake_engine import BASE_IMAGE

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

INSTALLATION = f"test-{new_id(8)}"
SUBNET = fresh_subnet()
PLACES = iter(range(16, 254))
SERVER = r"""
use IO::Socket::INET;
if (!fork) {  # every name has the address 10.9.9.9
    my $asked = IO::Socket::INET->new(LocalPort => 53, Proto => "udp") or die;
    while (defined $asked->recv(my $question, 512)) {
        my ($name) = substr($question, 12) =~ /^(.*?\0.{4})/s;
        my $record = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" . inet_aton("10.9.9.9");
        $asked->send(substr($question, 0, 2) . "\x84\0\0\1\0\1\0\0\0\0$name$record");
    }
}
my $server = IO::Socket::INET->new(Listen => 9, LocalPort => 80, ReuseAddr => 1) or die;
$SIG{CHLD} = "IGNORE";
while (my $client = $server->accept) {
    next if fork;
    my $line = <$client> // "";
    if ($line =~ m{ /slow }) { sleep 30 }
    elsif ($line =~ m{ /moved }) { print $client "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n" }
    elsif ($line =~ m{ /junk }) { print $client "no HTTP at all\n" }
    elsif ($line =~ m{ /huge }) {
        print $client "HTTP/1.1 200 OK\r\n\r\nNotice board", "x" x 9_000_000;
    }
    else { print $client "HTTP/1.1 200 OK\r\nX: y\r\n\r\nNotice board\n" }
    exit;
}
"""


@pytest.fixture(scope="module")
def engine(docker_client: docker.DockerClient) -> Iterator[DockerEngine]:
    engine = DockerEngine(read_settings().docker_host, installation=INSTALLATION)
    yield engine
    engine.remove_everything()


@pytest.fixture(scope="module")
def world(engine: DockerEngine) -> WorldKey:
    """Raise a desk, and an office that serves a notice board."""
    world = WorldKey(exercise=ExerciseId(new_id()), team="team-1")
    engine.raise_network(world, NetworkPlan(network="office", subnet=SUBNET))
    for place, host in enumerate(("desk", "office"), start=2):
        engine.raise_host(world, plan(host, place))
    office = HostKey(world=world, host="office")
    start = "setsid perl /srv/server.pl >/dev/null 2>&1 </dev/null &"
    engine.run(office, ("sh", "-c", start), timeout=timedelta(seconds=20))
    until(lambda: engine.accepts_tcp(office, 80), what="the server", within=timedelta(seconds=20))
    return world


def plan(host: str, place: int) -> HostPlan:
    return HostPlan(
        host=host,
        image=BASE_IMAGE,
        attachments=(Attachment(network="office", address=SUBNET[place]),),
        files=(FilePlan(path="/srv/server.pl", content=SERVER.encode()),),
        limits=Limits(memory=128 * 1024**2, cpus=0.5, pids=64),
    )


@pytest.fixture
def victim(engine: DockerEngine, world: WorldKey) -> HostKey:
    """Raise one more host, for a test to break."""
    key = HostKey(world=world, host=f"victim-{new_id(4)}")
    engine.raise_host(world, plan(key.host, next(PLACES)))
    return key


def look(engine: DockerEngine, host: HostKey, probe: Probe, *, seconds: float = 20) -> Finding:
    asked = Look(host=host.host, probe=probe, timeout=timedelta(seconds=seconds))
    return Prober(engine).look(host.world, asked)


def patience(verdict: Verdict) -> float:
    """Return how many seconds a look may take: what answers does so, however busy the engine is."""
    return 20 if verdict in {Verdict.UP, Verdict.MUMBLE} else 2


def page(path: str = "/", *, contains: str = "Notice", status: int = 200) -> HttpProbe:
    return HttpProbe(
        url=f"http://office{path}", method="GET", status=status, contains=contains, verify=True
    )


def at(world: WorldKey, host: str) -> HostKey:
    return HostKey(world=world, host=host)


@pytest.mark.parametrize(
    ("probe", "verdict"),
    [
        (page(), Verdict.UP),
        (page(contains="Defaced"), Verdict.MUMBLE),
        (page("/moved"), Verdict.MUMBLE),
        (page("/moved", status=302, contains=""), Verdict.UP),
        (page("/junk"), Verdict.MUMBLE),
        (page("/huge"), Verdict.UP),
        (page("/slow"), Verdict.DOWN),
        (
            HttpProbe(
                url="http://office:81/", method="GET", status=200, contains=None, verify=True
            ),
            Verdict.DOWN,
        ),
        (
            HttpProbe(url="http://nowhere/", method="GET", status=200, contains=None, verify=True),
            Verdict.INFRA_ERROR,
        ),
        (PeerPortProbe(address=SUBNET[3], port=80), Verdict.UP),
        (PeerPortProbe(address=SUBNET[3], port=25), Verdict.DOWN),
        (DnsProbe(server=SUBNET[3], name="a.test", type="A", answer=None), Verdict.UP),
        (DnsProbe(server=SUBNET[3], name="a.test", type="A", answer="10.9.9.9"), Verdict.UP),
        (DnsProbe(server=SUBNET[3], name="a.test", type="A", answer="10.9.9.8"), Verdict.MUMBLE),
        (DnsProbe(server=SUBNET[2], name="a.test", type="A", answer=None), Verdict.DOWN),
        (PeerPortProbe(address=SUBNET[254], port=80), Verdict.DOWN),
    ],
)
def test_a_prober_beside_the_desk_sees_the_office(
    engine: DockerEngine, world: WorldKey, probe: Probe, verdict: Verdict
) -> None:
    finding = look(engine, at(world, "desk"), probe, seconds=patience(verdict))
    assert finding.verdict is verdict, finding.output


@pytest.mark.parametrize(
    ("probe", "verdict"),
    [
        (CommandProbe(command=("test", "-f", "/srv/server.pl")), Verdict.UP),
        (CommandProbe(command=("test", "-f", "/srv/nothing")), Verdict.DOWN),
        (CommandProbe(command=("no-such-program",)), Verdict.DOWN),
        (CommandProbe(command=("sleep", "60")), Verdict.DOWN),
        (CommandProbe(command=("sh", "-c", "yes | head -c 5000000")), Verdict.UP),
        (OwnPortProbe(port=80), Verdict.UP),
        (OwnPortProbe(port=81), Verdict.DOWN),
        (
            FileProbe(
                path="/srv/server.pl",
                min_size=100,
                owner="root:root",
                contains="Notice board",
                sha256=hashlib.sha256(SERVER.encode()).hexdigest(),
            ),
            Verdict.UP,
        ),
        (FileProbe(path="/srv/server.pl", max_size=100), Verdict.MUMBLE),
        (FileProbe(path="/etc/os-release"), Verdict.MUMBLE),  # a link
        (FileProbe(path="/srv/nothing"), Verdict.DOWN),
        (FileProbe(path="/srv/nothing", absent=True), Verdict.UP),
    ],
)
def test_a_probe_inside_the_office_sees_it(
    engine: DockerEngine, world: WorldKey, probe: Probe, verdict: Verdict
) -> None:
    finding = look(engine, at(world, "office"), probe, seconds=patience(verdict))
    assert finding.verdict is verdict, finding.output
    assert len(finding.output) <= 4000


def test_a_prober_sees_through_a_host_whose_programs_are_gone(
    engine: DockerEngine, victim: HostKey
) -> None:
    # Root of a team owns the host: what it looks with must not be what is in there.
    broken = "rm -rf /bin/* /usr/bin/* /etc/resolv.conf 2>/dev/null; true"
    engine.run(victim, ("sh", "-c", broken), timeout=timedelta(seconds=30))
    assert look(engine, victim, page()).verdict is Verdict.UP


def test_a_team_cannot_turn_a_failing_command_into_our_fault(
    engine: DockerEngine, victim: HostKey
) -> None:
    passes = CommandProbe(command=("sh", "-c", "cat /etc/hostname | cat"))
    assert look(engine, victim, passes).verdict is Verdict.UP
    hungry = "while (1) { my $p = fork; $p // select undef, undef, undef, 0.1; $p // next;"
    hungry += " $p or exec sleep => 600 }"
    bomb = f"setsid perl -e '{hungry}' >/dev/null 2>&1 </dev/null &"
    engine.run(victim, ("sh", "-c", bomb), timeout=timedelta(seconds=30))
    until(
        lambda: not look(engine, victim, passes).verdict.passes,
        what="a host without room for one more process",
        within=timedelta(seconds=30),
    )
    full = look(engine, victim, passes)
    assert full.verdict is Verdict.DOWN, full.output


def test_without_its_shell_a_host_fails_its_commands(engine: DockerEngine, victim: HostKey) -> None:
    engine.run(victim, ("rm", "-f", "/bin/sh", "/usr/bin/sh"), timeout=timedelta(seconds=30))
    gone = look(engine, victim, CommandProbe(command=("true",)))
    assert gone.verdict is Verdict.DOWN, gone.output


def test_a_host_that_ended_is_down_and_one_that_was_removed_is_our_fault(
    engine: DockerEngine, victim: HostKey, docker_client: docker.DockerClient
) -> None:
    container = docker_client.containers.get(container_name(INSTALLATION, victim))
    container.kill()
    container.wait()
    command = CommandProbe(command=("true",))
    assert look(engine, victim, command).verdict is Verdict.DOWN
    assert look(engine, victim, page()).verdict is Verdict.DOWN
    gone = HttpProbe(
        url=f"http://{victim.host}/", method="GET", status=200, contains=None, verify=True
    )
    assert look(engine, at(victim.world, "desk"), gone, seconds=5).verdict is Verdict.DOWN
    container.remove()
    assert look(engine, victim, command).verdict is Verdict.INFRA_ERROR


def test_an_engine_that_does_not_answer_is_our_fault(world: WorldKey) -> None:
    nobody = DockerEngine("tcp://127.0.0.1:9", installation=INSTALLATION)
    for probe in (page(), CommandProbe(command=("true",)), OwnPortProbe(port=80)):
        assert look(nobody, at(world, "office"), probe).verdict is Verdict.INFRA_ERROR


def test_looking_leaves_nothing_behind(
    engine: DockerEngine, world: WorldKey, docker_client: docker.DockerClient
) -> None:
    ours: dict[str, str | list[str] | bool] = {"label": f"cyberpoligon={INSTALLATION}"}
    before = len(docker_client.containers.list(all=True, sparse=True, filters=ours))
    for probe in (page(), page("/slow"), PeerPortProbe(address=SUBNET[254], port=80)):
        look(engine, at(world, "desk"), probe, seconds=1)
    assert len(docker_client.containers.list(all=True, sparse=True, filters=ours)) == before


TLS_SERVER = """\
cd /srv
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=bank -addext subjectAltName=DNS:bank \
  -keyout key.pem -out ca.pem 2>/dev/null
exec >/dev/null 2>&1 </dev/null
setsid openssl s_server -quiet -accept 443 -cert ca.pem -key key.pem -www &
"""


def test_a_certificate_is_right_by_the_ca_of_the_scenario_alone(
    engine: DockerEngine, world: WorldKey
) -> None:
    bank = at(world, "bank")
    look(engine, at(world, "desk"), page())  # makes the toolbox, which has openssl
    engine.raise_host(world, replace(plan("bank", 8), image=engine._toolbox.reference))
    engine.run(bank, ("sh", "-c", TLS_SERVER), timeout=timedelta(seconds=20))
    until(lambda: engine.accepts_tcp(bank, 443), what="the server", within=timedelta(seconds=20))
    ca = engine.run(bank, ("cat", "/srv/ca.pem"), timeout=timedelta(seconds=20)).output
    probe = HttpProbe(
        url="https://bank/", method="GET", status=200, contains="s_server", verify=True, ca=ca
    )
    trusted = look(engine, at(world, "desk"), probe)
    assert trusted.verdict is Verdict.UP, trusted.output
    assert look(engine, at(world, "desk"), replace(probe, ca="")).verdict is Verdict.MUMBLE
