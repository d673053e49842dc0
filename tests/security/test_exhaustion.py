"""What root in a host uses up: processes, memory, files, logs, disk; its neighbours do not notice.

`small` has tight limits, and `box` those of every host: the control of the same program.
"""

from functools import partial

import docker
import pytest
from docker.models.containers import Container

from core.waiting import until
from orchestrator.domain.diagnosis import State, diagnose
from tests.security.attacked_range import BLUE, MIB, SOON, Range, said_by

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

# Says how far it came; what it started lives on for a while, as what a real one started does.
FORK = """
my $seconds = shift; for (1 .. 60) { my $pid = fork; $n++;
  defined $pid or print("$! after ") && last;
  if (!$pid) { close $_ for *STDOUT, *STDERR; sleep $seconds; exit } }
print $n
"""
BOMB = ("perl", "-e", FORK)
GLUTTON = ("perl", "-e", f'my $x = "a" x {150 * MIB}; print length $x')
OPEN = 'while (open my $f, "<", "/dev/null") { push @f, $f } print scalar(@f), " $!"'
OPENER = ("perl", "-e", OPEN)
SHARED_MEMORY = ("sh", "-c", "head -c 100M /dev/zero > /dev/shm/x; stat -c %s /dev/shm/x")
WRITTEN = 48 * MIB
LOGGED = 4 * MIB
LOG_LIMIT = 2 * MIB
FLOOD = f"head -c {LOGGED} /dev/zero | tr '\\\\0' 'a' | fold -w 99 > /proc/1/fd/1"


def test_a_fork_bomb_ends_at_the_limit_and_at_its_own_host(
    attacked: Range, docker_client: docker.DockerClient
) -> None:
    """Who needs no fork still enters; runc starts threads, so at times not at the first try."""
    small, forking = attacked.host("small"), ("sh", "-c", "true & wait")
    assert attacked.said(*BOMB, "2") == "60", "the control"
    try:
        bombed = attacked.said(*BOMB, "300", host="small")
        assert bombed.startswith("Resource temporarily unavailable after")
        running = docker_client.api.top(attacked.container("small"))["Processes"]
        assert 20 <= len(running) <= 40, "it still goes off"
        assert attacked.attempt(*forking, host="small") != "done", "the control: there is no room"
        until(partial(_enters, attacked), what="somebody to enter", within=SOON)
        assert attacked.attempt(*forking, host="peer") == "done", "a neighbour"
        assert attacked.attempt(*forking, host="small", team=BLUE) == "done", "another team's"
    finally:
        attacked.engine.stop_host(small)
        attacked.engine.raise_host(small.world, attacked.plan("small"))
    assert attacked.attempt(*forking, host="small") == "done", "running it again heals it"


def _enters(attacked: Range) -> bool:
    return attacked.attempt("true", host="small") == "done"


def test_memory_beyond_the_limit_kills_who_asks_for_it(attacked: Range) -> None:
    assert attacked.said(*GLUTTON) == str(150 * MIB), "the control"
    assert attacked.said(*GLUTTON, host="small") == ""
    assert attacked.attempt("true", host="small") == "done", "the host itself goes on"


def test_open_files_end_at_the_limit(attacked: Range, neighbour: Container) -> None:
    count, _, error = attacked.said(*OPENER).partition(" ")
    assert (int(count) <= 4096, error) == (True, "Too many open files")
    assert int(said_by(neighbour, *OPENER).split()[0]) > 4096, "the control"


def test_shared_memory_is_bounded(attacked: Range) -> None:
    """It lies in a file system of 64 MiB, and counts as the host's memory."""
    said = attacked.said(*SHARED_MEMORY)
    try:
        assert "No space left on device" in said
        assert int(said.split()[-1]) <= 64 * MIB
    finally:
        attacked.said("rm", "/dev/shm/x")


def test_the_log_of_a_host_is_bounded(
    attacked: Range, neighbour: Container, docker_client: docker.DockerClient
) -> None:
    """Root writes to the first process's output, which the engine keeps on the machine."""
    said_by(neighbour, "sh", "-c", FLOOD)
    until(
        lambda: len(neighbour.logs()) > LOGGED,
        what="the control: an ordinary log keeps all",
        within=SOON,
    )
    attacked.said("sh", "-c", FLOOD, host="peer")
    kept = docker_client.api.logs(attacked.container("peer"))
    assert 0 < len(kept) <= LOG_LIMIT


def test_every_log_of_ours_has_a_limit(attacked: Range, docker_client: docker.DockerClient) -> None:
    ours = docker_client.api.containers(
        all=True, filters={"label": f"cyberpoligon={attacked.installation}"}
    )
    assert len(ours) >= 8, "two teams' hosts"
    for container in ours:
        config = docker_client.api.inspect_container(container["Id"])["HostConfig"]["LogConfig"]
        assert config == {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}}


def test_the_disk_is_limited_or_the_site_is_told_that_it_is_not(attacked: Range) -> None:
    """Without quotas nothing holds a host that fills the disk: it is told, and who it was."""
    facts = attacked.engine.diagnose()
    look = next(f for f in diagnose(facts, worlds_stand=True) if f.look == "engine: disk limit")
    write = f"head -c {WRITTEN} /dev/urandom > /filling; stat -c %s /filling"
    assert attacked.said("sh", "-c", write).strip() == str(WRITTEN), "the control: no limit"
    try:
        written = int(attacked.said("sh", "-c", write, host="small").split()[-1])
        if facts.limits_disk:
            assert (written < WRITTEN, look.state) == (True, State.OK)
        else:
            assert (written, look.state) == (WRITTEN, State.NOTE)
            sizes = attacked.engine.written(attacked.exercise)
            assert sizes[attacked.host("small")] >= WRITTEN
    finally:
        for host in ("box", "small"):
            attacked.said("rm", "/filling", host=host)
