"""A whole site behind its interface: everything real but the engine, the clock and the queue.

`site.work()` does the jobs that a worker would do. The scenario `house` has a question,
a flag and a check; `torn` does not load.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Network
from pathlib import Path

import httpx
from pydantic import SecretStr

from api.app import create_app
from api.auth import COOKIE
from api.bootstrap import Services, assemble
from api.live.boards import BoardFeeds
from core.scenario.load import load
from core.settings import Settings
from core.users.model import Role, User
from orchestrator.domain.exercise import Exercise
from orchestrator.service import (
    TeamSpec,
)
from tests.fakes.clock import FakeClock
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.jobs import acts_of, do
from tests.fakes.lrs import KEY as KEY_OF_LRS
from tests.fakes.lrs import SECRET as SECRET_OF_LRS
from tests.fakes.lrs import FakeLrs
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import create_tables
from tests.fakes.served import Door, served

SCENARIO = """\
language: 1
scenario:
  id: house
  version: 1.0.0
  title: The house
  kind: investigation
  duration: 1h
  summary: Somebody was in the house.
competencies: {LOGS: {title: Read logs}}
roles: {analyst: {side: blue}}
values:
  thief: {type: username}
  mark: {type: flag, format: "HS{%s}"}
networks: {office: {size: /28}}
hosts:
  desk:
    image: "debian:bookworm-slim"
    networks: {office: {}}
    accounts: [{name: ana, roles: [analyst]}, {name: mia, password: Seven-7, roles: [analyst]}]
    files: [{to: /root/note, text: "{{ values.mark }}"}]
    reset: {by: [instructor, analyst], limit: 2, cost: {task: who, points: 15}}
    ready: [{run: ["true"], within: 1s, every: 1s}]
access: [{roles: [analyst], host: desk, as: ana, default: true}]
checks: {shut: {host: desk, run: ["false"], every: 10s}}
objectives: {logs: {competency: LOGS, pass: 50%}}
injects:
  call:
    manual: true
    title: The owner calls
    message: {from: The owner, text: "What do I tell my insurance, {{ team.name }}?"}
    expect: {reply: text, within: 10m}
tasks:
  who:
    title: The thief
    ask: Who was it?
    answer: "{{ values.thief }}"
    points: 20
    attempts: 3
    hints: [{text: "Look in the log, {{ team.name }}.", cost: 3}, {text: Ask., after: 20m}]
    objective: logs
  mark: {title: The mark, ask: Find it., flag: mark, points: 10, objective: logs}
  shut: {title: Shut it, ask: Shut it., checks: [shut], points: 5}
  way:
    title: The way
    ask: Which way?
    answer: {choice: window, of: {door: By the door, window: "By a window of {{ team.name }}"}}
    points: 4
  kept: {title: Keep it, ask: Keep it., guard: shut, points: -2}
"""
# On a site, the owner's message has these; SCENARIO alone is a whole folder.
DOOR = b"<script>alert('door')</script>"
LETTER = "To {{ team.name }}"
FILES = """\
, files: [{from: door.html}, {template: letter.txt.j2, name: "the insurer's “letter” ü.txt"}]\
"""
PASSWORD = "h7kd-92mf-xq4r"
STAFF = {"ina": Role.INSTRUCTOR, "sara": Role.STAFF, "root": Role.ADMIN}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPdVJf0mWx+8GyNYMDcpRGvJxnqb0FJHmGMhfWJtKtCW me@laptop"


@dataclass(kw_only=True)
class ApiSite:
    """A site, and clients of its people. Trainees of `launch` have PASSWORD."""

    services: Services
    clock: FakeClock
    queue: RecordingQueue
    engine: FakeEngine
    url: str
    web: httpx.Client
    tokens: dict[str, str] = field(default_factory=dict)

    def launch(self, teams: int = 2, *, started: bool = True) -> Exercise:
        """Launch the house, build its worlds, and let it run."""
        exercises = self.services.exercises
        specs = [TeamSpec(name=f"Team {number}") for number in range(1, teams + 1)]
        loaded = load(self.services.settings.scenarios / "house")
        exercise = exercises.launch(loaded, teams=specs, by=None)
        for team in exercise.teams:
            self.services.users.set_password(team.members[0].name, PASSWORD)
        self.work()
        return exercises.start(exercise.id) if started else exercises.get(exercise.id)

    def work(self) -> None:
        """Do every job that was sent, and those that they send; errors of ours end one."""
        while jobs := self.queue.take():
            for job in jobs:
                do(acts_of(self.services), job)

    def token(self, name: str) -> str:
        """Return a bearer token of somebody."""
        if name not in self.tokens:
            self.tokens[name] = self.services.users.issue_token(self.user(name))
        return self.tokens[name]

    def user(self, name: str) -> User:
        return self.services.users.named(name)

    def bearer(self, name: str) -> dict[str, str]:
        """Return the headers of somebody's call."""
        return {"Authorization": f"Bearer {self.token(name)}"}

    def cookie(self, name: str) -> dict[str, str]:
        """Return the headers that say whose browser it is; `name` is empty for nobody's."""
        return {"Cookie": f"{COOKIE}={self.token(name)}"} if name else {}

    def page(self, who: str, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Get a page as somebody's browser does, which follows no redirect."""
        return self.web.get(path, headers={**(headers or {}), **self.cookie(who)})

    def form(
        self,
        who: str,
        path: str,
        data: Mapping[str, object] | None = None,
        *,
        file: tuple[str, bytes] | None = None,
    ) -> httpx.Response:
        """Send a page's form as somebody's browser does, which follows no redirect."""
        return self.web.post(
            path,
            data=data,
            files={"file": file} if file is not None else None,
            headers={"Origin": self.url, **self.cookie(who)},
        )

    def answer_of(self, exercise: Exercise, team: str, value: str) -> str:
        """Return a value of a team, such as its right answer."""
        found = exercise.team(team)
        assert found is not None
        return str(self.services.exercises.facts(exercise, found).values[value])


@contextmanager
def api_site(
    folder: Path,
    *,
    policy: Path | None = None,
    doors: tuple[Door, ...] = (),
    lrs: FakeLrs | None = None,
    followed: timedelta = timedelta(seconds=0.5),
) -> Iterator[ApiSite]:
    """Lend a site in `folder`, on SQLite; it can be had at `doors`, too, and tells an `lrs`.

    A board is `followed` so long at a time.
    """
    scenarios = folder / "scenarios"
    house = SCENARIO.replace('{{ team.name }}?"', '{{ team.name }}?"' + FILES)
    for name, text in {"house": house, "torn": "language: 1\nscenario: {id: torn}\n"}.items():
        (scenarios / name).mkdir(parents=True)
        (scenarios / name / "scenario.yaml").write_text(text)
    (scenarios / "house" / "door.html").write_bytes(DOOR)
    (scenarios / "house" / "letter.txt.j2").write_text(LETTER)
    settings = Settings(
        home=folder / "home",
        installation="test",
        scenarios=scenarios,
        policy=policy,
        address_pool=(IPv4Network("10.213.0.0/24"),),
        public_host="range.test",
        lrs_url=lrs.url if lrs is not None else "",
        lrs_key=KEY_OF_LRS,
        lrs_secret=SecretStr(SECRET_OF_LRS),
        lrs_home_page="https://range.test",
    )
    clock, queue = FakeClock(), RecordingQueue()
    engine = FakeEngine(clock=clock)
    services = assemble(settings, clock=clock, queue=queue, engine=engine)
    create_tables(services.database)
    for name, role in STAFF.items():
        services.users.add(name, role=role, password=PASSWORD)
    app = create_app(services)
    # A browser would follow for minutes and come again; whoever asks here waits for the end.
    app.state.feeds = BoardFeeds(services.scoring.boards, lasts=followed)
    # Many people share the client: no answer leaves a cookie for the next call.
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    # No TLS here, whose authorities would be read for every client.
    with (
        served(app, doors=doors) as url,
        httpx.Client(base_url=url, verify=False, timeout=60, cookies=no_cookies) as web,
    ):
        yield ApiSite(services=services, clock=clock, queue=queue, engine=engine, url=url, web=web)
    services.close()
