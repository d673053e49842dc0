"""The command line over a site whose engine is a fake."""

import json
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api import bootstrap
from api.bootstrap import Services
from api.cli import database, preparing, rehearsal
from api.cli.exercise import OPERATOR
from api.cli.main import app
from api.rehearsal import site as rehearsal_site
from core.clock import SystemClock
from core.jobs import Job
from core.scenario.json_schema import json_schema, json_schema_text
from core.scenario.key_reference import reference
from core.settings import Settings
from orchestrator.domain.engine_facts import Space
from orchestrator.domain.phases import Phase
from orchestrator.domain.world import RouterPlan
from orchestrator.ports import Dropped, EngineUnavailableError, RangeEngine
from orchestrator.service import PREPARE
from scoring.marking.fit import Given
from tests.fakes.api_site import KEY, SCENARIO
from tests.fakes.fake_engine import FakeEngine, FakeRouter
from tests.fakes.jobs import acts_of, do
from tests.fakes.lrs import KEY as KEY_OF_LRS
from tests.fakes.lrs import SECRET as SECRET_OF_LRS
from tests.fakes.lrs import FakeLrs, Wrong, fake_lrs
from tests.fakes.queue import RecordingQueue
from tests.fakes.rehearsal_hall import make_tables


class Working(RecordingQueue):
    """A queue with a worker: `work` does what was sent, `at_once` as soon as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.services: Services | None = None
        self.at_once = False

    def send(self, job: Job) -> None:
        super().send(job)
        if self.at_once:
            self.work()

    def work(self) -> None:
        assert self.services is not None
        while jobs := self.take():
            for job in jobs:
                do(acts_of(self.services), job)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def queue() -> Working:
    return Working()


@pytest.fixture(autouse=True)
def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine, queue: Working
) -> Iterator[Path]:
    """Give every command a home and scenarios of its own, and the fake engine."""
    for name, text in {"house": SCENARIO, "torn": "language: 2\n"}.items():
        (tmp_path / "scenarios" / name).mkdir(parents=True)
        (tmp_path / "scenarios" / name / "scenario.yaml").write_text(text)
    monkeypatch.setenv("POLIGON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("POLIGON_SCENARIOS", str(tmp_path / "scenarios"))
    monkeypatch.delenv("POLIGON_DATABASE_URL", raising=False)
    opened: list[Services] = []

    def open_services(settings: Settings) -> Services:
        made = bootstrap.assemble(settings, clock=SystemClock(), queue=queue, engine=engine)
        queue.services = made
        opened.append(made)
        return made

    def open_engine(_settings: Settings) -> RangeEngine:
        return engine

    monkeypatch.setattr(database, "open_services", open_services)
    monkeypatch.setattr(preparing, "open_engine", open_engine)
    monkeypatch.setattr(rehearsal, "open_engine", open_engine)
    yield tmp_path
    for services in opened:
        services.close()


@pytest.fixture
def hall_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the tables of rehearsals at once."""
    monkeypatch.setattr(rehearsal_site, "upgrade", make_tables)


def poligon(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, prog_name="poligon")


def launched(queue: Working, teams: int = 2) -> str:
    result = poligon("exercise", "launch", "house", "--teams", str(teams), "--detach", "--json")
    queue.work()
    name: str = json.loads(result.stdout)["exercise"]["name"]
    return name


# Scenarios


def test_lint_exits_by_what_it_found(site: Path) -> None:
    codes = {
        arguments: poligon("scenario", "lint", *arguments).exit_code
        for arguments in (
            ("house",),
            ("torn",),
            ("none",),
            (),
            ("house", "--strict"),
            ("house", "torn"),
            ("torn", "none"),
        )
    }
    assert codes[("house",)] == 0
    assert codes[("torn",)] == 1
    assert codes[("none",)] == 2
    assert codes[()] == 2
    assert codes[("house", "torn")] == 1
    assert codes[("torn", "none")] == 2


def test_lint_shows_the_problems_of_all_its_scenarios() -> None:
    together = poligon("scenario", "lint", "house", "torn").stdout
    alone = [poligon("scenario", "lint", name).stdout for name in ("house", "torn")]
    assert all(alone)
    assert together == "".join(alone)


def test_import_writes_a_draft_that_lints_and_tells_what_became_of_each_key(tmp_path: Path) -> None:
    file, draft = tmp_path / "compose.yml", tmp_path / "old-blog"
    file.write_text("services: {web: {image: nginx, ports: ['80'], tty: true}}\n")
    result = poligon("scenario", "import", str(file), "-o", str(draft))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "dropped services.web.tty: it changes nothing that a trainee would see" in lines
    assert (
        f"{draft}: a draft of the docker-compose file; keys: 1 carried, 1 changed, 1 dropped"
        in lines
    )
    assert poligon("scenario", "lint", str(draft)).exit_code == 0


def test_import_gives_the_same_as_data(tmp_path: Path) -> None:
    file, draft = tmp_path / "compose.yml", tmp_path / "old-blog"
    file.write_text("services: {web: {image: nginx}}\n")
    result = poligon("scenario", "import", str(file), "-o", str(draft), "--json")
    assert json.loads(result.stdout) == {
        "format": "docker-compose file",
        "folder": str(draft),
        "notes": [{"key": "services.web.image", "outcome": "carried", "message": ""}],
        "warnings": [],
    }


def test_import_refuses_by_key_and_writes_nothing(tmp_path: Path) -> None:
    file, draft = tmp_path / "compose.yml", tmp_path / "old-blog"
    file.write_text("services:\n  web: {image: nginx, pid: host}\n")
    result = poligon("scenario", "import", str(file), "-o", str(draft))
    assert result.exit_code == 1
    assert f"{file}:2:23: error: services.web.pid: which namespace a host shares" in result.stderr
    assert not draft.exists()
    data = json.loads(poligon("scenario", "import", str(file), "-o", str(draft), "--json").stdout)
    assert data["code"] == "scenario.import_refused"
    assert len(data["errors"]) == 1


def test_import_of_what_is_not_there_or_to_what_is_taken_is_wrong_use(tmp_path: Path) -> None:
    absent = poligon("scenario", "import", str(tmp_path / "no.yml"), "-o", str(tmp_path / "x"))
    assert (absent.exit_code, "no.yml: No such file" in absent.stderr) == (2, True)
    file = tmp_path / "compose.yml"
    file.write_text("services: {web: {image: nginx}}\n")
    taken = poligon("scenario", "import", str(file), "-o", str(tmp_path))
    assert (taken.exit_code, "is not empty" in taken.stderr) == (2, True)


def test_lint_prints_places_of_all_problems() -> None:
    text = poligon("scenario", "lint", "torn").stdout
    data = json.loads(poligon("scenario", "lint", "torn", "--json").stdout)
    assert len(text.splitlines()) == len(data) > 0
    first = data[0]
    assert text.splitlines()[0] == (
        f"{first['file']}:{first['line']}:{first['column']}: {first['severity']}:"
        f" {first['message']}"
    )


def test_the_language_is_printed_or_written(site: Path) -> None:
    for command, made in (("schema", json_schema_text()), ("reference", reference(json_schema()))):
        file = site / command
        assert poligon("scenario", command).stdout == made
        written = poligon("scenario", command, "-o", str(file))
        assert (written.exit_code, written.output, file.read_text()) == (0, "", made)
        refused = poligon("scenario", command, "-o", str(file / "below"))
        assert refused.exit_code == 2
        assert f"error: {file}/below: Not a directory" in refused.stderr


def test_generators_are_listed_with_what_they_take_and_an_example() -> None:
    text = poligon("scenario", "generators").stdout
    listed = {
        one["name"]: one for one in json.loads(poligon("scenario", "generators", "--json").stdout)
    }
    assert len(listed) == 8
    attack = listed["ssh-bruteforce"]
    parameters = {one["name"]: one for one in attack["parameters"]}
    assert [name for name, one in parameters.items() if one["required"]] == ["user", "at"]
    assert parameters["attempts"]["type"] == "whole number 1 to 20000"
    assert parameters["attempts"]["default"] == "120"
    assert parameters["since"]["default"] == "1d"
    assert parameters["from"]["default"] is None
    assert parameters["noise"]["type"] == "none | low | medium | high"
    assert "generate: ssh-bruteforce" in attack["example"]
    assert all(name in text and one["example"] in text for name, one in listed.items())


def test_a_plan_names_everything_and_creates_nothing(engine: FakeEngine) -> None:
    shown = json.loads(poligon("scenario", "plan", "house", "--teams", "3", "--json").stdout)
    assert (shown["hosts"], shown["networks"], len(shown["teams"])) == (3, 3, 3)
    subnets = {team["networks"]["office"] for team in shown["teams"]}
    assert subnets == {"10.213.0.0/28", "10.213.0.16/28", "10.213.0.32/28"}
    assert engine.hosts == {}
    assert engine.networks == {}


def test_a_plan_without_hosts_shows_no_empty_tables(site: Path) -> None:
    table = site / "scenarios" / "table"
    table.mkdir()
    (table / "scenario.yaml").write_text(
        "language: 1\nscenario: {id: table, version: 1.0.0, title: Talks, kind: tabletop,"
        " duration: 1h}\nroles: {clerk: {side: blue}}\n"
        "tasks: {one: {ask: Which?, answer: this, points: 1}}\n"
    )
    told = poligon("scenario", "plan", "table").stdout.splitlines()
    assert told[:3] == [
        "Talks: 1 teams",
        "",
        "0 hosts, at most 0 MiB of memory, 0 CPUs and 0 processes",
    ]


def test_a_plan_works_without_an_engine_and_says_so(engine: FakeEngine) -> None:
    engine.fail("info", EngineUnavailableError("the engine is away"))
    result = poligon("scenario", "plan", "house")
    assert result.exit_code == 0
    assert "The engine was not asked: the engine is away" in result.stdout


def test_a_plan_that_does_not_fit_the_pool_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLIGON_ADDRESS_POOL", '["10.1.0.0/28"]')
    result = poligon("scenario", "plan", "house", "--teams", "2")
    assert result.exit_code == 5
    assert "POLIGON_ADDRESS_POOL" in result.stderr


# Exercises


def test_a_launch_that_does_not_wait_tells_how_to_get_in(queue: Working) -> None:
    result = poligon("exercise", "launch", "house", "--teams", "2", "--detach", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert told["exercise"]["phase"] == "provisioning"
    assert [login["team"] for login in told["logins"]] == ["team-1", "team-2"]
    assert told["logins"][0]["ssh"].endswith(f"{told['logins'][0]['user']}@127.0.0.1")
    assert [job.name for job in queue.take()] == [PREPARE]


def test_a_launch_waits_until_the_worlds_stand(queue: Working) -> None:
    queue.at_once = True
    result = poligon("exercise", "launch", "house", "--teams", "2")
    assert result.exit_code == 0
    assert "ready" in result.stdout
    assert "team-1  ready" in result.stderr


def test_a_launch_that_stays_degraded_exits_as_partial(queue: Working, engine: FakeEngine) -> None:
    engine.answer(["true"], exit_code=1, output="no such door")
    queue.at_once = True
    result = poligon("exercise", "launch", "house")
    assert result.exit_code in {1, 6}
    assert "no such door" in result.stdout


def test_a_launch_that_takes_too_long_is_a_timeout_with_what_was_seen() -> None:
    result = poligon("exercise", "launch", "house", "--timeout", "1", "--json")
    assert result.exit_code == 7
    problem = json.loads(result.stdout)
    assert problem["code"] == "wait.too_long"
    assert "1 planned" in problem["detail"]


def test_an_exercise_goes_through_its_life(queue: Working) -> None:
    name = launched(queue)
    moves = ("start", "pause", "resume", "end", "destroy")
    phases = [
        json.loads(poligon("exercise", move, name, "--json").stdout)["phase"] for move in moves
    ]
    assert phases == ["running", "paused", "running", "ended", "closed"]
    status = json.loads(poligon("exercise", "status", name, "--json").stdout)
    assert status["phase"] == Phase.CLOSED


def test_a_machine_or_all_of_a_team_is_made_anew(queue: Working, engine: FakeEngine) -> None:
    name = launched(queue)
    for options in (("--host", "desk"), ()):
        before = dict(engine.hosts)
        result = poligon("exercise", "reset", name, "--team", "team-1", *options)
        assert (result.exit_code, "is being made anew" in result.stdout) == (0, True)
        queue.work()
        changed = [key.world.team for key, host in engine.hosts.items() if before[key] is not host]
        assert changed == ["team-1"]
    status = json.loads(poligon("exercise", "status", name, "--json").stdout)
    assert [team["world"] for team in status["teams"]] == ["ready", "ready"]


@pytest.mark.parametrize("options", [("--team", "none"), ("--team", "team-1", "--host", "none")])
def test_a_reset_of_what_is_not_there_exits_as_missing(
    queue: Working, options: tuple[str, ...]
) -> None:
    result = poligon("exercise", "reset", launched(queue), *options, "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["code"] in {"team.unknown", "host.unknown"}


def test_the_status_tells_each_cause_once_with_its_teams(
    queue: Working, engine: FakeEngine
) -> None:
    engine.images.clear()
    shown = poligon("exercise", "status", name := launched(queue)).stdout
    assert "2 teams: the engine has no image debian:bookworm-slim" in shown
    assert f"try: poligon exercise retry {name}" in shown


def test_the_status_and_a_launch_tell_that_the_engines_disk_is_full(
    queue: Working, engine: FakeEngine
) -> None:
    name = launched(queue)
    engine.facts = replace(engine.facts, space=Space(free=0, total=2**30))
    assert queue.services is not None
    queue.services.reconciling.sweep()
    assert "disk is almost full" in poligon("exercise", "status", name).stdout
    assert "engine.disk_full" in poligon("exercise", "events", name).stdout
    refused = poligon("exercise", "launch", "house", "--teams", "1")
    assert refused.exit_code != 0
    assert "the engine's disk is almost full, so nothing new is launched" in refused.stderr
    assert "docker system df" in refused.stderr


def test_a_second_launch_says_about_how_long_it_will_take(queue: Working) -> None:
    queue.at_once = True
    poligon("exercise", "launch", "house")
    queue.at_once = False
    poligon("exercise", "launch", "house", "--detach")
    (shown, _) = json.loads(poligon("exercise", "list", "--json").stdout)
    assert shown["phase"] == "provisioning"
    assert shown["ready_in_seconds"] is not None


def test_what_cannot_be_done_now_exits_as_a_conflict(queue: Working) -> None:
    result = poligon("exercise", "pause", launched(queue))
    assert result.exit_code == 5
    assert "cannot become paused" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("verb", ["status", "start", "destroy", "logins", "board", "record"])
def test_an_exercise_that_is_not_there_exits_as_missing(verb: str) -> None:
    result = poligon("exercise", verb, "no-such-thing", *([] if verb == "record" else ["--json"]))
    assert result.exit_code == 3
    if verb != "record":
        assert json.loads(result.stdout)["code"] == "exercise.unknown"


def test_the_key_of_a_feed_is_printed_and_made_anew(queue: Working) -> None:
    name = launched(queue)
    first = poligon("score", "feed-key", name).stdout.strip()
    assert len(bytes.fromhex(first)) == 32
    assert json.loads(poligon("score", "feed-key", name, "--json").stdout)["key"] == first
    second = poligon("score", "feed-key", name, "--rotate").stdout.strip()
    assert second not in {"", first}
    assert poligon("score", "feed-key", name).stdout.strip() == second
    assert poligon("score", "feed-key", "nowhere").exit_code == 3


def test_a_score_is_proved_rebuilt_and_found_out_when_changed(queue: Working) -> None:
    name = launched(queue)
    services = queue.services
    assert services is not None
    services.exercises.start(services.exercises.get(name).id)
    exercise = services.exercises.get(name)
    team = exercise.teams[0]
    value = str(services.exercises.facts(exercise, team).values["thief"])
    user = team.members[0].user
    services.scoring.answer(exercise, team, user, task="who", value=value, client_key="one")
    replayed = poligon("score", "replay", name, "--json")
    found = json.loads(replayed.stdout)
    assert (replayed.exit_code, found["holds"], found["teams"][0]["entries"]) == (0, True, 1)
    assert found["ledger_hash"] == found["replay_hash"]
    (proof,) = json.loads(poligon("score", "verify", "--all", "--seal", "--json").stdout)
    assert (proof["exercise"], proof["entries"], len(proof["seal"])) == (name, 1, 64)
    with services.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE standings SET milli_points = 1, tasks = '{}'")
    broken = poligon("score", "verify", name)
    assert broken.exit_code == 1
    assert "the standing of team-1 is 0 thousandths after 1 entries" in broken.stdout
    assert json.loads(poligon("score", "rebuild", name, "--json").stdout) == {name: 2}
    assert poligon("score", "verify", name).exit_code == 0
    with services.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER score_facts_no_delete")
        connection.exec_driver_sql("DELETE FROM score_facts")
    changed = poligon("score", "replay", name)
    assert changed.exit_code == 1
    assert "✗ team-1: extra solve:" in changed.stdout


@pytest.mark.parametrize("arguments", [[], ["drill", "--all"]])
def test_a_proof_is_of_one_exercise_or_of_all(arguments: list[str]) -> None:
    result = poligon("score", "verify", *arguments, "--json")
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (2, "score.no_exercise")


def test_board_record_and_list_print_data(queue: Working) -> None:
    name = launched(queue)
    board = json.loads(poligon("exercise", "board", name, "--json").stdout)
    record = json.loads(poligon("exercise", "record", name).stdout)
    as_csv = poligon("exercise", "record", name, "--csv").stdout
    listed = json.loads(poligon("exercise", "list", "--json").stdout)
    assert [row["team"] for row in board["rows"]] == ["team-1", "team-2"]
    assert [team["team"] for team in record["teams"]] == ["team-1", "team-2"]
    assert as_csv.startswith("exercise,")
    assert [exercise["name"] for exercise in listed] == [name]


# People, database, everything


def test_people_are_added_listed_and_let_in_by_key(site: Path) -> None:
    added = json.loads(poligon("user", "add", "ana", "--role", "instructor", "--json").stdout)
    (site / "ana.pub").write_text(KEY)
    key = json.loads(poligon("user", "key", "ana", str(site / "ana.pub"), "--json").stdout)
    listed = json.loads(poligon("user", "list", "--json").stdout)
    assert listed == [{"name": "ana", "role": "instructor", "display_name": ""}]
    assert len(added["password"]) == 14
    assert key["fingerprint"].startswith("SHA256:")
    assert poligon("user", "add", "ana").exit_code == 5
    assert poligon("user", "add", "Ana B.").exit_code == 2
    assert poligon("user", "key", "nobody", str(site / "ana.pub")).exit_code == 3
    assert poligon("user", "key", "ana", str(site / "none.pub")).exit_code == 2


def test_the_database_is_upgraded_once() -> None:
    upgraded = [json.loads(poligon("db", "upgrade", "--json").stdout)["upgraded"] for _ in range(2)]
    assert upgraded == [True, False]


def test_down_closes_exercises_and_leaves_nothing_on_the_engine(
    queue: Working, engine: FakeEngine
) -> None:
    name = launched(queue)
    poligon("exercise", "start", name)
    assert engine.hosts
    told = json.loads(poligon("down", "--json").stdout)
    assert (told["exercises_closed"], engine.hosts, engine.networks) == (1, {}, {})
    status = json.loads(poligon("exercise", "status", name, "--json").stdout)
    assert (status["phase"], {t["world"] for t in status["teams"]}) == ("closed", {"removed"})


TALK = """\
  talk: {title: The talk, ask: Tell us., rubric: talk, points: 10}
rubrics: {talk: {criteria: {calm: {levels: {0: nervous, 1: calm}}}}}
"""


def test_who_marks_is_appointed_and_what_was_marked_is_listed_and_exported(
    site: Path, queue: Working
) -> None:
    (site / "scenarios" / "house" / "scenario.yaml").write_text(SCENARIO + TALK)
    name = launched(queue, teams=1)
    poligon("exercise", "start", name)
    assert poligon("user", "add", "anna", "--role", "assessor").exit_code == 0
    assert poligon("marks", "appoint", name, "anna").stdout == f"anna marks in {name}\n"
    services = queue.services
    assert services is not None
    exercise, anna = services.exercises.get(name), services.users.named("anna")
    services.marking.mark(
        exercise,
        exercise.teams[0],
        anna.id,
        task="talk",
        place="",
        marks={"calm": Given(level=1, reason="=calm")},
        hand_in=True,
    )
    (line,) = json.loads(poligon("marks", "list", name, "--json").stdout)
    assert (line["task"], line["state"], line["points"]) == ("talk", "decided", 10)
    assert "Assessors: anna" in poligon("marks", "list", name).stdout
    assert "anna,calm,1,'=calm" in poligon("marks", "export", name).stdout
    assert poligon("marks", "release", name, "talk").exit_code == 0
    refused = poligon("marks", "again", name, "talk", "team-1")
    assert (refused.exit_code, "a reason is missing" in refused.stderr) == (2, True)
    assert poligon("marks", "again", name, "talk", "team-1", "--reason", "new").exit_code == 0
    assert poligon("marks", "dismiss", name, "anna").exit_code == 0
    assert poligon("marks", "release", name, "who").exit_code == 2


def test_injects_are_listed_held_fired_and_moved(queue: Working) -> None:
    name = launched(queue)
    poligon("exercise", "start", name)
    held = poligon("inject", "hold", name, "call", "--team", "team-2", "--reason", "wait")
    assert (held.exit_code, held.stdout) == (0, "hold call: team-2\n")
    assert poligon("inject", "fire", name, "call", "--team", "team-1").exit_code == 0
    (inject,) = json.loads(poligon("inject", "list", name, "--json").stdout)
    assert [team["state"] for team in inject["teams"]] == ["fired", "held"]
    assert inject["teams"][0]["expectation"] == "open"
    assert "The owner calls" not in poligon("inject", "list", name).stdout
    assert "held" in poligon("inject", "list", name).stdout
    again = poligon("inject", "fire", name, "call", "--team", "team-1")
    assert (again.exit_code, "is fired already" in again.stderr) == (5, True)
    assert poligon("inject", "release", name, "call").stdout == "release call: team-2\n"
    assert json.loads(poligon("inject", "skip", name, "call", "--json").stdout) == {
        "teams": ["team-2"]
    }
    moved = poligon("inject", "shift", name, "10m", "--earlier", "--team", "team-1")
    assert moved.stdout == "Moved by -10m: team-1\n"
    assert poligon("inject", "shift", name, "ten").exit_code == 2
    assert poligon("inject", "skip", name, "cal").exit_code == 3


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLIGON_HTTP_PORT", "web")
    result = poligon("exercise", "list")
    assert result.exit_code == 2
    assert "POLIGON_HTTP_PORT" in result.stderr


def test_the_operator_sees_and_does_everything() -> None:
    assert OPERATOR.runs_exercises
    assert OPERATOR.sees_results


def test_a_plan_tells_of_routers_where_flows_are_stated(site: Path) -> None:
    text = SCENARIO.replace("office: {size: /28}", "office: {size: /28}, far: {size: /28}")
    flows = "flows: [{from: office, to: far, tcp: [80]}]\nhosts:\n"
    (site / "scenarios/house/scenario.yaml").write_text(text.replace("hosts:\n", flows, 1))
    shown = json.loads(poligon("scenario", "plan", "house", "--teams", "2", "--json").stdout)
    assert "2 routers carry the flows between networks" in shown["remarks"]


def test_what_a_router_dropped_is_told_and_that_there_is_none(
    queue: Working, engine: FakeEngine
) -> None:
    name = launched(queue, teams=1)
    none = poligon("exercise", "dropped", name, "team-1")
    assert (none.exit_code, "no router" in none.stderr) == (5, True)
    (world,) = {key.world for key in engine.hosts}
    drop = Dropped(
        source=IPv4Address("10.1.0.2"),
        target=IPv4Address("8.8.8.8"),
        protocol="udp",
        port=53,
        packets=4,
    )
    plan = RouterPlan(attachments=(), passages=())
    engine.routers[world] = FakeRouter(plan=plan, dropped=(drop,))
    assert "8.8.8.8" in poligon("exercise", "dropped", name, "team-1").stdout
    assert json.loads(poligon("exercise", "dropped", name, "team-1", "--json").stdout) == [
        {"source": "10.1.0.2", "target": "8.8.8.8", "protocol": "udp", "port": 53, "packets": 4}
    ]
    assert poligon("exercise", "dropped", name, "nobody").exit_code == 3


@pytest.mark.usefixtures("hall_tables")
def test_a_launch_warns_until_its_scenario_was_rehearsed_as_it_is(
    site: Path, queue: Working
) -> None:
    queue.at_once = True
    launched = poligon("exercise", "launch", "house")
    doubt = "nobody knows whether this scenario works: it was never rehearsed here"
    assert f"{doubt}; poligon scenario rehearse house" in launched.output
    rehearsed = poligon("scenario", "rehearse", "house")
    assert rehearsed.exit_code == 8
    assert "house 1.0.0 is broken" in rehearsed.stdout
    assert "  ✗ there is no solution: nothing shows that it can be solved" in rehearsed.stdout
    shown = json.loads(poligon("scenario", "rehearse", "house", "--last", "--json").stdout)
    assert not shown["passed"]
    launched = poligon("exercise", "launch", "house")
    assert (
        "works: its rehearsal failed: shut does not pass before anything was done"
        in launched.output
    )
    file = site / "scenarios" / "house" / "scenario.yaml"
    file.write_text(SCENARIO.replace("The house", "The barn"))
    launched = json.loads(poligon("exercise", "launch", "house", "--json").stdout)
    (warning,) = launched["exercise"]["warnings"]
    assert "it changed since its rehearsal of " in warning
    unknown = poligon("scenario", "rehearse", "house", "--last")
    assert unknown.exit_code == 3
    assert "it changed since its rehearsal of" in unknown.stderr


@pytest.mark.usefixtures("hall_tables")
def test_a_rehearsal_tells_a_broken_scenario_and_a_broken_site_apart(engine: FakeEngine) -> None:
    assert poligon("scenario", "rehearse", "torn").exit_code == 8
    engine.fail("info", EngineUnavailableError("the engine is away"))
    away = poligon("scenario", "rehearse", "house")
    assert away.exit_code == 1
    assert "the engine is away" in away.stderr
    assert poligon("scenario", "rehearse", "house", "--last").exit_code == 3, "nothing is kept"


@pytest.mark.usefixtures("hall_tables")
def test_what_a_rehearsal_keeps_can_be_removed_by_hand(engine: FakeEngine) -> None:
    kept = poligon("scenario", "rehearse", "house", "--keep")
    assert engine.remaining() != ()
    assert "poligon down" in kept.stderr


def test_a_new_scenario_is_written_and_compared_with_another(site: Path) -> None:
    folder = site / "scenarios" / "my-case"
    written = poligon("scenario", "new", str(folder))
    assert f"poligon scenario rehearse {folder}" in written.stdout
    assert poligon("scenario", "lint", "--strict", "my-case").exit_code == 0
    assert poligon("scenario", "new", str(folder)).exit_code == 5
    assert poligon("scenario", "diff", "my-case", "my-case").stdout == (
        "For trainees nothing differs\n"
    )
    found = json.loads(poligon("scenario", "diff", "house", "my-case", "--json").stdout)
    assert {
        "section": "tasks",
        "name": "shut",
        "text": "the task shut is gone",
    } in found


def test_a_plan_refuses_what_the_site_decides_and_names_the_line_that_allows_it(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = site / "scenarios" / "house" / "scenario.yaml"
    file.write_text(SCENARIO.replace("    accounts: [", "    privileged: true\n    accounts: [", 1))
    refused = poligon("scenario", "plan", "house")
    assert refused.exit_code == 4
    line = "- {host: house/desk, privileged: true}"
    assert refused.stdout.endswith(f"would:\n  {line}\n")
    assert line in poligon("scenario", "lint", "house").stdout
    rehearsed = poligon("scenario", "rehearse", "house")
    assert rehearsed.exit_code == 4
    assert line in rehearsed.stderr
    assert poligon("scenario", "rehearse", "house", "--last").exit_code == 3
    (site / "policy.yaml").write_text(f"policy: 1\nallow:\n  {line}\n")
    monkeypatch.setenv("POLIGON_POLICY", str(site / "policy.yaml"))
    permitted = poligon("scenario", "plan", "house")
    assert permitted.exit_code == 0
    assert "desk has privileged: true, as policy.yaml:3:5 permits" in permitted.stdout
    assert poligon("scenario", "lint", "house").exit_code == 0


def test_a_policy_that_is_wrong_stops_every_command_and_permits_nothing(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "policy.yaml").write_text("policy: 1\nallows: []\n")
    monkeypatch.setenv("POLIGON_POLICY", str(site / "policy.yaml"))
    for command in (("lint", "house"), ("plan", "house"), ("rehearse", "house")):
        stopped = poligon("scenario", *command)
        assert stopped.exit_code == 2
        assert (
            "policy.yaml:2:1: error: unknown key 'allows' (did you mean allow?)" in stopped.stderr
        )


def test_a_launch_over_the_quota_is_refused_as_its_plan_says(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "policy.yaml").write_text("policy: 1\nquota: {teams: 2, memory: 1g}\n")
    monkeypatch.setenv("POLIGON_POLICY", str(site / "policy.yaml"))
    assert poligon("scenario", "plan", "house", "--teams", "2").exit_code == 0
    planned = poligon("scenario", "plan", "house", "--teams", "3")
    assert planned.exit_code == 4
    sentence = (
        "3 teams need `memory: 1536m`, and the site's quota of an exercise is `memory: 1024m`"
    )
    assert sentence in planned.stdout
    launched = poligon("exercise", "launch", "house", "--teams", "3", "--detach")
    assert launched.exit_code == 4
    assert sentence in launched.stderr


# Results for a learning record store


@pytest.fixture
def lrs(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLrs]:
    with fake_lrs() as lrs:
        monkeypatch.setenv("POLIGON_LRS_URL", lrs.url)
        monkeypatch.setenv("POLIGON_LRS_KEY", KEY_OF_LRS)
        monkeypatch.setenv("POLIGON_LRS_SECRET", SECRET_OF_LRS)
        monkeypatch.setenv("POLIGON_LRS_HOME_PAGE", "https://range.example")
        yield lrs


def test_results_are_sent_by_hand_and_their_way_is_told(queue: Working, lrs: FakeLrs) -> None:
    name = launched(queue)
    assert poligon("exercise", "start", name).exit_code == 0
    assert poligon("exercise", "end", name).exit_code == 0
    lrs.wrong = lambda _: Wrong(status=401, body=b"No \x1b[2Jsuch key")
    failed = poligon("lrs", "send")
    assert failed.exit_code == 1
    assert "0 delivered, 0 refused, 4 waiting" in failed.stdout
    assert "stopped: it answered 401: No \\x1b[2Jsuch key" in failed.stdout
    told = poligon("lrs", "status").stdout
    assert "4 waiting, 0 delivered, 0 refused" in told
    assert "not reached: it answered 401" in told
    assert "next try: " in told
    lrs.wrong = lambda call: None if call.method == "GET" else Wrong(status=400, body=b"Bad")
    assert "0 delivered, 4 refused, 0 waiting" in poligon("lrs", "send").stdout
    status = json.loads(poligon("lrs", "status", "--json").stdout)
    assert (status["counts"]["refused"], status["refused"]) == (4, "it answered 400: Bad")
    assert (status["problem"], status["next_try"]) == ("", None)
    lrs.wrong = lambda _: None
    assert json.loads(poligon("lrs", "retry", "--json").stdout) == {"waiting_again": 4}
    sent = poligon("lrs", "send", "--json")
    assert sent.exit_code == 0
    assert json.loads(sent.stdout) == {"delivered": 4, "refused": 0, "problem": "", "waiting": 0}
    assert len(lrs.statements) == 4
    record = json.loads(poligon("exercise", "record", name, "--xapi").stdout)
    assert record == list(lrs.statements.values())


@pytest.mark.parametrize("command", ["status", "send"])
def test_without_a_learning_record_store_nothing_is_told(command: str) -> None:
    result = poligon("lrs", command, "--json")
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (5, "lrs.not_set")
