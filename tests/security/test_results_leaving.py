"""What leaves a site with the results, and what an LRS can do to whoever tells it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from api.lrs import delivering
from core.clock import SystemClock
from core.ids import new_id
from orchestrator.domain.exercise import Exercise
from scoring.exports.as_json import as_json
from tests.fakes.api_site import ApiSite, api_site
from tests.fakes.lrs import KEY, SECRET, FakeLrs, Wrong, fake_lrs

STATEMENTS = 5
"""How many the exercise below makes."""


@pytest.fixture
def site(tmp_path: Path, lrs: FakeLrs) -> Iterator[ApiSite]:
    with api_site(tmp_path, lrs=lrs) as site:
        yield site


def played(site: ApiSite) -> Exercise:
    """Return an exercise that has ended, in which team 1 found its mark and mistook the thief."""
    services, exercise = site.services, site.launch()
    team = exercise.teams[0]
    for task, value in (
        ("mark", site.answer_of(exercise, "team-1", "mark")),
        ("who", "Ivan from next door"),
    ):
        services.scoring.answer(
            *(exercise, team, team.members[0].user), task=task, value=value, client_key=new_id()
        )
    return services.exercises.end(exercise.id)


def tell(site: ApiSite) -> str:
    """Send what there is; return what was wrong."""
    site.services.outbox.book()
    with delivering(site.services) as delivery:
        return delivery.send().problem


def test_statements_name_nobody_and_hold_no_answer(site: ApiSite, lrs: FakeLrs) -> None:
    exercise = played(site)
    names = {member.name for team in exercise.teams for member in team.members}
    values = {
        str(value)
        for team in exercise.teams
        for value in site.services.exercises.facts(exercise, team).values.values()
    }
    secrets = {*names, *values, exercise.name, "Team 1", "Team 2", "Ivan from next door"}
    assert tell(site) == ""
    sent = json.dumps(list(lrs.statements.values()), ensure_ascii=False)
    assert len(lrs.statements) == STATEMENTS
    assert [secret for secret in secrets if secret in sent] == []
    # The control: the record, which stays here, names them.
    record = as_json(site.services.scoring.record(exercise))
    assert all(name in record for name in names)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_lrs_sends_the_key_and_the_results_nowhere_else(
    site: ApiSite, lrs: FakeLrs, status: int
) -> None:
    played(site)
    with fake_lrs() as other:
        lrs.wrong = lambda _: Wrong(status=status, headers={"Location": f"{other.url}/statements"})
        assert tell(site) == f"it answered {status}"
        assert other.calls == []
        # The control: whoever follows gets there.
        target = httpx.post(
            f"{lrs.url}/statements",
            content="[]",
            headers={"X-Experience-API-Version": "1.0.3"},
            auth=(KEY, SECRET),
            follow_redirects=True,
            verify=False,
            timeout=60,
        )
        assert (target.history[0].status_code, len(other.calls)) == (status, 1)


def test_an_lrs_that_answers_without_end_costs_neither_time_nor_memory(
    site: ApiSite, lrs: FakeLrs
) -> None:
    played(site)
    endless = Wrong(status=200, body=b"[" * 2**20, parts=10_000)
    lrs.wrong = lambda _: endless
    begun = SystemClock().now()
    assert tell(site) == "its answer 200 has more than 262144 bytes"
    assert SystemClock().now() - begun < timedelta(seconds=60)
    lrs.wrong = lambda _: None
    assert tell(site) == ""
