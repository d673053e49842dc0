"""Evidence on both databases: read from what is kept of commands, files, checks and injects."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.ids import new_id
from core.users.model import Role
from core.users.service import Users
from orchestrator.sessions import Sessions
from orchestrator.terminal.book import Began, CommandRun, Direction, FileMoved, Kind
from scoring.domain.verdicts import Verdict
from scoring.tables import CheckRunRow
from tests.fakes.scoring_stage import SCENARIO, Stage

UP, DOWN = Verdict.UP, Verdict.DOWN
EVIDENCE = """\
checks:
  imaged:
    evidence:
      command: {host: desk, matches: 'dd if=/dev/\\w+ .*{{ values.intruder }}.*'}
      before: {check: shut}
    every: 10s
  quick: {evidence: {check: shut, within: 2m}, every: 10s}
  told:
    evidence:
      command: {host: desk, matches: 'mail .*'}
      after: {command: {host: desk, matches: 'dd .*'}}
      within: 5m
    every: 10s
  carried:
    evidence:
      file:
        host: desk
        matches: '/home/\\w+/{{ values.intruder }}\\.img'
        moved: out
        sha256: "{{ values.intruder | sha256 }}"
      before: {file: {host: desk, matches: '/tmp/.*'}}
    every: 10s
"""
TASKS = """\
tasks:
  preserve: {title: Keep a copy, ask: Keep it., checks: [imaged], points: 10}
  carry: {title: Carry it away, ask: Carry it away., checks: [carried], points: 5}
"""


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    text = SCENARIO.replace("checks:\n", EVIDENCE, 1).replace("tasks:\n", TASKS, 1)
    text = text.replace("  desk:\n", "  desk:\n    record: {commands: true}\n", 1)
    stage = Stage.raised(database_url, tmp_path, scenario=text, teams=2)
    stage.see_door(shut=False)
    stage.pass_time(45)
    yield stage
    stage.database.close()


def types(stage: Stage, line: str, *, who: str = "", number: int = 1, host: str = "desk") -> None:
    """Let a member of a team, or somebody else in its world, type a command now."""
    session, now = new_id(), stage.clock.now()
    began = Began(
        session=session,
        login=who or stage.team(number).members[0].name,
        host=stage.host(host, number),
        account="analyst",
        kind=Kind.TERMINAL,
        at=now,
    )
    sessions = Sessions(stage.database, stage.clock, folder=Path("unused"))
    sessions.write([began, CommandRun(session=session, at=now, line=line)])


def moves(
    stage: Stage,
    path: str = "",
    *,
    who: str = "",
    number: int = 1,
    host: str = "desk",
    direction: Direction = Direction.FROM_HOST,
    content: str = "",
    whole: bool = True,
) -> None:
    """Let a member of a team, or somebody else in its world, move a file now: the image, out."""
    session, now, intruder = new_id(), stage.clock.now(), stage.value("intruder")
    began = Began(
        session=session,
        login=who or stage.team(number).members[0].name,
        host=stage.host(host, number),
        account="analyst",
        kind=Kind.FILES,
        at=now,
    )
    moved = FileMoved(
        session=session,
        at=now,
        direction=direction,
        path=path or f"/home/analyst/{intruder}.img",
        size=3,
        sha256=hashlib.sha256((content or intruder).encode()).hexdigest(),
        whole=whole,
    )
    Sessions(stage.database, stage.clock, folder=Path("unused")).write([began, moved])


def image(stage: Stage, *, of: int = 1, **more: object) -> None:
    types(stage, f" dd if=/dev/sda of=/x/{stage.value('intruder', of)}.img ", **more)  # type: ignore[arg-type]


def test_a_command_before_a_check_solves_its_task_and_shows_its_proof(stage: Stage) -> None:
    assert stage.look("imaged") is DOWN
    image(stage)
    stage.pass_time(10)
    assert stage.look("imaged") is UP
    assert stage.total() == 10_000
    with stage.database.reading() as session:
        last = session.scalars(select(CheckRunRow).order_by(CheckRunRow.round.desc())).first()
    assert last is not None
    assert "on desk: dd if=/dev/sda" in last.output


def test_a_command_after_the_check_is_too_late(stage: Stage) -> None:
    stage.see_door(shut=True)
    stage.looks("shut", 1)
    image(stage)
    assert stage.looks("imaged", 2) == [DOWN, DOWN]
    assert stage.total() == 0


def test_what_came_before_stays_before(stage: Stage) -> None:
    image(stage)
    stage.pass_time(1)
    stage.see_door(shut=True)
    stage.looks("shut", 2)
    assert stage.looks("imaged", 2) == [UP, UP]


def test_what_others_typed_or_elsewhere_is_no_evidence(stage: Stage) -> None:
    Users(stage.database, stage.clock).add("ina", role=Role.INSTRUCTOR, password="h7kd-92mf-xq4r")
    image(stage, who="ina")
    image(stage, number=2)  # in their own world, with our name
    image(stage, of=2)  # in ours, with theirs
    image(stage, host="office")
    assert stage.looks("imaged", 1) == [DOWN]


def test_a_file_that_was_moved_solves_its_task_shows_its_proof_and_is_replayed(
    stage: Stage,
) -> None:
    assert stage.look("carried") is DOWN
    moves(stage)
    stage.pass_time(10)
    assert stage.look("carried") is UP
    assert stage.total() == 5_000
    stage.prove()
    with stage.database.reading() as session:
        last = session.scalars(select(CheckRunRow).order_by(CheckRunRow.round.desc())).first()
    assert last is not None
    assert last.output == f"0:00:45 out of desk: /home/analyst/{stage.value('intruder')}.img"


def test_a_file_that_was_cut_or_is_another_or_went_elsewhere_is_no_evidence(stage: Stage) -> None:
    Users(stage.database, stage.clock).add("ina", role=Role.INSTRUCTOR, password="h7kd-92mf-xq4r")
    moves(stage, whole=False)
    moves(stage, f"/home/analyst/{stage.value('intruder')}.img.part")
    moves(stage, f"/srv/home/analyst/{stage.value('intruder')}.img")
    moves(stage, content="something else")
    moves(stage, direction=Direction.TO_HOST)
    moves(stage, host="office")
    moves(stage, number=2)
    moves(stage, who="ina")
    assert stage.looks("carried", 1) == [DOWN]
    moves(stage)
    assert stage.looks("carried", 1) == [UP]


def test_a_file_that_must_not_come_first_makes_the_other_late(stage: Stage) -> None:
    moves(stage, "/tmp/x", direction=Direction.TO_HOST, whole=False)
    moves(stage)
    stage.pass_time(1)
    moves(stage, "/tmp/x", direction=Direction.TO_HOST)
    assert stage.looks("carried", 1) == [UP]
    assert stage.total() == 5_000
    moves(stage, "/tmp/x", number=2)
    moves(stage, f"/home/analyst/{stage.value('intruder', 2)}.img", number=2,
          content=stage.value("intruder", 2))  # fmt: skip
    assert stage.looks("carried", 1) == [UP]
    assert stage.look("carried", number=2) is DOWN


def test_one_look_at_evidence_is_enough_for_a_failure(stage: Stage) -> None:
    assert stage.first_look("imaged") is DOWN
    with stage.database.reading() as session:
        assert session.scalars(select(CheckRunRow.verdict)).all() == ["down"]


def test_a_check_that_passed_in_time_is_evidence_for_good(stage: Stage) -> None:
    assert stage.looks("quick", 1) == [DOWN]
    stage.see_door(shut=True)
    stage.looks("shut", 1)
    stage.pass_time(600)
    assert stage.looks("quick", 1) == [UP]


def test_a_check_that_passed_too_late_is_none(stage: Stage) -> None:
    stage.pass_time(120)
    stage.see_door(shut=True)
    stage.looks("shut", 1)
    assert stage.looks("quick", 1) == [DOWN]


def test_one_command_after_another_within_some_time(stage: Stage) -> None:
    types(stage, "mail boss")
    assert stage.looks("told", 1) == [DOWN]
    types(stage, "dd if=/dev/sda of=x")
    stage.pass_time(280)
    types(stage, "mail boss")
    assert stage.looks("told", 1) == [UP]


def test_commands_of_a_pause_count_at_the_moment_it_began(stage: Stage) -> None:
    types(stage, "dd if=/dev/sda of=x")
    stage.exercises.pause(stage.exercise.id)
    stage.pass_time(3600)
    stage.exercises.resume(stage.exercise.id)
    types(stage, "mail boss")
    assert stage.looks("told", 1) == [UP]
