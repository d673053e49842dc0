"""An attack-defence exercise on a fake engine whose services keep flags, and are taken from.

Everything but the engine, the clock and the queue is real. Time moves only by `duel.clock.advance`
and `duel.next_round`; `duel.play` does what workers would.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path
from typing import Self

from sqlalchemy import select

from core.db import Database
from core.ids import TeamId, UserId
from core.scenario.load import load
from core.users.service import Users
from orchestrator.domain.exercise import Exercise, Problem, Team
from orchestrator.domain.phases import Phase, WorldPhase
from orchestrator.domain.world import Attachment, HostPlan, NetworkPlan, WorldKey
from orchestrator.images import image_builds
from orchestrator.library import Library
from orchestrator.ports import RunResult
from orchestrator.repository import ExerciseRepository
from orchestrator.service import Exercises, TeamSpec
from scoring.attack_defence.capturing import FlagAnswer
from scoring.attack_defence.rounds import LOOK
from scoring.attack_defence.service import AttackDefence
from scoring.domain.flags import round_flag
from scoring.domain.verdicts import Verdict
from scoring.replaying import Replaying
from scoring.service import Scoring
from scoring.tables import ScoreEntryRow
from tests.fakes.clock import FakeClock
from tests.fakes.fake_engine import BASE_IMAGE, FakeEngine
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import PATIENCE, create_tables

EVERY = timedelta(minutes=3)
SCENARIO = """
language: 1
scenario: {id: duel, version: 1.0.0, title: Duel, kind: attack-defence, duration: 1h}
roles: {keeper: {title: Keeper}}
networks: {home: {size: /28}, arena: {shared: true}}
hosts:
  vault:
    image: debian:bookworm-slim
    networks: {home: {}, arena: {}}
    accounts: [{name: keeper, roles: [keeper]}]
access: [{roles: [keeper], host: vault, as: keeper, default: true}]
rounds: {every: 3m}
services:
  locker:
    title: Document locker
    host: vault
    network: arena
    port: 4100
    flag: {format: "LCK{%s}", lives: 2}
    checker: {build: {context: checkers}, run: [locker]}
  slots:
    host: vault
    network: arena
    port: 4300
    flag: {format: "SLT{%s}", lives: 2}
    checker: {build: {context: checkers}, run: [slots]}
scoring: {preset: faust}
tasks:
  name: {ask: Whose is it?, answer: "ours", points: 5}
end: {freeze: 10m}
"""
_ENDS = {"up": 0, "mumble": 1, "down": 2, "recovering": 3, "ours": 255}


@dataclass(kw_only=True)
class FakeService:
    """A service of a team: how it answers checkers, and the flags it keeps."""

    state: str = "up"
    flags: dict[str, str] = field(default_factory=dict)
    """What `put` printed → flag."""


@dataclass(kw_only=True)
class Duel:
    """A running exercise, and what it stands on."""

    database: Database
    clock: FakeClock
    queue: RecordingQueue
    exercises: Exercises
    engine: FakeEngine
    scoring: Scoring
    attack_defence: AttackDefence
    name: str
    services: dict[tuple[str, str], FakeService] = field(default_factory=dict)
    """(address, port) → service."""
    seen: list[Mapping[str, str]] = field(default_factory=list)
    """What checkers were told."""

    @classmethod
    def raised(
        cls,
        url: str,
        folder: Path,
        *,
        scenario: str = SCENARIO,
        teams: Iterable[str] = ("Ana", "Bor", "Cvet"),
        reference: str = "",
    ) -> Self:
        """Launch and start an exercise on an empty database."""
        clock, queue = FakeClock(), RecordingQueue()
        database = Database(url, queue=queue, patience=PATIENCE)
        create_tables(database)
        exercises = Exercises(
            database, clock, Users(database, clock), Library(database, clock, folder / "library")
        )
        source = folder / "duel"
        (source / "checkers").mkdir(parents=True)
        (source / "checkers" / "Dockerfile").write_text("FROM debian:bookworm-slim\n")
        (source / "scenario.yaml").write_text(scenario)
        specs = [TeamSpec(name=name, reference=name == reference) for name in teams]
        exercise = exercises.launch(load(source), teams=specs, by=None)
        engine = FakeEngine(clock=clock)
        duel = cls(
            database=database,
            clock=clock,
            queue=queue,
            exercises=exercises,
            engine=engine,
            scoring=Scoring(database, clock, exercises, engine),
            attack_defence=AttackDefence(database, clock, exercises, engine, installation="test"),
            name=exercise.name,
        )
        engine.on_visit = duel._visit
        duel._raise_worlds(exercise)
        exercises.start(exercise.id)
        queue.take()
        return duel

    def _raise_worlds(self, exercise: Exercise) -> None:
        for build in image_builds("test", self.exercises.scenario(exercise)):
            self.engine.images.add(build.reference)
        arena = IPv4Network("10.9.0.0/26")
        with self.database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            repository.hold_shared_subnets(exercise.id, {"arena": arena})
            for team in exercise.teams:
                home = IPv4Network(f"10.9.{team.number}.0/28")
                repository.hold_subnets(team.id, {"home": home})
            repository.move(exercise.id, before=Phase.PROVISIONING, after=Phase.READY)
        for team in exercise.teams:
            self.move_world(team.slug, WorldPhase.READY)
            world = WorldKey(exercise=exercise.id, team=team.slug)
            plan = NetworkPlan(network="arena", subnet=arena, shared=True)
            self.engine.raise_network(world, plan)
            home = IPv4Network(f"10.9.{team.number}.0/28")
            self.engine.raise_network(world, NetworkPlan(network="home", subnet=home))
            address = self.exercises.places(exercise, team).addresses["vault"]
            attachments = tuple(
                Attachment(network=network, address=address[network], shared=network == "arena")
                for network in ("home", "arena")
            )
            host = HostPlan(host="vault", image=BASE_IMAGE, attachments=attachments)
            self.engine.raise_host(world, host)
            for port in ("4100", "4300"):
                self.services[str(address["arena"]), port] = FakeService()

    # Who and what

    @property
    def replaying(self) -> Replaying:
        return Replaying(self.database, self.exercises)

    @property
    def exercise(self) -> Exercise:
        return self.exercises.get(self.name)

    def team(self, slug: str) -> Team:
        found = self.exercise.team(slug)
        assert found is not None
        return found

    def member(self, slug: str) -> UserId:
        return self.team(slug).members[0].user

    def service(self, slug: str, name: str = "locker") -> FakeService:
        address = self.exercises.places(self.exercise, self.team(slug)).addresses["vault"]
        return self.services[str(address["arena"]), {"locker": "4100", "slots": "4300"}[name]]

    def flag(self, slug: str, number: int, service: str = "locker") -> str:
        """Return the flag that a service of a team keeps since a round."""
        spec = self.exercises.scenario(self.exercise).scenario.services[service].flag
        with self.database.reading() as session:
            key = ExerciseRepository(session).secret(self.exercise.id)
        return round_flag(spec, key=key, team=slug, service=service, number=number)

    def move_world(self, slug: str, after: WorldPhase, problem: Problem | None = None) -> None:
        with self.database.transaction() as transaction:
            ExerciseRepository(transaction.session).move_world(
                self.team(slug).id,
                before=tuple(WorldPhase),
                after=after,
                at=self.clock.now(),
                problem=problem,
            )

    # Playing

    def play(self) -> list[Verdict | None]:
        """Do what the sweep finds due; return what was seen."""
        self.attack_defence.sweep()
        return self.play_sent()

    def play_sent(self) -> list[Verdict | None]:
        """Do what a sweep has sent; return what was seen."""
        jobs = [job for job in self.queue.take() if job.name == LOOK]
        return [self.look(*job.arguments[1:]) for job in jobs]

    def look(self, team: str, service: str, number: str) -> Verdict | None:
        """Do one job of the exercise."""
        return self.attack_defence.look(self.exercise.id, TeamId(team), service, int(number))

    def next_round(self) -> list[Verdict | None]:
        """Let time go on to the next round, and play it."""
        self.clock.advance(EVERY)
        return self.play()

    def end(self) -> None:
        """End the exercise, and have its last round closed."""
        self.exercises.end(self.exercise.id)
        self.attack_defence.sweep()

    def capture(self, slug: str, *flags: str) -> list[str]:
        return [answer.code for answer in self.answers(slug, *flags)]

    def answers(self, slug: str, *flags: str) -> tuple[FlagAnswer, ...]:
        team = self.team(slug)
        return self.attack_defence.capture(self.exercise, team, self.member(slug), flags)

    def points(self) -> dict[str, int]:
        """Return what the ledger has of services for each team."""
        slugs = {team.id: team.slug for team in self.exercise.teams}
        points = dict.fromkeys(slugs.values(), 0)
        with self.database.reading() as session:
            for row in session.scalars(select(ScoreEntryRow)):
                if row.kind == "service":
                    points[slugs[TeamId(row.team_id)]] += row.milli_points
        return points

    def _visit(self, command: tuple[str, ...], told: Mapping[str, str]) -> RunResult:
        self.seen.append(told)
        service = self.services[told["POLIGON_TARGET"], told["POLIGON_PORT"]]
        if service.state != "up":
            return RunResult(exit_code=_ENDS[service.state], output="")
        match told["POLIGON_ACTION"]:
            case "put":
                place = f"p{len(service.flags)}"
                service.flags[place] = told["POLIGON_FLAG"]
                return RunResult(exit_code=0, output=f"{place}\n")
            case "get":
                kept = service.flags.get(told["POLIGON_FLAG_ID"]) == told["POLIGON_FLAG"]
                return RunResult(exit_code=0 if kept else 1, output="")
            case _:
                return RunResult(exit_code=0, output="")
