import re
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from core.scenario.lint import lint
from core.scenario.load import LoadedScenario, load
from core.scenario.render import Renderer, TeamFacts
from core.scenario.values import derive_values

FOLDER = Path(__file__).parents[4] / "scenarios" / "night-shift"
START = datetime(2026, 3, 1, 0, 10, tzinfo=UTC)
SUBNET = IPv4Network("10.20.30.0/28")


@pytest.fixture(scope="module")
def night_shift() -> LoadedScenario:
    return load(FOLDER)


def facts_of(loaded: LoadedScenario, team: str) -> TeamFacts:
    return TeamFacts(
        slug=team,
        name=team,
        number=1,
        teams=(team,),
        values=derive_values(
            loaded.scenario, loaded, key=b"k", team=team, start=START, subnets={"office": SUBNET}
        ),
        addresses={"desk": {"office": SUBNET[2]}, "office": {"office": SUBNET[3]}},
        subnets={"office": SUBNET},
        start=START,
    )


def test_it_has_no_problem() -> None:
    assert lint(FOLDER) == ()


@pytest.mark.parametrize("team", [f"team-{n}" for n in range(1, 9)])
def test_its_log_is_in_order_and_tells_one_guessed_password(
    night_shift: LoadedScenario, team: str
) -> None:
    facts = facts_of(night_shift, team)
    log = Renderer(night_shift, facts).file("evidence/auth.log.j2").decode().splitlines()
    times = [datetime.strptime(f"2026 {line[:15]} +0000", "%Y %b %d %H:%M:%S %z") for line in log]
    assert times == sorted(times)
    assert times[-1] < START
    failed = [m[1] for m in (re.search(r"Failed password for (\S+) from", x) for x in log) if m]
    guessed = [line for line in log if "Accepted password" in line]
    suspects = {line.split()[8] for line in guessed if failed.count(line.split()[8]) > 10}
    assert suspects == {facts.values["intruder"]}


def test_its_evidence_agrees_on_when_the_intruder_came(night_shift: LoadedScenario) -> None:
    facts = facts_of(night_shift, "team-1")
    renderer = Renderer(night_shift, facts)
    entry = facts.values["entry"]
    assert isinstance(entry, datetime)
    assert entry.hour in range(1, 4)
    assert START - timedelta(days=2) < entry < START
    first = renderer.file("evidence/bash_history.j2").decode().splitlines()[0]
    assert first == f"#{int(entry.timestamp()) + 20}"


def test_its_flag_is_in_the_tool_and_nowhere_else(night_shift: LoadedScenario) -> None:
    facts = facts_of(night_shift, "team-1")
    renderer = Renderer(night_shift, facts)
    flag = str(facts.values["tool_mark"]).encode()
    holders = {
        path.name
        for path in (FOLDER / "evidence").iterdir()
        if flag in renderer.file(f"evidence/{path.name}")
    }
    assert holders == {"sync.sh.j2"}
