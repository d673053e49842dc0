"""An exercise for two teams that runs on a fake engine, for tests of scoring.

Everything but the engine, the clock and the queue is real. `stage.look` carries out the round that
is on; time moves only by `stage.clock.advance`.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path
from typing import Self

from sqlalchemy import create_mock_engine
from sqlalchemy.schema import ExecutableDDLElement

from core.db import Base, Database
from core.ids import UserId, new_id
from core.scenario.load import load
from core.users.model import Role
from core.users.service import Users
from orchestrator.domain.exercise import Exercise, Problem, Team
from orchestrator.domain.phases import Phase, WorldPhase
from orchestrator.domain.world import Attachment, HostKey, HostPlan, NetworkPlan, WorldKey
from orchestrator.library import Library
from orchestrator.repository import ExerciseRepository
from orchestrator.service import Exercises, TeamSpec
from scoring.append_only import guards
from scoring.checks.prober import ANSWER_THEN_ERRORS
from scoring.domain.rounds import current_round, offset_of
from scoring.domain.verdicts import Verdict
from scoring.limits import UNLIMITED, AnswerLimits
from scoring.proving import Proving
from scoring.replaying import Replaying
from scoring.service import Scoring
from scoring.views import Outcome, TaskView
from tests.fakes.clock import FakeClock
from tests.fakes.fake_engine import BASE_IMAGE, FakeEngine
from tests.fakes.queue import RecordingQueue

SCENARIO = """
language: 1
scenario: {id: stage, version: 1.0.0, title: Stage, kind: incident-response, duration: 1h}
competencies: {LOGS: {title: Read logs}, TRIAGE: {title: Triage}}
roles: {responder: {title: Responder}}
values:
  intruder: {type: username}
  mark: {type: flag, format: "ST{%s}"}
  door_key: {type: password}
  entry: {type: instant, between: [exercise.start - 5h, exercise.start - 2h]}
networks: {office: {size: /28}}
hosts:
  desk:
    image: debian:bookworm-slim
    networks: {office: {}}
    accounts: [{name: analyst, roles: [responder]}]
  office:
    image: debian:bookworm-slim
    networks: {office: {}}
    files: [{to: /root/key, text: "{{ values.door_key }} {{ values.mark }}", mode: "0600"}]
access: [{roles: [responder], host: desk, as: analyst, default: true}]
checks:
  web: {from: desk, http: {url: "http://office/", contains: Notice}, every: 30s, timeout: 5s}
  shut: {host: office, run: [shut], every: 10s, hold: 1m}
  mail: {from: desk, tcp: {host: office, port: 25}, every: 10s, timeout: 5s}
  login: {host: office, tcp: 22, every: 10s}
objectives:
  logs: {competency: LOGS, pass: 50%}
  triage: {competency: TRIAGE, pass: 60%}
tasks:
  who: {ask: Who?, answer: "{{ values.intruder }}", points: 20, attempts: 3, objective: logs}
  when:
    ask: When?
    answer: {instant: "{{ values.entry }}", within: 60s}
    points: 15
    objective: logs
  many: {ask: How many?, answer: {any: [{number: 240, within: 5%}, nobody knows]}, points: 5}
  read: {ask: Read it?, answer: "yes"}
  mark: {title: The mark, ask: Find it., flag: mark, points: 10, objective: logs}
  contain: {title: Shut it, ask: Shut it., checks: [shut, mail], points: 30, objective: triage}
  keep_up: {title: Keep it up, ask: Keep it., availability: web, points: 20, objective: triage}
  let_in: {title: Keep the login, ask: Keep it., checks: [login], points: 1}
"""

# Many write at once in tests; what that takes a busy machine is not what they are about.
PATIENCE = timedelta(minutes=1)
NETCAT = ("nc", "-n", "-z", "-w", "5")
CURL = (
    *("bash", "-c", ANSWER_THEN_ERRORS, "curl"),
    *("--silent", "--show-error", "--include", "--globoff", "--noproxy", "*"),
    *("--proto", "=http,https", "--max-time", "5", "--url", "http://office/"),
)
PAGE = "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nNotice board\n"


@dataclass(kw_only=True)
class Stage:
    """A running exercise, and what it stands on."""

    database: Database
    clock: FakeClock
    queue: RecordingQueue
    exercises: Exercises
    engine: FakeEngine
    scoring: Scoring
    other_worker: Scoring
    name: str

    @classmethod
    def raised(
        cls,
        url: str,
        folder: Path,
        *,
        scenario: str = SCENARIO,
        teams: int = 2,
        limits: AnswerLimits = UNLIMITED,
        members: int = 0,
    ) -> Self:
        """Launch and start an exercise on an empty database."""
        clock, queue = FakeClock(), RecordingQueue()
        database = Database(url, queue=queue, patience=PATIENCE)
        create_tables(database)
        users = Users(database, clock)
        exercises = Exercises(database, clock, users, Library(database, clock, folder / "library"))
        source = folder / "stage"
        source.mkdir()
        (source / "scenario.yaml").write_text(scenario)
        specs = [
            TeamSpec(name=f"team {n}", members=tuple(f"t{n}m{m}" for m in range(members)))
            for n in range(1, teams + 1)
        ]
        for name in (name for spec in specs for name in spec.members):
            users.add(name, role=Role.TRAINEE)
        exercise = exercises.launch(load(source), teams=specs, by=None)
        engine = FakeEngine(clock=clock)
        stage = cls(
            database=database,
            clock=clock,
            queue=queue,
            exercises=exercises,
            engine=engine,
            scoring=Scoring(database, clock, exercises, engine, limits=limits),
            other_worker=Scoring(database, clock, exercises, engine),
            name=exercise.name,
        )
        stage._raise_worlds(exercise)
        exercises.start(exercise.id)
        queue.take()
        return stage

    def _raise_worlds(self, exercise: Exercise) -> None:
        with self.database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            for team in exercise.teams:
                subnet = IPv4Network(f"10.9.{team.number}.0/28")
                repository.hold_subnets(team.id, {"office": subnet})
            repository.move(exercise.id, before=Phase.PROVISIONING, after=Phase.READY)
        for team in exercise.teams:
            self.move_world(team, WorldPhase.READY)
            self._raise_hosts(WorldKey(exercise=exercise.id, team=team.slug), team.number)

    def _raise_hosts(self, world: WorldKey, number: int) -> None:
        subnet = IPv4Network(f"10.9.{number}.0/28")
        self.engine.raise_network(world, NetworkPlan(network="office", subnet=subnet))
        for place, host in enumerate(("desk", "office"), start=2):
            attachment = Attachment(network="office", address=subnet[place])
            plan = HostPlan(host=host, image=BASE_IMAGE, attachments=(attachment,))
            self.engine.raise_host(world, plan)

    @property
    def exercise(self) -> Exercise:
        return self.exercises.get(self.name)

    def team(self, number: int = 1) -> Team:
        return self.exercise.teams[number - 1]

    def member(self, number: int = 1) -> UserId:
        return self.team(number).members[0].user

    def host(self, host: str, number: int = 1) -> HostKey:
        world = WorldKey(exercise=self.exercise.id, team=self.team(number).slug)
        return HostKey(world=world, host=host)

    def value(self, name: str, number: int = 1) -> str:
        """Return a value of a team, as it prints."""
        return str(self.exercises.facts(self.exercise, self.team(number)).values[name])

    def move_world(self, team: Team, after: WorldPhase, problem: Problem | None = None) -> None:
        with self.database.transaction() as transaction:
            ExerciseRepository(transaction.session).move_world(
                team.id,
                before=tuple(WorldPhase),
                after=after,
                at=self.clock.now(),
                problem=problem,
            )

    def answer(self, task: str, value: str, *, number: int = 1, key: str = "") -> Outcome:
        return self.scoring.answer(
            self.exercise,
            self.team(number),
            self.member(number),
            task=task,
            value=value,
            client_key=key or new_id(),
        )

    def round(self, check: str, number: int = 1) -> int:
        """Return the round of a check that is on; fails before the first."""
        every = self.exercises.scenario(self.exercise).scenario.checks[check].every
        elapsed = self.exercise.elapsed(self.clock.now())
        on = current_round(elapsed, every, offset_of(self.team(number).id, check, every))
        assert on is not None
        return on

    def first_look(self, check: str, *, number: int = 1) -> Verdict | None:
        """Carry out the first look of the round that is on."""
        team = self.team(number)
        return self.scoring.run_check(self.exercise.id, team.id, check, self.round(check, number))

    def look(self, check: str, *, number: int = 1) -> Verdict | None:
        """Carry out the round that is on, by two workers if one look does not do."""
        verdict = self.first_look(check, number=number)
        self.other_worker.confirm()
        return verdict

    def looks(self, check: str, times: int, *, number: int = 1) -> list[Verdict | None]:
        """Carry out so many rounds, one after another; time moves before each."""
        every = self.exercises.scenario(self.exercise).scenario.checks[check].every
        verdicts = []
        for _ in range(times):
            self.clock.advance(every)
            verdicts.append(self.look(check, number=number))
        return verdicts

    def see_port(self, *, opens: bool, number: int = 1) -> None:
        """Say what `nc` finds at port 25 of the team's office."""
        address = f"10.9.{number}.3"
        self.engine.answer((*NETCAT, address, "25"), exit_code=0 if opens else 1)

    def see_page(self, output: str = PAGE, *, exit_code: int = 0) -> None:
        """Say what `curl` finds."""
        self.engine.answer(CURL, exit_code=exit_code, output=output)

    def see_door(self, *, shut: bool) -> None:
        """Say how the command of the check `shut` ends."""
        self.engine.answer(("shut",), exit_code=0 if shut else 1)

    def task(self, task: str, number: int = 1) -> TaskView:
        views = self.scoring.tasks(self.exercise, self.team(number))
        return next(view for view in views if view.task == task)

    def total(self, number: int = 1) -> int:
        """Return a team's thousandths of points, from the board."""
        slug = self.team(number).slug
        rows = self.scoring.board(self.exercise).rows
        return next(row.milli_points for row in rows if row.team == slug)

    def prove(self) -> None:
        """Fail unless the ledger follows from its facts and every chain holds."""
        replayed = Replaying(self.database, self.exercises).replay(self.exercise)
        assert replayed.holds, [team.differences for team in replayed.teams]
        proving = Proving(self.database, self.clock, self.exercises, every=timedelta(days=1))
        assert proving.verify(self.exercise).faults == ()

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))


def create_tables(database: Database) -> None:
    """Make every table, and the ledger's guards, as the migrations do."""
    script = _script(database.engine.dialect.name, frozenset(Base.metadata.tables))
    connection = database.engine.raw_connection()
    try:
        cursor = connection.cursor()
        # Either takes many statements at once, under a name of its own.
        getattr(cursor, "executescript", cursor.execute)(script)
        connection.commit()
    finally:
        connection.close()


@cache
def _script(dialect: str, tables: AbstractSet[str]) -> str:
    """Return the statements that make `tables`: all that are known, so that new ones count."""
    made: list[str] = []

    def note(statement: ExecutableDDLElement, *_: object, **__: object) -> None:
        made.append(str(statement.compile(dialect=engine.dialect)))

    engine = create_mock_engine(f"{dialect}://", note)
    chosen = [Base.metadata.tables[name] for name in tables]
    Base.metadata.create_all(engine, tables=chosen, checkfirst=False)
    up, _ = guards(dialect)
    return ";\n".join([*made, *up])
