"""`poligon doctor` over a site whose engine is a fake."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api import bootstrap
from api.bootstrap import Services
from api.cli import database, doctor
from api.cli.main import app
from core.clock import SystemClock
from core.ids import ExerciseId
from core.settings import Settings
from orchestrator.domain.leftovers import Standing
from orchestrator.ports import EngineTooOldError, EngineUnavailableError, RangeEngine
from tests.fakes.fake_engine import WELL, FakeEngine
from tests.fakes.queue import RecordingQueue


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
