"""What shaping a link does to packets, on the real engine."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network

import docker
import pytest

from core.ids import ExerciseId, new_id
from core.settings import read_settings
from core.waiting import until
from orchestrator.domain.links import AS_PLANNED, HostLink, LinkState, NetworkLink
from orchestrator.domain.world import Attachment, HostKey, HostPlan, NetworkPlan, WorldKey
from orchestrator.engine.runtime import DockerEngine
from orchestrator.ports import NotEnforcedError
from tests.addresses import fresh_subnet

pytestmark = pytest.mark.engine

SOON = timedelta(seconds=30)
PORT = 8080
LAN = NetworkLink(network="lan")
CUT = LinkState(down=True)

# Sends back every datagram, and as many bytes to each connection as it asks for.
SERVE = f"""
use IO::Socket::INET; use IO::Select;
my $t = IO::Socket::INET->new(Listen => 9, LocalAddr => "0.0.0.0:{PORT}", ReuseAddr => 1) or die;
my $u = IO::Socket::INET->new(Proto => "udp", LocalAddr => "0.0.0.0:{PORT}") or die;
my $all = IO::Select->new($t, $u);
while (my @ready = $all->can_read) {{ for my $s (@ready) {{
  if ($s == $t) {{ my $c = $s->accept or next; my $n = <$c>; print $c "x" x $n; close $c }}
  else {{ my $from = $s->recv(my $word, 64); $s->send($word, 0, $from) }}
}} }}
"""
FETCH = """
use IO::Socket::INET; $SIG{ALRM} = sub { exit 1 }; alarm 25;
my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], Timeout => 1) or exit 1;
print $s "$ARGV[1]\\n"; my $n = 0; while (sysread $s, my $piece, 65536) { $n += length $piece }
exit($n == $ARGV[1] ? 0 : 1);
"""
TIME = f"""
sub now {{ open my $f, "<", "/proc/uptime"; (split " ", <$f>)[0] }}
my $began = now(); END {{ print now() - $began unless $? }}
{FETCH}"""
COUNT = """
use IO::Socket::INET; use IO::Select;
my $s = IO::Socket::INET->new(Proto => "udp", PeerAddr => $ARGV[0]) or die;
my $seen = 0; my $waiting = IO::Select->new($s);
for (1 .. $ARGV[1]) { $s->send("x"); $seen++, $s->recv(my $x, 9) if $waiting->can_read(0.005) }
$seen++, $s->recv(my $x, 9) while $waiting->can_read(3);
print $seen;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two hosts on one network; `near` asks and `far` answers."""

    engine: DockerEngine
    world: WorldKey
    subnet: IPv4Network

    def plan(self, host: str) -> HostPlan:
        place = Attachment(network="lan", address=self.subnet[{"near": 10, "far": 11}[host]])
        return HostPlan(host=host, image="debian:bookworm-slim", attachments=(place,))

    def key(self, host: str) -> HostKey:
        return HostKey(world=self.world, host=host)

    def near(self, script: str, argument: int) -> str | None:
        """Run a script beside `near` against `far`; return what it printed, None if it failed."""
        words = ("perl", "-e", script, f"{self.subnet[11]}:{PORT}", str(argument))
        result = self.engine.run(self.key("near"), words, timeout=SOON)
        return result.output if result.ok else None

    def reaches(self) -> bool:
        return self.near(FETCH, 10) is not None

    def took(self, size: int) -> float:
        """Return how many seconds so many bytes were on their way, the start of a process apart."""
        told = self.near(TIME, size)
        assert told is not None
        return float(told)


@pytest.fixture(scope="module")
def standing(docker_client: docker.DockerClient) -> Iterator[Pair]:
    engine = DockerEngine(read_settings().docker_host, installation=f"links-{new_id(6)}")
    world = WorldKey(exercise=ExerciseId(new_id()), team="red")
    pair = Pair(
        engine=engine,
        world=world,
        subnet=fresh_subnet(),
    )
    try:
        engine.raise_network(world, NetworkPlan(network="lan", subnet=pair.subnet))
        for host in ("near", "far"):
            engine.raise_host(world, pair.plan(host))
        yield pair
    finally:
        engine.remove_everything()


@pytest.fixture
def pair(standing: Pair) -> Iterator[Pair]:
    """Lend the pair with its service up and its links as planned."""
    far = standing.key("far")
    if not standing.engine.accepts_tcp(far, PORT):
        serve = ("sh", "-c", 'perl -e "$0" >/dev/null 2>&1 &', SERVE)
        standing.engine.run(far, serve, timeout=SOON)
        until(lambda: standing.engine.accepts_tcp(far, PORT), what="the service", within=SOON)
    assert standing.reaches(), "the control"
    yield standing
    for link in (LAN, HostLink(host="far"), HostLink(host="near")):
        standing.engine.shape(standing.world, link, AS_PLANNED)


def test_a_cut_network_carries_nothing_and_is_whole_again_at_once(pair: Pair) -> None:
    pair.engine.shape(pair.world, LAN, CUT)
    assert not pair.reaches()
    pair.engine.shape(pair.world, LAN, AS_PLANNED)
    assert pair.reaches()


def test_links_of_a_network_and_of_a_host_are_cut_and_restored_apart(pair: Pair) -> None:
    far = HostLink(host="far")
    pair.engine.shape(pair.world, LAN, CUT)
    pair.engine.shape(pair.world, far, CUT)
    pair.engine.shape(pair.world, LAN, AS_PLANNED)
    assert not pair.reaches()
    pair.engine.shape(pair.world, far, AS_PLANNED)
    assert pair.reaches()


def test_a_network_that_no_host_is_on_has_no_link(pair: Pair) -> None:
    pair.engine.shape(pair.world, NetworkLink(network="elsewhere"), CUT)
    assert pair.reaches()


def test_a_share_of_the_packets_is_lost_once_on_each_way(pair: Pair) -> None:
    pair.engine.shape(pair.world, LAN, LinkState(loss=0.3))
    answered = int(pair.near(COUNT, 400) or 0)
    assert pytest.approx(answered, abs=60) == 0.7 * 0.7 * 400


def test_a_link_carries_its_rate_and_not_more(pair: Pair) -> None:
    megabyte = 1024**2
    # A busy machine may hold some of them up.
    assert any(pair.took(4 * megabyte) < 1 for _ in range(5)), "the control"
    pair.engine.shape(pair.world, HostLink(host="near"), LinkState(rate=8 * megabyte))
    took = [pair.took(4 * megabyte)]
    while min(took) >= 8 and len(took) < 3:
        took.append(pair.took(4 * megabyte))
    assert 2 < min(took) < 8


def test_a_delay_is_kept_or_said_not_to_be(pair: Pair) -> None:
    slow = LinkState(delay=timedelta(milliseconds=200))
    if pair.engine.can_delay():
        pair.engine.shape(pair.world, LAN, slow)
        began = time.monotonic()
        assert pair.reaches()
        assert time.monotonic() - began > 0.8
    else:
        with pytest.raises(NotEnforcedError, match="no netem"):
            pair.engine.shape(pair.world, LAN, slow)
        assert pair.reaches()


def test_a_host_that_runs_again_has_its_link_as_planned(pair: Pair) -> None:
    pair.engine.shape(pair.world, HostLink(host="near"), CUT)
    pair.engine.stop_host(pair.key("near"))
    pair.engine.raise_host(pair.world, pair.plan("near"))
    assert pair.reaches()
