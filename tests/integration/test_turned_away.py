"""Who is turned away reads why, instructors read that it happened, and nobody reads a trace."""

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import docker
import httpx
import pytest

from orchestrator.domain.exercise import Exercise
from tests.fakes.api_site import PASSWORD
from tests.fakes.gateway_stage import Box, an_installation, askpass, eventually
from tests.fakes.terminal_site import TerminalSite, terminal_site

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

OWNER = an_installation()
FILLING = "trap wait EXIT; while :; do sleep 60 & done"
TRACES = ("Traceback", 'File "', "Error(", "asyncssh", "goroutine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The gateway of a site, a trainee's OpenSSH client, and what an instructor reads."""

    place: TerminalSite
    folder: Path

    def ssh(
        self, login: str, *arguments: str, code: str = "", key: str = "id"
    ) -> "subprocess.CompletedProcess[str]":
        """Run the client to its end, with the key in the folder, or a code where one is given."""
        means = ["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", str(self.folder / key)]
        if code:
            means = ["-o", "PreferredAuthentications=keyboard-interactive"]
            means += ["-o", "NumberOfPasswordPrompts=1"]
        return subprocess.run(
            [
                *("ssh", "-F", "none", "-o", "StrictHostKeyChecking=no", *means),
                *("-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}"),
                *("-p", str(self.place.gateway.port), f"{login}@127.0.0.1", *arguments),
            ],
            env=askpass(self.folder, code),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def says(self, bytes_: bytes) -> None:
        """Have somebody say that to the port, and hang up when they are hung up on."""
        with socket.create_connection(("127.0.0.1", self.place.gateway.port), timeout=60) as one:
            one.sendall(bytes_)
            while one.recv(4096):
                pass

    def events(self, act: str, *, of: Exercise | None = None) -> list[str]:
        """Return the sentences of an act that an instructor reads through the API."""
        site = self.place.site
        answer: httpx.Response = site.web.get(
            f"/api/v1/exercises/{(of or self.place.exercise).name}/events",
            headers=site.bearer("ina"),
        )
        answer.raise_for_status()
        told = [event["text"] for event in answer.json() if event["act"] == act]
        assert not any(trace in text for text in told for trace in TRACES)
        return told

    def event(self, act: str) -> str:
        """Return the only sentence of an act, once it is there."""
        eventually(lambda: bool(self.events(act)), what=act)
        (told,) = self.events(act)
        return told


@pytest.fixture(scope="module")
def place(
    docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TerminalSite]:
    with terminal_site(tmp_path_factory.mktemp("place"), installation=OWNER) as made:
        yield made


@pytest.fixture(scope="module")
def door(place: TerminalSite, tmp_path_factory: pytest.TempPathFactory) -> Door:
    folder = tmp_path_factory.mktemp("door")
    for key in ("id", "strange"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
        subprocess.run(make, check=True)
    return Door(place=place, folder=folder)


@pytest.fixture
def enrolled(door: Door) -> Door:
    """Lend a door that the trainee's key opens."""
    name = door.place.trainee
    door.place.site.services.users.add_key(name, (door.folder / "id.pub").read_text())
    return door


def read(ended: "subprocess.CompletedProcess[str]", wanted: str) -> None:
    """Require that a client ended with a sentence, and with no trace of ours."""
    assert ended.returncode == 255
    assert wanted in ended.stderr
    assert not any(trace in ended.stdout + ended.stderr for trace in TRACES)


def test_a_wrong_key_is_one_event_however_often_it_comes(door: Door) -> None:
    for _ in range(3):
        read(door.ssh(door.place.trainee, "true", key="strange"), "Permission denied")
    read(door.ssh("stranger", "true", key="strange"), "Permission denied")
    told = door.event("login.key_refused")
    assert told.startswith(f"{door.place.trainee} came from 127.0.0.1 and left without a key")
    assert door.place.gateway.facts().refused["key"] == 4


def test_a_code_that_has_expired_says_so(door: Door) -> None:
    site, name = door.place.site, door.place.trainee
    code, _ = site.services.users.codes.issue(name, lasts=timedelta(seconds=1))
    site.clock.advance(timedelta(seconds=2))
    read(door.ssh(name, "true", code=code), "This one-time code has expired; ask your instructor")
    assert door.event("login.code_expired").startswith(f"{name} typed a one-time code that has")


def test_a_host_that_there_is_not_is_named_with_those_that_there_are(enrolled: Door) -> None:
    name = enrolled.place.trainee
    assert enrolled.ssh(name, "id -un").stdout == "ana\n", "the control"
    read(enrolled.ssh(f"{name}.nowhere", "true"), "your role does not enter nowhere. Open to you")
    assert "was not let in: your role does not enter nowhere" in enrolled.event("entry.refused")


def test_what_is_no_ssh_is_counted_and_told_where_one_person_is_at_the_address(
    enrolled: Door,
) -> None:
    before = enrolled.place.gateway.facts().refused.get("garbled", 0)
    for words in (b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n" + b"\xff" * 99):
        enrolled.says(words)
    eventually(
        lambda: enrolled.place.gateway.facts().refused.get("garbled", 0) == before + 2,
        what="both counted",
    )
    assert enrolled.events("login.garbled") == [], "nobody is there whom it could concern"
    name = enrolled.place.trainee
    with subprocess.Popen(
        [
            *("ssh", "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes"),
            *("-o", f"UserKnownHostsFile={enrolled.folder / 'known_hosts'}"),
            *("-i", str(enrolled.folder / "id"), "-p", str(enrolled.place.gateway.port)),
            *(f"{name}@127.0.0.1", "echo in; exec cat"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as inside:
        assert inside.stdout
        assert inside.stdout.readline() == b"in\n"
        for _ in range(50):
            enrolled.says(b"garbage\n")
        told = enrolled.event("login.garbled")
        inside.kill()
    assert told.startswith(f"what came from 127.0.0.1, where {name} is logged in, was no SSH")


def limit_processes(box: Box, most: int) -> None:
    line = ["docker", "update", "--pids-limit", str(most), str(box.container.id)]
    subprocess.run(line, check=True, capture_output=True)


def all_in(box: Box) -> list[str]:
    return [args for _pid, args in box.container.top(ps_args="-eo pid,args")["Processes"]]


@pytest.mark.parametrize("how", [(), ("-tt",)])
def test_a_host_without_a_free_process_slot_is_entered_with_a_sentence(
    enrolled: Door, how: tuple[str, ...]
) -> None:
    name, desk = enrolled.place.trainee, enrolled.place.desk
    # A slot that one of an earlier test's session gives back is not filled again.
    own = ["/sbin/docker-init -- sleep infinity", "sleep infinity"]
    eventually(lambda: all_in(desk) == own, what="nothing left of other sessions")
    limit_processes(desk, 10)
    try:
        desk.container.exec_run(["sh", "-c", FILLING], user="ana", detach=True)
        eventually(lambda: len(all_in(desk)) >= 10, what="no slot left")
        ended = enrolled.ssh(name, *how, "exec echo $((40 + 2))")
        for _ in range(5):  # now and then the engine itself finds no slot for what it starts
            if "desk of team-1 has no free process slot" in ended.stderr:
                ended = enrolled.ssh(name, *how, "exec echo $((40 + 2))")
        told = enrolled.event("host.processes_full")
    finally:
        limit_processes(desk, -1)
        desk.run("kill -9 -1", account="ana")
    assert "This host has no free process slot: end some processes" in ended.stdout + ended.stderr
    assert "Cannot fork" not in ended.stdout + ended.stderr
    assert "42" in ended.stdout
    assert told.startswith(f"desk has no free process slot: {name} can start nothing there")


def test_a_finished_exercise_says_so_in_its_own_log(door: Door) -> None:
    exercise = door.place.site.launch(teams=1)
    door.place.site.services.exercises.end(exercise.id)
    name = exercise.teams[0].members[0].name
    for _ in range(3):
        read(door.ssh(name, "true", code=PASSWORD), "the exercise has ended")
    eventually(lambda: bool(door.events("entry.refused", of=exercise)), what="the event")
    assert door.events("entry.refused", of=exercise) == [
        f"{name} logged in and was not let in: the exercise has ended"
    ]
