"""A feed of points over HTTP, sent as the how-to says."""

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.domain.exercise import Exercise
from scoring.domain.signing import signature
from tests.fakes.api_site import SCENARIO, ApiSite, api_site

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "give-points-from-outside.md"
TASK = "  reports: {title: Report, feed: {source: CERT game}, points: 40}\n"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ApiSite]:
    with api_site(tmp_path) as site:
        yield site


@pytest.fixture
def exercise(site: ApiSite) -> Exercise:
    folder = site.services.settings.scenarios / "house"
    (folder / "scenario.yaml").write_text(SCENARIO + TASK)
    return site.launch()


def example() -> str:
    found = re.search(r"```sh\n(key=.*?)```", HOW_TO.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_of_the_how_to_gives_points_once(site: ApiSite, exercise: Exercise) -> None:
    site.clock.advance(datetime.now(UTC) - site.clock.now())  # `date` tells the real time
    key = site.services.feeding.key(exercise)
    script = f"poligon() {{ echo {key}; }}; url={site.url}; exercise={exercise.name}\n{example()}"
    told = [
        json.loads(subprocess.run(["bash", "-euc", script], capture_output=True, check=True).stdout)
        for _ in range(2)
    ]
    assert told[0] == {"points": 5.0}
    assert (told[1]["status"], told[1]["code"]) == (409, "feed.repeated")
    tasks = site.web.get(
        f"/api/v1/exercises/{exercise.name}/tasks?team=team-1", headers=site.bearer("ina")
    ).json()
    (fed,) = [task for task in tasks if task["kind"] == "feed"]
    assert (fed["points"], fed["of_points"], fed["source"]) == (5, 40, "CERT game")


def send(site: ApiSite, exercise: str, body: bytes, key: str) -> dict[str, object]:
    timestamp = str(int(site.clock.now().timestamp()))
    headers = {
        "X-Poligon-Timestamp": timestamp,
        "X-Poligon-Signature": signature(key, timestamp, body),
    }
    answer = site.web.post(f"/api/v1/exercises/{exercise}/feed", content=body, headers=headers)
    return {"status": answer.status_code, **answer.json()}


def test_what_is_not_signed_is_told_the_same_whether_or_not_there_is_the_exercise(
    site: ApiSite, exercise: Exercise
) -> None:
    here = send(site, exercise.name, b"{}", "00")
    nowhere = send(site, "nowhere", b"{}", "00")
    here.pop("request_id")
    nowhere.pop("request_id")
    assert here == nowhere
    assert (here["status"], here["code"]) == (401, "feed.refused")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"points": "lots"}, "request.invalid"),
        ({"points": 0.0001}, "request.invalid"),
        ({"points": 41}, "feed.out_of_range"),
        ({"more": 1}, "request.invalid"),
        ({"reason": " "}, "request.invalid"),
        ({"reason": "a\x00b"}, "request.invalid"),
        ({"event": ""}, "request.invalid"),
        ({"team": "team-9"}, "team.unknown"),
        ({"task": "who"}, "task.not_fed"),
        ({"task": "nowhere"}, "task.unknown"),
    ],
)
def test_a_signed_event_that_cannot_be_taken_says_why_and_changes_nothing(
    site: ApiSite, exercise: Exercise, change: dict[str, object], code: str
) -> None:
    good = {"event": "1", "team": "team-1", "task": "reports", "points": 5, "reason": "early"}
    key = site.services.feeding.key(exercise)
    told = send(site, exercise.name, json.dumps({**good, **change}).encode(), key)
    assert told["code"] == code, told
    assert send(site, exercise.name, json.dumps(good).encode(), key) == {"status": 200, "points": 5}
