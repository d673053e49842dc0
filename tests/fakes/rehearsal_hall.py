"""A place to rehearse in whose hosts do what a test says: everything real but the engine."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from api.rehearsal.rehearsing import Rehearsing
from core.db import Database
from core.scenario.load import load
from core.settings import Settings
from orchestrator.domain.rehearsal import Rehearsal
from orchestrator.domain.world import HostKey
from orchestrator.ports import RunResult
from tests.fakes.clock import FakeClock
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.inject_site import GuardedShell
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import create_tables

SCENARIO = """\
language: 1
scenario: {id: harbour, version: 1.0.0, title: The harbour, kind: incident-response, duration: 3h}
roles:
  responder: {side: blue}
  lead: {side: blue, extends: responder}
values:
  thief: {type: username}
  mark: {type: flag, format: "HB{%s}"}
  berth: {type: integer, min: 100, max: 900000}
networks: {office: {size: /28}}
hosts:
  desk:
    image: "debian:bookworm-slim"
    networks: {office: {}}
    accounts: [{name: ana, roles: [responder]}]
    ready: [{run: ["true"], within: 1s, every: 1s}]
    files:
      - {to: /srv/known, text: "{{ values.thief }} {{ values.mark }} {{ values.berth }}"}
  mail:
    image: "debian:bookworm-slim"
    networks: {office: {}}
    accounts: [{name: bob, roles: [lead]}, {name: zoe, password: Seven-7, roles: [responder]}]
access:
  - {roles: [responder, lead], host: desk, as: ana, default: true}
  - {roles: [lead], host: mail, as: bob}
checks:
  shut: {host: desk, run: [is-shut], every: 30s, hold: 3m}
  gone: {host: desk, run: [is-gone], every: 20s}
  mail_up: {host: mail, run: [is-mail-up], every: 30s}
tasks:
  who: {title: Who, ask: Who?, answer: "{{ values.thief }}", points: 5, attempts: 2}
  where: {title: Where, ask: "Where, about?", answer: {number: "{{ values.berth }}", within: 1}}
  mark: {title: The mark, ask: Find it., flag: mark, points: 5}
  same: {title: Same, ask: Yes or no?, answer: "yes"}
  contain:
    title: Shut it
    ask: Shut it.
    checks: [shut, gone]
    points: 30
    opens: {with: note}
    due: {after: note, within: 40m}
  after_all: {title: In the end, ask: What did they say?, answer: "north", opens: {with: press}}
  keep: {title: Keep it, ask: Keep it., availability: mail_up, points: 5}
injects:
  brief: {at: 0m, message: {from: Duty officer, text: "Good morning, {{ team.name }}."}}
  traffic: {at: 5m, every: 4m, host: mail, run: [day]}
  note: {at: 35m, host: desk, run: [drop-note], late: ask, expect: {task: contain, within: 40m}}
  press:
    after: note
    wait: 50m
    message: {from: Press, to: lead, text: Is it true?}
    expect: {reply: text, within: 15m}
  wave: {when: {check: shut, passing: 5m, before: 100m}, host: desk, run: [rotate], late: ask}
  praise: {when: {task: contain, solved: true}, message: {from: Chief, text: Well done.}}
  tip: {when: {task: who, open_at: 60m}, message: {from: Colleague, text: Ask.}, cost: 2}
  call: {manual: true, script: "Call as the minister's office."}
  cut: {manual: true, link: {network: office, down: true, for: 2m}}
solution: {run: solution/play.sh, within: 10m}
"""
SAID = (
    "answer\twho\t{thief}",
    "answer\tafter_all\tnorth",
    "answer\twhere\t{berth}",
    "answer\tmark\t{mark}",
    "answer\tsame\tyes",
    "reply\tpress\tWe look into it.",
)


@dataclass(kw_only=True)
class Hall:
    """A scenario's folder, an engine, and how hosts answer; `said` is what the solution prints."""

    folder: Path
    engine: FakeEngine = field(default_factory=FakeEngine)
    clock: FakeClock = field(default_factory=FakeClock)
    shell: GuardedShell = field(default_factory=GuardedShell)
    said: tuple[str, ...] = SAID
    exit_code: int = 0
    works: bool = True
    """Whether the solution shuts what is to be shut."""
    passing: set[str] = field(default_factory=lambda: {"is-mail-up"})
    """Commands that succeed whatever was done."""
    slow: int = 0
    """How many looks at what was done take as long as rounds of others."""
    on_play: Callable[[], None] = lambda: None
    on_attack: Callable[[tuple[str, ...]], RunResult] = lambda _: RunResult(exit_code=0, output="")
    """What the solution says when it is told whom to attack."""
    told: list[str] = field(default_factory=list)
    played: set[HostKey] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.engine.on_run = self._run
        (self.folder / "harbour" / "solution").mkdir(parents=True)
        (self.folder / "harbour" / "solution" / "play.sh").write_text("# the test plays\n")
        self.write(SCENARIO)

    def write(self, text: str) -> None:
        (self.folder / "harbour" / "scenario.yaml").write_text(text)

    def spoil(self, text: str, by: str) -> None:
        """Change the scenario."""
        assert text in SCENARIO
        self.write(SCENARIO.replace(text, by))

    @property
    def site(self) -> Settings:
        return Settings(home=self.folder / "home", installation="test", scenarios=self.folder)

    def rehearse(self, *, keep: bool = False) -> Rehearsal:
        rehearsing = Rehearsing(
            self.site,
            clock=self.clock,
            open_engine=lambda _: self.engine,
            say=self.told.append,
            patience=timedelta(),
            look_every=timedelta(milliseconds=50),
        )
        return rehearsing.rehearse(load(self.folder / "harbour"), keep=keep)

    def _run(self, host: HostKey, command: tuple[str, ...]) -> RunResult | None:
        if "/tmp/solution" in command:
            assert self.engine.hosts[host].folders["/tmp/solution"]
            arguments = command[command.index("/tmp/solution") + 2 :]
            return self.on_attack(arguments) if arguments else self._play(host)
        if command[0].startswith("is-"):
            if self.slow and command[0] == "is-gone" and host in self.played:
                self.slow -= 1
                self.clock.advance(timedelta(seconds=40))
            done = self.works and host in self.played and command[0] in {"is-shut", "is-gone"}
            done |= host not in self.played and command[0] == "is-alive"
            return RunResult(exit_code=int(not (done or command[0] in self.passing)), output="seen")
        return self.shell.run(host, command)

    def _play(self, host: HostKey) -> RunResult:
        self.on_play()
        self.played.add(host)
        known = self.engine.hosts[host].files["/srv/known"].content.decode().split()
        values = dict(zip(("thief", "mark", "berth"), known, strict=True))
        lines = [line.format(**values) for line in self.said]
        return RunResult(exit_code=self.exit_code, output="\n".join(["Let us see", *lines, ""]))


def make_tables(url: str) -> None:
    """Make every table of a database, without its history."""
    database = Database(url, queue=RecordingQueue())
    create_tables(database)
    database.close()
