"""`poligon doctor` over a site whose engine is a fake."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from api import bootstrap
from api.bootstrap import Services
from api.cli import database, doctor
from api.cli.main import app
from api.cli.process import look_for_engine
from core.clock import SystemClock
from core.db import Database
from core.ids import ExerciseId
from core.settings import Settings, read_settings
from orchestrator.domain.leftovers import Standing
from orchestrator.ports import EngineTooOldError, EngineUnavailableError, RangeEngine
from scoring.lrs.repository import OutboxRepository
from scoring.proving import Proving
from tests.fakes.fake_engine import WELL, FakeEngine
from tests.fakes.queue import RecordingQueue
from tests.ports import free_port


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine) -> Iterator[None]:
    monkeypatch.setenv("POLIGON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("POLIGON_SCENARIOS", str(tmp_path / "scenarios"))
    monkeypatch.setenv("POLIGON_HTTP_PORT", "1")
    monkeypatch.setenv("POLIGON_SSH_PORT", "1")
    monkeypatch.delenv("POLIGON_DATABASE_URL", raising=False)
    opened: list[Services] = []

    def open_services(settings: Settings) -> Services:
        made = bootstrap.assemble(
            settings, clock=SystemClock(), queue=RecordingQueue(), engine=engine
        )
        opened.append(made)
        return made

    def open_engine(_settings: Settings) -> RangeEngine:
        return engine

    for module in (database, doctor):
        monkeypatch.setattr(module, "open_services", open_services)
    monkeypatch.setattr(doctor, "open_engine", open_engine)
    yield
    for services in opened:
        services.close()


def looks() -> tuple[int, dict[str, dict[str, str]]]:
    result = CliRunner().invoke(app, ["doctor", "--json"])
    return result.exit_code, {found["look"]: found for found in json.loads(result.stdout)}


@pytest.mark.enable_socket
def test_a_site_that_is_well_exits_with_0() -> None:
    code, found = looks()
    assert code == 0
    assert {f["state"] for f in found.values()} <= {"ok", "note"}
    assert found["engine: limits"]["state"] == "ok"


@pytest.mark.enable_socket
def test_something_broken_exits_with_1_and_says_what_to_do(engine: FakeEngine) -> None:
    engine.facts = replace(WELL, default_bridge=False)
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "broken  engine: default bridge: the engine's default bridge docker0 is gone" in (
        result.stdout
    )
    assert "→ Restart the engine" in result.stdout


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "error", [EngineUnavailableError("the engine does not answer", hint="Start it")]
)
def test_an_engine_that_is_away_is_said_once(
    engine: FakeEngine, error: EngineUnavailableError
) -> None:
    for method in ("diagnose", "taken_subnets", "standing"):
        engine.fail(method, error)
    code, found = looks()
    assert code == 1
    away = [f for f in found.values() if f["says"] == "the engine does not answer"]
    assert [(f["look"], f["fix"]) for f in away] == [("engine", "Start it")]


@pytest.mark.enable_socket
def test_a_policy_that_is_wrong_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CliRunner().invoke(app, ["exercise", "list"]).exit_code == 0
    file = tmp_path / "policy.yaml"
    file.write_text("policy: 1\nallow: [{host: a/b, ipc: host}]\n")
    monkeypatch.setenv("POLIGON_POLICY", str(file))
    assert looks()[1]["policy"]["says"] == f"{file} can be read; permissions in it: 1"
    file.write_text("policy: 1\nallows: []\n")
    code, found = looks()
    assert code == 1
    wrong = [f for f in found.values() if "'allows'" in f["says"]]
    assert [(f["look"], f["state"]) for f in wrong] == [("policy", "broken")]


@pytest.mark.enable_socket
def test_an_engine_too_old_is_named(engine: FakeEngine) -> None:
    engine.fail("diagnose", EngineTooOldError("the Docker Engine speaks API 1.39"))
    code, found = looks()
    assert code == 1
    assert "1.39" in found["engine"]["says"]


@pytest.mark.enable_socket
def test_a_ledger_that_did_not_hold_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    CliRunner().invoke(app, ["exercise", "list"])  # which makes the embedded database
    assert looks()[1]["ledgers"]["state"] == "ok"
    faults = {"drill": ("entry 3 of team-1 breaks the chain",)}
    monkeypatch.setattr(Proving, "known_faults", lambda _: faults)
    code, found = looks()
    assert (code, found["ledgers"]["state"]) == (1, "broken")
    assert "the ledger of drill does not hold: entry 3" in found["ledgers"]["says"]
    assert found["ledgers"]["fix"] == "poligon score verify drill"


@pytest.mark.enable_socket
def test_leftovers_are_counted_and_named(engine: FakeEngine) -> None:
    assert CliRunner().invoke(app, ["exercise", "list"]).exit_code == 0
    engine.throwaways = [
        Standing(
            id="1",
            name="poligon.main.gone.team-1.desk",
            is_network=False,
            throwaway=False,
            exercise=ExerciseId("gone"),
            team="team-1",
            made_at=SystemClock().now() - timedelta(hours=1),
        )
    ]
    _, found = looks()
    assert found["leftovers"]["state"] == "note"
    assert "1 things of ours" in found["leftovers"]["says"]
    assert "poligon.main.gone.team-1.desk" in found["leftovers"]["says"]


@pytest.mark.enable_socket
def test_a_broker_is_looked_for_where_there_was_one(tmp_path: Path) -> None:
    place = tmp_path / "home" / "broker" / "engine.sock"
    assert "broker" not in looks()[1]
    place.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        assert looks()[1]["broker"]["state"] == "ok"
    code, found = looks()
    assert (code, found["broker"]["state"]) == (0, "note")
    assert "Connection refused" in found["broker"]["says"]


def test_a_process_that_could_use_the_engine_beside_a_broker_says_so(tmp_path: Path) -> None:
    (tmp_path / "engine").touch()
    engine = f"unix://{tmp_path / 'engine'}"
    with capture_logs() as told:
        look_for_engine(Settings(docker_host=engine))
        look_for_engine(Settings(docker_host="unix:///nowhere", terminal_engine="unix:///b"))
        assert told == []
        look_for_engine(Settings(docker_host=engine, terminal_engine="unix:///b"))
    assert [line["event"] for line in told] == ["engine.within_reach"]


@pytest.mark.enable_socket
def test_a_redis_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "redis" not in looks()[1]
    monkeypatch.setenv("POLIGON_BROKER_URL", f"redis://:secret@127.0.0.1:{free_port()}/0")
    code, found = looks()
    assert (code, found["redis"]["state"]) == (1, "broken")
    assert "Redis does not answer" in found["redis"]["says"]
    assert "secret" not in found["redis"]["says"]


@pytest.mark.enable_socket
def test_results_that_an_lrs_does_not_take_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CliRunner().invoke(app, ["exercise", "list"]).exit_code == 0
    assert "lrs" not in looks()[1]
    monkeypatch.setenv("POLIGON_LRS_URL", "http://127.0.0.1:1/xapi")
    monkeypatch.setenv("POLIGON_LRS_HOME_PAGE", "https://range.example")
    counts = "results for http://127.0.0.1:1/xapi: 0 waiting, 0 delivered, 0 refused, 0 needless"
    found = looks()[1]["lrs"]
    assert (found["state"], found["says"]) == ("ok", counts)
    now = SystemClock().now()
    opened = Database(read_settings().effective_database_url(), queue=RecordingQueue())
    with closing(opened), opened.transaction() as transaction:
        repository = OutboxRepository(transaction.session)
        assert repository.hold("http://127.0.0.1:1/xapi", "me", until=now, now=now)
        repository.let_go(
            *("http://127.0.0.1:1/xapi", "me"), failures=1, due=now, problem="gone", now=now
        )
    found = looks()[1]["lrs"]
    assert (found["state"], found["says"]) == ("note", f"{counts}; gone")
    assert found["fix"] == "poligon lrs status"
