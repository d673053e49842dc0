"""Getting in for the first time, choosing a host, and being cut, with real SSH clients."""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from statistics import median

import docker
import pytest

from orchestrator.gateway.limits import Limits
from tests.fakes.gateway_stage import (
    PASSWORD,
    Box,
    Stage,
    a_box,
    a_stage,
    an_installation,
    eventually,
)

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

OWNER = an_installation()
CODE = "h7kd-92mf-xq4r"
CHOSEN = "my own words"
LIMITS = Limits(sessions_per_person=2)
_ONLY_TALK = (
    *("-o", "PreferredAuthentications=keyboard-interactive", "-o", "BatchMode=no"),
    *("-o", "LogLevel=INFO"),  # as people have it: what the server tells is shown
)


@pytest.fixture(scope="module")
def desk(docker_client: docker.DockerClient) -> Iterator[Box]:
    with a_box(OWNER, "desk") as box:
        yield box


@pytest.fixture(scope="module")
def mail() -> Iterator[Box]:
    with a_box(OWNER, "mail") as box:
        yield box


@pytest.fixture
def stage(desk: Box, mail: Box, tmp_path: Path) -> Iterator[Stage]:
    hosts = {"ana": desk.key, "ben.mail": mail.key, "ina.team-1.mail": mail.key}
    with a_stage(tmp_path, installation=OWNER, hosts=hosts, limits=LIMITS) as made:
        made.door.codes["ana"] = CODE
        made.door.choices["ben"] = ("desk", "mail")
        yield made


class Terminal:
    """The OpenSSH client on a terminal of its own."""

    def __init__(self, line: list[str]) -> None:
        self.shown = ""
        self._pid, self._file = pty.fork()
        if self._pid == 0:
            os.execvp(line[0], line)

    def until(self, wanted: str, *, seconds: float = 60) -> str:
        """Return what is shown up to a pattern; the next call goes on after it."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(wanted, self.shown)):
            ready, _, _ = select.select([self._file], [], [], deadline - time.monotonic())
            assert ready, f"{wanted} did not come after: {self.shown}"
            self.shown += os.read(self._file, 4096).decode(errors="replace")
        before, self.shown = self.shown[: found.end()], self.shown[found.end() :]
        return before

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._file, f"{text}\n".encode())

    def ends(self) -> int:
        """Return the exit code of the client, which is about to end."""
        with suppress(OSError):  # how Linux tells that nobody has the other end open
            while os.read(self._file, 4096):
                pass
        _, status = os.waitpid(self._pid, 0)
        os.close(self._file)
        return os.waitstatus_to_exitcode(status)


def talking(stage: Stage, *arguments: str, login: str = "ana") -> Terminal:
    ssh, *rest = stage.ssh_line(*arguments, login=login)
    return Terminal([ssh, *_ONLY_TALK, *rest])


def public_key(folder: Path) -> str:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "mine", "-f", folder / "own"],
        check=True,
    )
    return (folder / "own.pub").read_text().strip()


# Codes


def test_a_code_enrols_the_pasted_key_which_enters_from_then_on(
    stage: Stage, tmp_path: Path
) -> None:
    line = public_key(tmp_path)
    terminal = talking(stage, "echo in as $(id -un)")
    terminal.until("one-time code: ")
    terminal.type(CODE)
    terminal.until("Paste your public key .*set a password: ")
    terminal.type(line)
    terminal.until("in as trainee")
    assert terminal.ends() == 0
    mine = [
        str(tmp_path / "own") if part == str(stage.folder / "id") else part
        for part in stage.ssh_line("true")
    ]
    assert subprocess.run(mine, check=False, timeout=60).returncode == 0
    assert stage.door.codes == {}


def test_a_code_and_enter_set_a_password_which_is_asked_for_again_when_it_is_too_short(
    stage: Stage,
) -> None:
    terminal = talking(stage, "echo in")
    terminal.until("one-time code: ")
    terminal.type(CODE)
    terminal.until("set a password: ")
    terminal.type("")
    for tried in ("short", CHOSEN):
        terminal.until("at least 10 characters\\): ")
        terminal.type(tried)
        terminal.until("same again: ")
        terminal.type(tried)
    terminal.until("in\r\n")
    assert terminal.ends() == 0
    assert stage.door.passwords == {"ana": CHOSEN}


def test_a_wrong_code_is_told_in_a_sentence_and_waits_longer_like_a_password(
    stage: Stage,
) -> None:
    terminal = talking(stage, "true")
    for _ in range(2):
        terminal.until("one-time code: ")
        terminal.type("aaaa-bbbb-cccc")
        terminal.until("does not fit; a code works once, and for a limited time")
    assert stage.gateway._house.guesses.delay("ana").total_seconds() == 0.5
    terminal.until("one-time code: ")
    terminal.type(PASSWORD)
    assert terminal.ends() == 0
    assert stage.gateway.facts().refused == {"secret": 2}


def test_a_key_that_was_offered_and_refused_is_not_enrolled_by_the_code(
    stage: Stage, tmp_path: Path
) -> None:
    public_key(tmp_path)
    ssh, *rest = [
        str(tmp_path / "own") if part == str(stage.folder / "id") else part
        for part in stage.ssh_line("true")
    ]
    methods = "PreferredAuthentications=publickey,keyboard-interactive"
    terminal = Terminal([ssh, "-o", "BatchMode=no", "-o", methods, *rest])
    terminal.until("one-time code: ")
    terminal.type(CODE)
    terminal.until("set a password: ")
    terminal.type("")
    terminal.until("characters\\): ")
    terminal.type(CHOSEN)
    terminal.until("same again: ")
    terminal.type(CHOSEN)
    assert terminal.ends() == 0
    assert subprocess.run([ssh, *rest], capture_output=True, check=False).returncode == 255


# Where one lands


def test_a_terminal_chooses_a_host_from_a_menu_and_a_command_is_told_the_names(
    stage: Stage, mail: Box
) -> None:
    stage.door.keys.add(("ben", next(key for login, key in stage.door.keys if login == "ana")))
    terminal = Terminal(stage.ssh_line(login="ben"))
    terminal.until("1  desk\r\n  2  mail\r\nWhich machine \\(1-2\\)\\? ")
    terminal.type("7")
    terminal.until("There is no 7 in the list")
    terminal.type("2")
    terminal.until("\\$ ")
    terminal.type("hostname; exit 3")
    assert mail.container.id
    terminal.until(mail.container.id[:12])
    assert terminal.ends() == 3
    ended = stage.ssh("true", login="ben")
    assert ended.returncode == 255
    assert b"Open to you: desk, mail; name one after a dot" in ended.stderr


def test_the_key_of_staff_enters_a_teams_host_by_its_name_alone(stage: Stage) -> None:
    key = next(key for login, key in stage.door.keys if login == "ana")
    stage.door.staff[key] = "ina"
    assert stage.ssh("true", login="team-1.mail").returncode == 0
    stage.door.staff.clear()
    refused = stage.ssh("true", login="team-1.mail")
    assert b"Permission denied" in refused.stderr


def test_a_key_of_staff_that_is_only_offered_makes_nobody_staff(
    stage: Stage, tmp_path: Path
) -> None:
    """Offering needs the public half alone; the login that counts is the one that was proved."""
    key = next(key for login, key in stage.door.keys if login == "ana")
    stage.door.staff[key] = "ina"
    stage.door.hosts["team-1.mail"] = stage.door.hosts["ana"]
    stage.door.passwords["team-1.mail"] = CHOSEN
    public_half = tmp_path / "half.pub"
    public_half.write_text((stage.folder / "id.pub").read_text())
    ssh, *rest = [
        str(public_half) if part == str(stage.folder / "id") else part
        for part in stage.ssh_line("sleep 100", login="team-1.mail")
    ]
    methods = "PreferredAuthentications=publickey,keyboard-interactive"
    terminal = Terminal(
        [ssh, "-v", "-o", "LogLevel=DEBUG", "-o", "BatchMode=no", "-o", methods, *rest]
    )
    terminal.until("Server accepts key: ")
    terminal.until("one-time code: ")
    terminal.type(CHOSEN)
    eventually(lambda: stage.gateway.facts().sessions == 1, what="the session")
    assert {live.visit.login for live in stage.gateway.live} == {"team-1.mail"}
    stage.door.closed = "over"
    assert terminal.ends() == 255


# Throttles and cuts


def test_a_person_has_so_many_sessions_on_whatever_connections_and_is_told(stage: Stage) -> None:
    held = [Terminal(stage.ssh_line("-tt", "echo on; sleep 100")) for _ in range(2)]
    for one in held:
        one.until("on\r\n")
    refused = stage.ssh("true")
    assert b"You have 2 sessions open, and no more are allowed" in refused.stderr
    assert refused.returncode == 255
    facts = stage.gateway.facts()
    assert (facts.sessions, facts.refused["sessions"]) == (2, 1)
    stage.door.closed = "the exercise is paused"
    assert [one.ends() for one in held] == [255, 255]


def test_an_act_in_an_exercises_log_cuts_within_a_second(stage: Stage) -> None:
    """The look that comes anyway is far away here; a busy machine may hold two of five up."""
    stage.gateway._look_seconds = 3600
    assert median(cut_after(stage) for _ in range(5)) < 1


def cut_after(stage: Stage) -> float:
    """Return how many seconds after an act in the log a session was cut."""
    terminal = Terminal(stage.ssh_line("-tt", "echo on; sleep 100"))
    terminal.until("on\r\n")
    eventually(lambda: stage.gateway.facts().sessions == 1, what="the session")
    stage.door.closed = "the exercise is paused"
    began = time.monotonic()
    stage.door.acts += 1
    terminal.until("the exercise is paused")
    seconds = time.monotonic() - began
    assert terminal.ends() == 255
    stage.door.closed = ""
    return seconds


def test_an_idle_terminal_ends_with_a_sentence(desk: Box, tmp_path: Path) -> None:
    limits = Limits(idle=timedelta(seconds=1))
    with a_stage(tmp_path, installation=OWNER, hosts={"ana": desk.key}, limits=limits) as stage:
        terminal = Terminal(stage.ssh_line("-tt", "sleep 100"))
        terminal.until("Nothing was typed here for 0 hours; log in again")
        assert terminal.ends() == 255


def test_an_address_that_guessed_too_much_gets_in_by_key_only(stage: Stage) -> None:
    for number in range(200):
        stage.gateway._house.bans.failed("127.0.0.1", f"user{number}")
    terminal = talking(stage, "true")
    terminal.until("one-time code: ")
    terminal.type(PASSWORD)
    terminal.until("too many wrong passwords came from this address; keys enter still")
    assert terminal.ends() == 255
    assert stage.ssh("true").returncode == 0
    facts = stage.gateway.facts()
    assert facts.refused["banned"] == 1
    assert list(facts.bans) == ["127.0.0.1"]
