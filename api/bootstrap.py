"""The composition root: every service of a site, over its database, queue and engine."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from api.engine import open_engine
from core.clock import Clock, SystemClock
from core.db import Database
from core.jobs import JobQueue
from core.queue import CeleryQueue, celery_app
from core.scenario.policy_file import read_policy
from core.scenario.site_policy import SitePolicy
from core.settings import Settings
from core.users.service import Users
from orchestrator.casting import Casting
from orchestrator.claims import Claims
from orchestrator.injects.service import Injects
from orchestrator.janitor import Janitor
from orchestrator.library import Library
from orchestrator.ports import RangeEngine
from orchestrator.reconcile import Reconciling
from orchestrator.rehearsals import Rehearsals
from orchestrator.resets import Resets
from orchestrator.retention import Retention
from orchestrator.self_test import Thoroughness
from orchestrator.service import Exercises
from orchestrator.sessions import Sessions
from orchestrator.timekeeping import Timekeeping
from orchestrator.torn_recordings import TornRecordings
from orchestrator.worlds import Worlds
from scoring.attack_defence.service import AttackDefence
from scoring.boards.public import PublicBoards
from scoring.chronicle import Chronicle
from scoring.corrections.disputes import Disputes
from scoring.corrections.service import Corrections
from scoring.feeding import Feeding
from scoring.improving import Improving
from scoring.limits import AnswerLimits
from scoring.lrs.outbox import Destination, Outbox
from scoring.marking.marking import Marking
from scoring.marking.reading import MarkReading
from scoring.proving import Proving
from scoring.replaying import Replaying
from scoring.reporting import Reporting
from scoring.scorekeeping import Scorekeeping
from scoring.service import Scoring
from scoring.surveying import Surveying
from scoring.uploads.delivering import Uploads
from scoring.uploads.scanning import Scanner
from scoring.uploads.store import ContentStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a process of a site needs."""

    settings: Settings
    clock: Clock
    database: Database
    users: Users
    exercises: Exercises
    casting: Casting
    timekeeping: Timekeeping
    worlds: Worlds
    reconciling: Reconciling
    resets: Resets
    janitor: Janitor
    sessions: Sessions
    retention: Retention
    torn_recordings: TornRecordings
    injects: Injects
    scoring: Scoring
    public_boards: PublicBoards
    feeding: Feeding
    attack_defence: AttackDefence
    uploads: Uploads
    marking: Marking
    marks: MarkReading
    corrections: Corrections
    disputes: Disputes
    proving: Proving
    replaying: Replaying
    improving: Improving
    surveying: Surveying
    reporting: Reporting
    outbox: Outbox
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
    return assemble(
        settings,
        clock=SystemClock(),
        queue=queue,
        engine=open_engine(settings),
        reuse=timedelta(seconds=1),
    )


def assemble(
    settings: Settings,
    *,
    clock: Clock,
    queue: JobQueue,
    engine: RangeEngine,
    reuse: timedelta = timedelta(),
) -> Services:
    """Return the services over these, for tests as for processes; raises PolicyInvalidError.

    `reuse` is for looks of checks, where the clock is the wall's: how old an exercise may be there.
    """
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
    sessions = Sessions(database, clock, folder=settings.recordings())
    injects = Injects(database, clock, exercises, engine, scorekeeping, worlds.plan)
    improving, surveying = Improving(database, clock), Surveying(database, clock)
    chronicle = Chronicle(database, clock, exercises.journal, injects, sessions)
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        users=users,
        exercises=exercises,
        casting=Casting(database, clock, library),
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
        sessions=sessions,
        torn_recordings=TornRecordings(sessions, clock),
        retention=Retention(
            database,
            clock,
            exercises,
            folder=settings.recordings(),
            kept=settings.recordings_kept,
        ),
        injects=injects,
        scoring=Scoring(
            database,
            clock,
            exercises,
            engine,
            limits=AnswerLimits(
                per_person=settings.answers_per_person, per_team=settings.answers_per_team
            ),
            reuse=reuse,
            servers=settings.api_processes,
        ),
        public_boards=PublicBoards(database, clock),
        feeding=Feeding(database, clock, exercises),
        attack_defence=AttackDefence(
            database, clock, exercises, engine, installation=settings.installation
        ),
        uploads=Uploads(
            database,
            clock,
            exercises,
            ContentStore(settings.uploads()),
            Scanner.of(settings.upload_scanner),
        ),
        marking=Marking(database, clock, exercises),
        marks=MarkReading(database, clock, exercises),
        corrections=Corrections(database, clock, exercises),
        disputes=Disputes(database, clock, exercises),
        proving=Proving(database, clock, exercises, every=settings.ledgers_verified),
        replaying=Replaying(database, exercises),
        improving=improving,
        surveying=surveying,
        reporting=Reporting(database, clock, exercises, chronicle, improving, surveying),
        outbox=Outbox(database, clock, exercises, _destination(settings)),
        rehearsals=Rehearsals(database),
        engine=engine,
        queue=queue,
        policy=policy,
    )


def _destination(settings: Settings) -> Destination | None:
    if not settings.lrs_url:
        return None
    return Destination(address=settings.lrs_url, home_page=settings.home_page())


def _cache(settings: Settings) -> Path:
    return settings.home / "scenarios"
