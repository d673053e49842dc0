"""Results of an exercise, from its play to a learning record store, and a correction of them."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from api.bootstrap import open_services
from api.cli import worker
from api.lrs import delivering
from core.migration import upgrade
from core.waiting import until
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import Phase
from orchestrator.tables import ExerciseRow
from scoring.domain.amendments import Adjust
from scoring.lrs.outbox import LrsNotSetError
from tests.fakes.api_site import SCENARIO, ApiSite, api_site
from tests.fakes.correction_desk import Instructors
from tests.fakes.lrs import FakeLrs, Wrong
from tests.fakes.worker_site import cli_after, launch, site_of
from tests.fakes.worker_site import worker as a_worker

HANGS = 45
# A worker that gives no call up before the LRS answers, however busy the machine is.
PATIENT = cli_after(
    "from datetime import timedelta; from functools import partial; from api import lrs; "
    "lrs.HttpLrs = partial(lrs.HttpLrs, within=timedelta(minutes=5))"
)


@pytest.fixture
def site(tmp_path: Path, lrs: FakeLrs) -> Iterator[ApiSite]:
    with api_site(tmp_path, lrs=lrs) as site:
        yield site


class Played:
    """An exercise that has ended, in which team 1 found its mark."""

    def __init__(self, site: ApiSite) -> None:
        self._id = self._play(site)
        self.site = site
        self.database, self.clock = site.services.database, site.clock
        self.exercises = site.services.exercises

    @property
    def exercise(self) -> Exercise:
        return self.exercises.get(self._id)

    @staticmethod
    def _play(site: ApiSite) -> str:
        exercise = site.launch()
        trainee = exercise.teams[0].members[0].name
        answer = {"task": "mark", "value": site.answer_of(exercise, "team-1", "mark")}
        site.web.post(
            f"/api/v1/exercises/{exercise.name}/answers", json=answer, headers=site.bearer(trainee)
        ).raise_for_status()
        return site.services.exercises.end(exercise.id).id


def sweep(site: ApiSite) -> None:
    """Do what the worker's ticker does in a turn, some seconds later."""
    site.services.outbox.book()
    with delivering(site.services) as delivery:
        delivery.sweep()


def points(lrs: FakeLrs, user: str) -> list[float]:
    """Return the points with which somebody completed exercises, as far as it stands."""
    return [
        statement["result"]["score"]["raw"]
        for statement in lrs.standing.values()
        if statement["verb"]["display"]["en"] == "completed"
        and statement["actor"]["account"] == {"homePage": "https://range.test", "name": user}
    ]


def test_results_reach_the_lrs_and_a_correction_takes_back_what_was_told(
    site: ApiSite, lrs: FakeLrs
) -> None:
    played = Played(site)
    user = played.exercise.teams[0].members[0].user
    sweep(site)
    assert points(lrs, user) == [10.0]
    told = dict(lrs.statements)
    sweep(site)
    assert lrs.statements == told

    instructors = Instructors(played)
    correction = instructors.propose(Adjust(team="team-1", task="mark", points=Decimal(-4)))
    sweep(site)
    assert lrs.statements == told  # nobody approved it yet
    instructors.approve(correction.id)
    sweep(site)
    assert points(lrs, user) == [6.0]
    assert len(lrs.voided) == 2  # what they completed with, and the share of an objective
    assert told.keys() < lrs.statements.keys()


def test_the_lrs_has_what_staff_download(site: ApiSite, lrs: FakeLrs) -> None:
    played = Played(site)
    sweep(site)
    name = played.exercise.name
    headers = site.bearer("sara")
    by_api = site.web.get(f"/api/v1/exercises/{name}/record?format=xapi", headers=headers)
    by_page = site.page("sara", f"/exercises/{name}/record.xapi")
    assert by_api.json() == by_page.json() == list(lrs.statements.values())
    assert by_api.headers["content-disposition"].endswith(f'{name}-record.xapi.json"')


def test_metrics_tell_how_many_statements_wait(site: ApiSite, lrs: FakeLrs) -> None:
    Played(site)
    lrs.wrong = lambda _: Wrong(status=401)
    sweep(site)
    told = site.web.get("/metrics", headers=site.bearer("root")).text
    assert 'poligon_lrs_statements{state="waiting"} 5' in told
    assert 'poligon_lrs_statements{state="delivered"} 0' in told
    assert 'poligon_lrs_statements{state="refused"} 0' in told


def test_a_worker_tells_by_itself(site: ApiSite, lrs: FakeLrs) -> None:
    Played(site)
    with worker._telling(site.services):
        until(
            lambda: len(lrs.statements) == 5,
            what="five statements at the LRS",
            within=timedelta(seconds=60),
            last_seen=lambda: str(lrs.calls),
        )


def test_a_site_without_an_lrs_tells_nobody(tmp_path: Path) -> None:
    with api_site(tmp_path) as site:
        Played(site)
        assert site.services.outbox.sweep() == 0
        with pytest.raises(LrsNotSetError), delivering(site.services):
            pass
        told = site.web.get("/metrics", headers=site.bearer("root"))
        assert (told.status_code, "lrs" in told.text) == (200, False)
        found = site.web.get(
            f"/api/v1/exercises/{_only(site).name}/record?format=xapi", headers=site.bearer("sara")
        )
        assert len(found.json()) > 0


def _only(site: ApiSite) -> Exercise:
    return site.services.exercises.recent(limit=1)[0]


def test_an_lrs_that_hangs_holds_nothing_else_of_a_worker_up(
    tmp_path: Path, lrs: FakeLrs, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = site_of(tmp_path, SCENARIO)
    settings = settings.model_copy(update={"docker_host": f"unix://{tmp_path}/no-engine"})
    upgrade(settings.effective_database_url())
    services = open_services(settings)
    exercise = launch(services, teams=1)
    with services.database.transaction() as transaction:
        transaction.session.get_one(ExerciseRow, exercise.id).phase = Phase.ENDED
    services.close()
    monkeypatch.setenv("POLIGON_LRS_URL", lrs.url)
    monkeypatch.setenv("POLIGON_LRS_HOME_PAGE", "https://range.test")
    lrs.wrong = lambda _: Wrong(status=200, body=b"x", pause=HANGS)

    def seen() -> int:
        """Return when the worker gave its last sign of life; 0 before the first."""
        sign = settings.home / "worker.seen"
        return sign.stat().st_mtime_ns if sign.exists() else 0

    with a_worker(settings, PATIENT):
        until(lambda: lrs.calls != [], what="a call", within=timedelta(seconds=60))
        last = seen()
        within = timedelta(seconds=HANGS - 5)
        until(lambda: seen() > last, what="a sign of life while the LRS hangs", within=within)
        assert len(lrs.calls) == 1
        lrs.closing.set()
