"""Commands of injects in a real host: once, with their surroundings, and with an end."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import docker
import pytest

from core.ids import ExerciseId, TeamId, new_id
from core.settings import read_settings
from core.waiting import until
from orchestrator.domain.injects import Firing, FiringState
from orchestrator.domain.world import Attachment, HostKey, HostPlan, NetworkPlan, WorldKey
from orchestrator.engine.runtime import DockerEngine
from orchestrator.injects.deeds import once
from orchestrator.injects.records import Record
from orchestrator.ports import RunResult
from tests.addresses import fresh_subnet
from tests.fakes.fake_engine import BASE_IMAGE

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

SUBNET = fresh_subnet()
SOON = timedelta(seconds=20)


@pytest.fixture(scope="module")
def engine(docker_client: docker.DockerClient) -> Iterator[DockerEngine]:
    engine = DockerEngine(read_settings().docker_host, installation=f"test-{new_id(8)}")
    yield engine
    engine.remove_everything()


@pytest.fixture(scope="module")
def host(engine: DockerEngine) -> HostKey:
    world = WorldKey(exercise=ExerciseId(new_id()), team="team-1")
    engine.raise_network(world, NetworkPlan(network="office", subnet=SUBNET))
    place = Attachment(network="office", address=SUBNET[2])
    engine.raise_host(world, HostPlan(host="files", image=BASE_IMAGE, attachments=(place,)))
    return HostKey(world=world, host="files")


def firing(attempt: int = 1, occurrence: int = 3) -> Record:
    return Record(
        id=new_id(),
        team=TeamId("t"),
        firing=Firing(inject="note", occurrence=occurrence, state=FiringState.FIRING),
        due=None,
        changed_at=datetime(2026, 1, 1, tzinfo=UTC),
        undo=None,
        attempt=attempt,
        detail="",
        expectation=None,
    )


def run(
    engine: DockerEngine,
    host: HostKey,
    record: Record,
    script: str,
    within: timedelta = SOON,
) -> RunResult:
    return engine.run(host, once(record, ["sh", "-c", script]), timeout=within)


def test_a_command_runs_once_and_knows_which_inject_it_is(
    engine: DockerEngine, host: HostKey
) -> None:
    record = firing()
    script = 'echo "$POLIGON_INJECT $POLIGON_OCCURRENCE" >>/root/notes; exit 7'
    assert run(engine, host, record, script).exit_code == 7
    assert run(engine, host, record, script).exit_code == 7, "as it ended the first time"
    notes = engine.run(host, ("cat", "/root/notes"), timeout=SOON)
    assert notes.output == "note 3\n"


def test_a_command_that_hangs_is_ended_and_the_next_worker_does_not_begin_it_again(
    engine: DockerEngine, host: HostKey
) -> None:
    record = firing()
    script = "echo begun >>/root/begun; echo waiting; sleep 300"
    hung = run(engine, host, record, script, within=timedelta(seconds=15))
    assert (hung.exit_code, hung.output) == (124, "waiting\n")
    again = run(engine, host, record, script)
    assert again.exit_code == 125
    assert again.output.startswith("it was begun before, and nobody saw its end")
    begun = engine.run(host, ("cat", "/root/begun"), timeout=SOON)
    assert begun.output == "begun\n"
    assert not running(engine, host, "sleep 300")


def test_whoever_takes_over_ends_what_was_left_running(engine: DockerEngine, host: HostKey) -> None:
    record = firing()
    left = f"setsid {' '.join(map(quoted, once(record, ['sleep', '301'])))} >/dev/null 2>&1 &"
    engine.run(host, ("sh", "-c", left), timeout=SOON)
    until(lambda: running(engine, host, "sleep 301"), what="what is left running", within=SOON)
    assert run(engine, host, record, "true").exit_code == 125
    until(lambda: not running(engine, host, "sleep 301"), what="its end", within=SOON)


def test_a_command_that_prints_megabytes_ends_and_is_cut(
    engine: DockerEngine, host: HostKey
) -> None:
    chatty = run(engine, host, firing(), "yes | head -c 5000000")
    assert chatty.exit_code == 0
    assert len(chatty.output) == 64 * 1024


def quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def running(engine: DockerEngine, host: HostKey, words: str) -> bool:
    """Look for a process by its command line; the image has no ps."""
    script = (
        "for p in /proc/[0-9]*/cmdline; do"
        f" [ \"$(tr '\\0' ' ' <$p 2>/dev/null)\" = '{words} ' ] && exit 0; done; exit 1"
    )
    return engine.run(host, ("sh", "-c", script), timeout=SOON).ok
