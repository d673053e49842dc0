"""Evidence of files that a real client moves through a real gateway, in hosts of both kinds.

Of the exercise's hosts one is real: with an sftp-server and scp of its own, or with neither.
"""

import hashlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from orchestrator.gateway.book_chronicle import BookChronicle
from orchestrator.sessions import Sessions
from orchestrator.terminal.notebook import Notebook
from orchestrator.terminal.recorder import CastWriter
from scoring.domain.verdicts import Verdict
from tests.fakes import scoring_stage
from tests.fakes.gateway_stage import (
    ACCOUNT,
    Box,
    Stage,
    a_box,
    a_stage,
    an_image,
    an_installation,
    eventually,
)
from tests.fakes.ssh_clients import OpenSsh

# Their images are built before the first of them.
pytestmark = [pytest.mark.engine, pytest.mark.enable_socket, pytest.mark.timeout(300)]

OWNER = an_installation()
UP, DOWN = Verdict.UP, Verdict.DOWN
CONTENT = os.urandom(1_500_000)
IMAGE = f"/home/{ACCOUNT}/img"
CHECKS = f"""\
checks:
  brought: {{evidence: {{file: {{host: desk, matches: {IMAGE}, moved: in}}}}, every: 10s}}
  fetched:
    evidence:
      file:
        host: desk
        matches: {IMAGE}
        moved: out
        sha256: {hashlib.sha256(CONTENT).hexdigest()}
      after: {{check: brought}}
    every: 10s
"""
TASKS = """\
tasks:
  move: {title: Move it, ask: Move it., checks: [brought, fetched], points: 10}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """An exercise, and the gateway by which a member of its first team comes to the desk."""

    exercise: scoring_stage.Stage
    gateway: Stage
    sessions: Sessions
    desk: Box
    options: list[str]

    @property
    def there(self) -> str:
        """The image in the host, as the client names it: from the home on."""
        return f"{self.exercise.team().members[0].name}@HOST:img"

    def copy(self, source: str, target: str) -> None:
        OpenSsh().scp(self.gateway, *self.options, source, target)

    def cut(self, source: str, target: str, *, once: Callable[[], bool]) -> None:
        """Copy slowly, and kill the client `once` something of it has come."""
        line = [*self.gateway.options(), "-P", str(self.gateway.gateway.port), "-l", "300"]
        ends = [end.replace("HOST", "127.0.0.1") for end in (source, target)]
        with subprocess.Popen(
            ["scp", "-q", *self.options, *line, *ends], start_new_session=True
        ) as client:
            eventually(once, what="a file on its way")
            os.killpg(client.pid, signal.SIGKILL)

    def files(self, count: int) -> list[tuple[str, str, bool]]:
        """Return what is written down of files, oldest first, once it is of so many."""
        eventually(lambda: len(self._files()) >= count, what=f"{count} files")
        return self._files()

    def last(self, count: int) -> tuple[str, str, bool]:
        """Return the last of so many, as above; time passes after it."""
        files = self.files(count)
        assert len(files) == count
        self.exercise.pass_time(1)
        return files[-1]

    def _files(self) -> list[tuple[str, str, bool]]:
        exercise = self.exercise.exercise
        details = self.sessions.details(exercise, self.sessions.find(exercise)[::-1])
        return [(one.direction, one.path, one.whole) for each in details for one in each.files]


@pytest.fixture(scope="module")
def image(docker_client: docker.DockerClient) -> Iterator[str]:
    with an_image(OWNER) as made:
        yield made


@pytest.fixture(params=["own programs", "the gateway's"])
def served_by(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["-s", "-O"], ids=["sftp", "old scp"])
def room(
    request: pytest.FixtureRequest, served_by: str, image: str, tmp_path: Path
) -> Iterator[Room]:
    text = scoring_stage.SCENARIO.replace("checks:\n", CHECKS, 1).replace("tasks:\n", TASKS, 1)
    raised = scoring_stage.Stage.raised(f"sqlite:///{tmp_path / 'db'}", tmp_path, scenario=text)
    sessions = Sessions(raised.database, raised.clock, folder=tmp_path / "casts")
    notebook = Notebook(sessions.write)
    writer = CastWriter(sessions.folder, notebook, raised.clock)
    key = raised.host("desk")
    with (
        a_box(
            OWNER,
            "desk",
            image if served_by == "own programs" else "debian:bookworm-slim",
            world=key.world,
        ) as desk,
        a_stage(
            tmp_path,
            installation=OWNER,
            hosts={raised.team().members[0].name: key},
            chronicle=BookChronicle(notebook, writer, raised.clock),
        ) as gateway,
    ):
        yield Room(
            exercise=raised, gateway=gateway, sessions=sessions, desk=desk, options=[request.param]
        )
    writer.close()
    notebook.close()
    raised.database.close()


def test_a_file_that_was_moved_is_evidence_and_one_that_was_cut_is_none(
    room: Room, tmp_path: Path
) -> None:
    exercise, mine, back = room.exercise, tmp_path / "mine", tmp_path / "back"
    mine.write_bytes(CONTENT)

    def has_come() -> bool:
        return bool(room.desk.run(f"[ ! -s {IMAGE} ] || echo yes"))

    room.cut(str(mine), room.there, once=has_come)
    assert room.last(1) == ("to_host", IMAGE, False)
    assert exercise.looks("brought", 1) == [DOWN]

    room.copy(str(mine), room.there)
    assert room.last(2) == ("to_host", IMAGE, True)
    assert exercise.looks("brought", 1) == [UP]

    room.cut(room.there, str(back), once=lambda: back.exists() and back.stat().st_size > 0)
    assert room.last(3) == ("from_host", IMAGE, False)
    assert exercise.looks("fetched", 1) == [DOWN]

    room.copy(room.there, str(back))
    assert back.read_bytes() == CONTENT
    assert room.last(4) == ("from_host", IMAGE, True)
    assert exercise.looks("fetched", 1) == [UP]
    assert exercise.looks("brought", 1) == [UP]
    assert exercise.total() == 10_000
    exercise.prove()


def test_a_folder_a_name_and_nothing_are_told_by_their_paths(room: Room, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(CONTENT[:100])
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "empty").touch()
    home = room.there.removesuffix("img")
    for source, target in (
        ("mine", home),
        ("mine", f"{home}./"),
        ("mine", f"{home}other"),
        ("mine", f"{home}/tmp"),
        ("tree", f"{home}new"),
        ("tree", f"{home}new"),
    ):
        OpenSsh().scp(room.gateway, *room.options, "-r", str(tmp_path / source), target)
    OpenSsh().scp(room.gateway, *room.options, "-r", f"{home}new/", str(tmp_path / "back"))
    there = f"/home/{ACCOUNT}"
    put = [f"{there}/mine", f"{there}/mine", f"{there}/other", "/tmp/mine"]
    both = [f"{there}/new/empty", f"{there}/new/tree/empty"]
    assert sorted(room.files(8)) == sorted(
        [("to_host", path, True) for path in (*put, *both)]
        + [("from_host", path, True) for path in both]
    )
