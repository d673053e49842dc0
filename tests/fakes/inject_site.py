"""A running exercise with injects: everything real but the engine, the clock and the queue.

Time moves only by `pass_time`, which sweeps as a worker does; `work` does the jobs that were sent.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path

from pydantic import SecretStr

from api.bootstrap import Services, assemble
from core.ids import UserId
from core.scenario.load import load
from core.settings import Settings
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.injects import FiringState
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.injects.deeds import MARKERS
from orchestrator.injects.reading import TeamState
from orchestrator.ports import RangeEngine, RunResult
from orchestrator.service import TeamSpec
from scoring.views import TaskView
from tests.addresses import fresh_subnet
from tests.fakes.clock import FakeClock
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.jobs import acts_of, do
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import create_tables

MINUTE = timedelta(minutes=1)

HEAD = """\
language: 1
scenario: {id: harbour, version: 1.0.0, title: The harbour, kind: incident-response, duration: 3h}
roles:
  responder: {side: blue}
  lead: {side: blue}
networks: {office: {size: /28}}
hosts:
  files:
    image: "debian:bookworm-slim"
    networks: {office: {}}
    accounts: [{name: ana, roles: [responder]}]
access: [{roles: [responder], host: files, as: ana, default: true}]
checks: {dead: {host: files, run: [is-dead], every: 30s, hold: 1m}}
tasks:
  door: {ask: Which door?, answer: north, points: 20}
  contain:
    title: Cut it off
    ask: Cut the intruder off.
    checks: [dead]
    points: 30
    opens: {with: note}
    due: {after: note, within: 40m}
  who: {title: Who, ask: Who was it?, answer: me, points: 5, opens: {with: note}}
injects:
"""
WAITS_FOR_NOTE = (
    "    opens: {with: note}\n",
    "    due: {after: note, within: 40m}\n",
    ", opens: {with: note}",
)
STORY = """\
  brief: {at: 0m, message: {from: Duty officer, text: "Good morning, {{ team.name }}."}}
  note:
    at: 35m
    host: files
    run: [drop-note, "{{ team }}"]
    late: fire
    expect: {task: contain, within: 40m}
  press:
    after: note
    wait: 15m
    message: {from: Press, to: lead, text: Is it true?}
    expect: {reply: text, within: 15m}
  wave: {when: {check: dead, passing: 5m, before: 170m}, host: files, run: [rotate]}
  tip: {when: {task: door, open_at: 60m}, message: {from: Colleague, text: The north.}, cost: 5}
  call: {manual: true, script: "Call as the minister's office."}
"""


@dataclass(kw_only=True)
class GuardedShell:
    """What hosts do with the commands of injects: run one once for each marker."""

    ran: list[tuple[HostKey, tuple[str, ...]]] = field(default_factory=list)
    answers: dict[str, RunResult] = field(default_factory=dict)
    exits: dict[tuple[HostKey, str], int | None] = field(default_factory=dict)

    def run(self, host: HostKey, command: tuple[str, ...]) -> RunResult | None:
        if command[:2] != ("sh", "-c") or not command[4:] or MARKERS not in command[4]:
            return None
        marker, words = (host, command[4]), command[7:]
        if marker in self.exits:
            known = self.exits[marker]
            return RunResult(exit_code=125 if known is None else known, output="begun before")
        self.exits[marker] = None
        self.ran.append((host, words))
        answer = self.answers.get(words[0], RunResult(exit_code=0, output=""))
        self.exits[marker] = answer.exit_code
        return answer


@dataclass(kw_only=True)
class InjectSite:
    """The site, and one exercise in it."""

    services: Services
    clock: FakeClock
    queue: RecordingQueue
    engine: FakeEngine
    shell: GuardedShell
    name: str

    @property
    def exercise(self) -> Exercise:
        return self.services.exercises.get(self.name)

    def team(self, number: int = 1) -> Team:
        return self.exercise.teams[number - 1]

    def member(self, number: int = 1) -> UserId:
        return self.team(number).members[0].user

    def host(self, number: int = 1) -> HostKey:
        world = WorldKey(exercise=self.exercise.id, team=self.team(number).slug)
        return HostKey(world=world, host="files")

    def sweep(self) -> None:
        """Do what a worker does every two seconds, checks aside."""
        self.services.timekeeping.sweep()
        self.services.injects.sweep()

    def pass_time(self, minutes: float) -> None:
        self.clock.advance(minutes * MINUTE)
        self.sweep()
        self.work()

    def work(self) -> None:
        """Do every job that was sent, and those that they send; errors of ours end one."""
        while jobs := self.queue.take():
            for job in jobs:
                do(acts_of(self.services), job)

    def state(self, inject: str, number: int = 1) -> TeamState:
        views = self.services.injects.all(self.exercise)
        view = next(view for view in views if view.inject == inject)
        return view.teams[number - 1]

    def states(self, number: int = 1) -> dict[str, str]:
        return {
            view.inject: view.teams[number - 1].state
            for view in self.services.injects.all(self.exercise)
        }

    def told(self, number: int = 1) -> list[str]:
        """Return the messages of a team, oldest first."""
        slug = self.team(number).slug
        found = self.services.injects.messages(self.exercise, team=slug)
        return [message.text for message in found][::-1]

    def ran(self, number: int = 1) -> list[tuple[str, ...]]:
        """Return the commands of injects that ran in a team's host, in order."""
        return [words for host, words in self.shell.ran if host == self.host(number)]

    def answer_run(self, word: str, exit_code: int = 0, output: str = "") -> None:
        """Say how the commands of injects that begin with a word end."""
        self.shell.answers[word] = RunResult(exit_code=exit_code, output=output)

    def acts(self, team: str = "team-1") -> list[tuple[str, str]]:
        """Return what the journal says of injects and messages of a team."""
        entries = self.services.exercises.journal.of(self.exercise.id)
        return [(e.act, e.subject) for e in entries if e.team == team and e.subject]

    def task(self, task: str, number: int = 1) -> TaskView:
        views = self.services.scoring.tasks(self.exercise, self.team(number))
        return next(view for view in views if view.task == task)

    def fired(self, number: int = 1) -> list[str]:
        """Return the injects that went out for a team, in order."""
        slug = self.team(number).slug
        return [subject for act, subject in self.acts(slug) if act == "inject.fired"]

    def is_fired(self, inject: str, number: int = 1) -> bool:
        return self.state(inject, number).state == FiringState.FIRED


@contextmanager
def inject_site(
    folder: Path,
    story: str = STORY,
    *,
    teams: int = 2,
    started: bool = True,
    due_who: bool = False,
    url: str = "",
    real: RangeEngine | None = None,
) -> Iterator[InjectSite]:
    """Lend a site with a started exercise whose injects are `story`, on SQLite or at `url`.

    Its engine is the fake unless a `real` one is given.
    """
    source = folder / "harbour"
    source.mkdir(exist_ok=True)  # a test may have put files of messages there
    head = HEAD
    for words in WAITS_FOR_NOTE if "  note:" not in story else ():
        head = head.replace(words, "")
    if due_who:
        head = head.replace("opens: {with: note}}", "due: {after: note, within: 10m}}")
    (source / "scenario.yaml").write_text(head + story)
    settings = Settings(
        home=folder / "home",
        installation="test",
        scenarios=folder,
        address_pool=(fresh_subnet() if real else IPv4Network("10.213.0.0/24"),),
        database_url=SecretStr(url),
    )
    clock, queue = FakeClock(), RecordingQueue()
    engine, shell = FakeEngine(clock=clock), GuardedShell()
    engine.on_run = shell.run
    services = assemble(settings, clock=clock, queue=queue, engine=real or engine)
    create_tables(services.database)
    specs = [TeamSpec(name=f"Team {number}") for number in range(1, teams + 1)]
    exercise = services.exercises.launch(load(source), teams=specs, by=None)
    site = InjectSite(
        services=services,
        clock=clock,
        queue=queue,
        engine=engine,
        shell=shell,
        name=exercise.name,
    )
    site.work()
    if started:
        services.exercises.start(exercise.id)
    yield site
    replayed = services.replaying.replay(site.exercise)  # whatever a test did
    assert replayed.holds, [team.differences for team in replayed.teams]
    services.close()
