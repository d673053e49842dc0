"""One check of a scenario, tried in a world that is raised for it; on a fake engine."""

from pathlib import Path

import pytest

from api.rehearsal import site
from api.rehearsal.trying import WorldNotStandingError, try_check
from core.scenario.load import load
from orchestrator.ports import RunResult
from scoring.checks.probes import Finding
from scoring.domain.verdicts import Verdict
from scoring.errors import CheckUnknownError
from tests.fakes.clock import FakeClock
from tests.fakes.rehearsal_hall import Hall, make_tables


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hall:
    monkeypatch.setattr(site, "upgrade", make_tables)
    return Hall(folder=tmp_path)


def tried(hall: Hall, check: str) -> Finding:
    found, _ = try_check(
        load(hall.folder / "harbour"),
        check,
        site=hall.site,
        clock=FakeClock(),
        open_engine=lambda _: hall.engine,
        say=hall.told.append,
    )
    return found


def test_a_check_is_looked_at_as_a_team_begins_and_nothing_is_left(hall: Hall) -> None:
    assert tried(hall, "mail_up") == Finding(verdict=Verdict.UP, output="seen")
    assert tried(hall, "shut") == Finding(verdict=Verdict.DOWN, output="seen")
    assert hall.engine.remaining() == ()
    assert not (hall.folder / "home" / "rehearsal").exists()


def test_a_check_that_there_is_not_raises_no_world(hall: Hall) -> None:
    with pytest.raises(CheckUnknownError, match="no check 'door'"):
        tried(hall, "door")
    assert hall.engine.calls == []


def test_a_world_that_does_not_stand_is_told(hall: Hall) -> None:
    hall.engine.on_run = lambda _host, _command: RunResult(exit_code=1, output="not yet")
    hall.engine.answer(["true"], exit_code=1, output="not yet")
    with pytest.raises(WorldNotStandingError, match="does not stand"):
        tried(hall, "mail_up")
    assert hall.engine.remaining() == ()
