"""The composition root: the only place that knows which class stands behind a port."""

from dataclasses import dataclass
from pathlib import Path

from core.clock import Clock, SystemClock
from core.db import Database
from core.jobs import JobQueue
from core.queue import CeleryQueue, celery_app
from core.scenario.policy_file import read_policy
from core.scenario.site_policy import SitePolicy
from core.settings import Settings
from core.users.service import Users
from orchestrator.claims import Claims
from orchestrator.engine.runtime import DockerEngine
from orchestrator.injects.service import Injects
from orchestrator.janitor import Janitor
from orchestrator.library import Library
from orchestrator.ports import RangeEngine
from orchestrator.reconcile import Reconciling
from orchestrator.rehearsals import Rehearsals
from orchestrator.resets import Resets
from orchestrator.self_test import Thoroughness
from orchestrator.service import Exercises
from orchestrator.timekeeping import Timekeeping
from orchestrator.worlds import Worlds
from scoring.scorekeeping import Scorekeeping
from scoring.service import Scoring


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a process of a site needs."""

    settings: Settings
    clock: Clock
    database: Database
    users: Users
    exercises: Exercises
    timekeeping: Timekeeping
    worlds: Worlds
    reconciling: Reconciling
    resets: Resets
    janitor: Janitor
    injects: Injects
    scoring: Scoring
    rehearsals: Rehearsals
    engine: RangeEngine
    queue: JobQueue
    policy: SitePolicy

    def close(self) -> None:
        """Give back what the process holds."""
        self.database.close()


def open_services(settings: Settings) -> Services:
    """Return the services over a site's database, queue and engine.

    Nothing is asked of any of them yet. Raises DatabaseUnavailableError when SQLite's folder
    cannot be made, PolicyInvalidError.
    """
    queue = CeleryQueue(celery_app(settings))
    return assemble(settings, clock=SystemClock(), queue=queue, engine=open_engine(settings))


def assemble(settings: Settings, *, clock: Clock, queue: JobQueue, engine: RangeEngine) -> Services:
    """Return the services over these, for tests as for processes; raises PolicyInvalidError."""
    policy = read_policy(settings.policy)
    database = Database(settings.effective_database_url(), queue=queue)
    users = Users(database, clock)
    library = Library(database, clock, _cache(settings))
    exercises = Exercises(database, clock, users, library, policy)
    worlds = Worlds(
        database=database,
        clock=clock,
        exercises=exercises,
        engine=engine,
        installation=settings.installation,
        pool=settings.address_pool,
        internet_pool=settings.internet_pool,
        self_test=Thoroughness(settings.self_test),
    )
    scorekeeping = Scorekeeping(clock)
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        users=users,
        exercises=exercises,
        timekeeping=Timekeeping(database, clock, exercises),
        worlds=worlds,
        resets=Resets(database, clock, exercises, scorekeeping),
        reconciling=Reconciling(
            database=database,
            clock=clock,
            exercises=exercises,
            worlds=worlds,
            engine=engine,
            claims=Claims(database, clock),
        ),
        janitor=Janitor(exercises, engine, clock, expiry=settings.expiry),
        injects=Injects(database, clock, exercises, engine, scorekeeping, worlds.plan),
        scoring=Scoring(database, clock, exercises, engine),
        rehearsals=Rehearsals(database),
        engine=engine,
        queue=queue,
        policy=policy,
    )


def open_engine(settings: Settings) -> RangeEngine:
    """Return the site's container engine; it is asked nothing yet."""
    return DockerEngine(
        settings.docker_host,
        installation=settings.installation,
        parallelism=settings.engine_parallelism,
    )


def _cache(settings: Settings) -> Path:
    return settings.home / "scenarios"
