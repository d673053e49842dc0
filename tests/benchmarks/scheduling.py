"""What a worker's sweeps cost while exercises run: one minute of them, without an engine.

A worker looks every two seconds for what is due. Here one minute passes on a fake clock with 1, 10
and 100 running exercises of 2 teams and one check every 30 s each, on the fake engine and SQLite.
Told are the statements and the processor time of the sweeps alone, and those of the jobs that they
send. The first line is the baseline: what grows faster than the number of exercises shows.

Usage: ./dev bench scheduling [--exercises 1,10,100] [--json FILE]
"""

import argparse
import json
import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import event

from api.bootstrap import Services, assemble
from core.ids import ExerciseId, TeamId
from core.jobs import Job
from core.log import configure_logging
from core.migration import upgrade
from core.scenario.load import load
from core.settings import Settings
from orchestrator.service import TeamSpec
from scoring.checking import CHECK
from tests.fakes.clock import FakeClock
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.jobs import acts_of, do
from tests.fakes.queue import RecordingQueue

_TEAMS = 2
_SWEEP_EVERY = timedelta(seconds=2)
_MINUTE = timedelta(minutes=1)
_SCENARIO = """\
language: 1
scenario: {id: swept, version: 1.0.0, title: Swept, kind: investigation, duration: 8h}
roles: {analyst: {side: blue}}
networks: {office: {size: /28}}
hosts:
  desk: {image: "debian:bookworm-slim", networks: {office: {}}}
  mail: {image: "debian:bookworm-slim", networks: {office: {}}}
checks: {there: {host: desk, run: ["true"], every: 30s}}
tasks: {keep: {title: Keep it, availability: there, points: 10}}
"""


@dataclass(kw_only=True)
class Work:
    """Statements and processor seconds."""

    statements: int = 0
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """One minute with so many running exercises; `checks` is how many were due in it."""

    exercises: int
    sweeps: Work
    jobs: Work
    checks: int


class Stage:
    """A site with running exercises, and a count of what its database is asked."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.queue = FakeClock(), RecordingQueue()
        settings = Settings(home=folder / "home", installation="sweeps")
        upgrade(settings.effective_database_url())
        self.services: Services = assemble(
            settings, clock=self.clock, queue=self.queue, engine=FakeEngine(clock=self.clock)
        )
        self._folder = folder / "swept"
        self._folder.mkdir()
        (self._folder / "scenario.yaml").write_text(_SCENARIO)
        self._statements = 0
        event.listen(self.services.database.engine, "before_cursor_execute", self._count)

    def run_exercises(self, count: int) -> None:
        """Launch and start so many exercises."""
        exercises, acts = self.services.exercises, acts_of(self.services)
        specs = [TeamSpec(name=f"Team {number}") for number in range(1, _TEAMS + 1)]
        for _ in range(count):
            exercise = exercises.launch(load(self._folder), teams=specs, by=None)
            while jobs := self.queue.take():
                for job in jobs:
                    do(acts, job)
            exercises.start(exercise.id)

    def minute(self, exercises: int) -> Minute:
        """Let a minute pass."""
        sweeps, jobs, checks = Work(), Work(), 0
        for _ in range(_MINUTE // _SWEEP_EVERY):
            self.clock.advance(_SWEEP_EVERY)
            with self._added_to(sweeps):
                self.services.worlds.sweep()
                self.services.scoring.sweep()
            due = self.queue.take()
            checks += len(due)
            with self._added_to(jobs):
                for job in due:
                    self._check(job)
        return Minute(exercises=exercises, sweeps=sweeps, jobs=jobs, checks=checks)

    def _check(self, job: Job) -> None:
        assert job.name == CHECK, f"only checks are due in a running exercise, not {job}"
        exercise, team, check, number = job.arguments
        seen = self.services.scoring.run_check(
            ExerciseId(exercise), TeamId(team), check, int(number)
        )
        assert seen is not None, "a check that was due was not carried out"

    @contextmanager
    def _added_to(self, work: Work) -> Iterator[None]:
        statements, cpu = self._statements, time.process_time()
        yield
        work.statements += self._statements - statements
        work.cpu_seconds += time.process_time() - cpu

    def _count(self, *_: object) -> None:
        self._statements += 1


def measure(exercises: int) -> Minute:
    """Measure one number of running exercises."""
    with tempfile.TemporaryDirectory(prefix="poligon-scheduling-") as folder:
        stage = Stage(Path(folder))
        stage.run_exercises(exercises)
        stage.minute(exercises)  # caches fill in the first one
        minute = stage.minute(exercises)
        stage.services.close()
    wanted = exercises * _TEAMS * 2
    assert minute.checks == wanted, f"{minute.checks} checks ran, {wanted} were due"
    return minute


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description="Scheduling: what a worker's sweeps cost.")
    parser.add_argument("--exercises", default="1,10,100", help="how many run at once")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    wanted = parser.parse_args()
    configure_logging(json=True, level=logging.ERROR)
    minutes = [measure(int(number)) for number in wanted.exercises.split(",")]
    print("one minute of a worker, 30 sweeps   sweeps                 jobs (checks)")
    print(f"{'running':>10} {'statements':>22} {'CPU s':>8} {'statements':>12} {'CPU s':>8}")
    for m in minutes:
        print(
            f"{m.exercises:>10} {m.sweeps.statements:>22} {m.sweeps.cpu_seconds:>8.2f}"
            f" {m.jobs.statements:>12} {m.jobs.cpu_seconds:>8.2f}"
        )
    first, last = minutes[0], minutes[-1]
    statements = last.sweeps.statements / first.sweeps.statements
    cpu = last.sweeps.cpu_seconds / first.sweeps.cpu_seconds
    print(
        f"from {first.exercises} to {last.exercises} exercises the sweeps take {statements:.1f}"
        f" times the statements and {cpu:.1f} times the CPU"
    )
    if wanted.json:
        wanted.json.write_text(json.dumps([asdict(m) for m in minutes], indent=2) + "\n")


if __name__ == "__main__":
    main()
