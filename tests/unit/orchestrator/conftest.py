"""A whole orchestrator over SQLite and the fake engine, driven job by job."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import pytest

import api.tables
import scoring.tables
from core.db import Database
from core.jobs import Job
from core.scenario.load import LoadedScenario, load
from core.users.service import Users
from orchestrator.claims import Claims
from orchestrator.domain.exercise import Exercise
from orchestrator.library import Library
from orchestrator.reconcile import Reconciling
from orchestrator.self_test import Thoroughness
from orchestrator.service import (
    Exercises,
    TeamSpec,
)
from orchestrator.worlds import Worlds
from tests.fakes.clock import FakeClock
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.jobs import acts_on_worlds, do
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import create_tables

TABLES = (api.tables, scoring.tables)

SCENARIO = """\
language: 1
scenario: {id: harbour, version: 1.0.0, title: The harbour, kind: investigation, duration: 1h}
roles: {analyst: {side: blue}}
values: {note: {type: flag, format: "HB{%s}", length: 12}}
networks: {office: {size: /28}, dmz: {size: /29}}
hosts:
  desk:
    image: "debian:bookworm-slim"
    networks: {office: {}, dmz: {}}
    accounts: [{name: ana, roles: [analyst]}]
    ready: [{run: ["true"], within: 1s, every: 1s}]
  mail:
    image: "debian:bookworm-slim"
    networks: {dmz: {alias: mail.harbour.test}}
    files: [{to: /root/note, text: "{{ values.note }} {{ hosts.desk.ips.dmz }}"}]
access: [{roles: [analyst], host: desk, as: ana, default: true}]
tasks: {note: {flag: note, title: The note, points: 10}}
"""


@dataclass(kw_only=True)
class Site:
    """Everything of an orchestrator; `work` does the jobs that were sent."""

    database: Database
    clock: FakeClock
    queue: RecordingQueue
    engine: FakeEngine
    users: Users
    exercises: Exercises
    scenario: LoadedScenario
    new_worker: Callable[..., Worlds]

    def __post_init__(self) -> None:
        self.worker = self.new_worker()
        self.reconciling = self.new_reconciling()

    def new_reconciling(self) -> Reconciling:
        return Reconciling(
            database=self.database,
            clock=self.clock,
            exercises=self.exercises,
            worlds=self.worker,
            engine=self.engine,
            claims=Claims(self.database, self.clock),
        )

    def launch(self, teams: int = 2) -> Exercise:
        specs = [TeamSpec(name=f"Team {number}") for number in range(1, teams + 1)]
        return self.exercises.launch(self.scenario, teams=specs, by=None)

    def now(self, exercise: Exercise) -> Exercise:
        return self.exercises.get(exercise.id)

    def do(self, job: Job, worker: Worlds | None = None) -> None:
        """Do a job as a worker does: an error of ours ends it, and nothing else."""
        do(acts_on_worlds(worker or self.worker, self.reconciling), job)

    def work(self) -> None:
        """Do every job that was sent, and those that they send."""
        while jobs := self.queue.take():
            for job in jobs:
                self.do(job)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "harbour"
    folder.mkdir()
    (folder / "scenario.yaml").write_text(SCENARIO)
    queue, clock = RecordingQueue(), FakeClock()
    engine = FakeEngine(clock=clock)
    database = Database(f"sqlite:///{tmp_path / 'site.db'}", queue=queue)
    create_tables(database)
    users = Users(database, clock)
    exercises = Exercises(database, clock, users, Library(database, clock, tmp_path / "packs"))

    def new_worker(self_test: Thoroughness = Thoroughness.EVERY) -> Worlds:
        return Worlds(
            database=database,
            clock=clock,
            exercises=exercises,
            engine=engine,
            installation="test",
            pool=[IPv4Network("10.213.0.0/24")],
            self_test=self_test,
        )

    yield Site(
        database=database,
        clock=clock,
        queue=queue,
        engine=engine,
        users=users,
        exercises=exercises,
        scenario=load(folder),
        new_worker=new_worker,
    )
    database.close()
