"""Several processes that serve the pages and the interface on one port."""

import os
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from api.cli.main import app
from core.ids import TeamId, new_id
from core.waiting import until
from scoring.tables import SolveRow, SubmissionRow
from tests.benchmarks.scoring.served_site import ServedSite, served_site
from tests.benchmarks.ways.usage import children_of
from tests.connections import established, listeners
from tests.ports import free_port

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(300)]

TEAMS, TASKS, CLIENTS = 4, 3, 16
SOON = timedelta(seconds=60)


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[ServedSite]:
    with served_site(database_url, tmp_path, teams=TEAMS, tasks=TASKS, processes=2) as site:
        yield site


@pytest.fixture
def clients(site: ServedSite) -> Iterator[list[httpx.Client]]:
    """Lend clients, each with a connection of its own that is kept open."""
    with ExitStack() as held:
        yield [held.enter_context(a_client(site)) for _ in range(CLIENTS)]


@contextmanager
def a_client(site: ServedSite) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{site.port}", timeout=60) as client:
        assert client.get("/healthz").is_success
        yield client


def verdict(
    client: httpx.Client, site: ServedSite, team: TeamId, task: int, key: str, *, right: bool = True
) -> str:
    told = client.post(
        f"/api/v1/exercises/{site.exercise.name}/answers",
        json={"task": f"ask_{task}", "value": f"{'this' if right else 'that'} {task}"},
        headers={"Authorization": f"Bearer {site.tokens[team]}", "Idempotency-Key": key},
    )
    assert told.status_code == 200, told.text
    found: str = told.json()["verdict"]
    return found


def test_an_answer_counts_once_whichever_process_takes_it(
    site: ServedSite, clients: list[httpx.Client]
) -> None:
    _, *servers = site.pids
    assert len(servers) == 2

    def both_serve() -> bool:
        """Tell whether each has some connections, which it closes when nobody asks for 5 s."""
        assert all(client.get("/healthz").is_success for client in clients)
        return all(established(pid, site.port) for pid in servers)

    until(both_serve, what="connections of both", within=SOON)
    with ThreadPoolExecutor(CLIENTS) as pool:
        for team in site.tokens:
            key = new_id()
            again = pool.map(lambda c, t=team, k=key: verdict(c, site, t, 0, k), clients)
            assert set(again) == {"correct"}, "the same answer, sent by many at once"
            first = list(pool.map(lambda c, t=team: verdict(c, site, t, 1, new_id()), clients))
            assert (first.count("correct"), first.count("already")) == (1, CLIENTS - 1)
            wrong = pool.map(
                lambda c, t=team: verdict(c, site, t, 2, new_id(), right=False), clients
            )
            assert set(wrong) == {"wrong"}
    with site.database.reading() as session:
        solves = session.execute(select(SolveRow.team_id, SolveRow.task)).all()
        sent = session.execute(select(SubmissionRow.team_id, SubmissionRow.attempt)).all()
    assert sorted(solves) == sorted((team, f"ask_{n}") for team in site.tokens for n in (0, 1))
    assert len(sent) == TEAMS * (1 + 2 * CLIENTS)
    for team in site.tokens:
        attempts = [attempt for whose, attempt in sent if whose == team and attempt is not None]
        assert sorted(attempts) == sorted([1, 1, *range(1, CLIENTS + 1)])


def test_one_that_is_killed_is_stood_in_for_by_the_other_and_started_again(
    site: ServedSite, clients: list[httpx.Client]
) -> None:
    supervisor, killed, other = site.pids
    os.kill(killed, signal.SIGKILL)
    until(lambda: killed not in children_of(supervisor), what="its end", within=SOON)
    for client in clients:
        try:
            assert client.get("/readyz").is_success
        except httpx.TransportError:  # it was the killed one's, and is made anew
            assert client.get("/readyz").is_success
    until(lambda: listeners(site.port) == 2, what="another one in its place", within=SOON)
    assert other in (living := children_of(supervisor))
    assert len(living) == 2


def test_a_whole_site_has_as_many_as_wanted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    supervised: list[str] = []

    def supervise(commands: Mapping[str, object], **_: object) -> int:
        supervised.extend(commands)
        return 0

    monkeypatch.setattr("api.cli.serve.supervise", supervise)
    environment = {
        "POLIGON_HOME": str(tmp_path),
        "POLIGON_HTTP_PORT": str(free_port()),
        "POLIGON_SSH_PORT": str(free_port()),
        "POLIGON_API_PROCESSES": "3",
        "POLIGON_GATEWAYS": "2",
    }
    done = CliRunner().invoke(app, ["serve", "--all"], env=environment)
    assert done.exit_code == 0, done.output
    assert supervised == ["broker", "worker", "gateway", "gateway-2", "serve", "serve-2", "serve-3"]


def test_all_end_when_they_are_told_to(site: ServedSite) -> None:
    os.kill(site.pids[0], signal.SIGTERM)
    until(lambda: not listeners(site.port), what="their end", within=SOON)
    until(lambda: not any(map(children_of, site.pids)), what="no process left", within=SOON)
