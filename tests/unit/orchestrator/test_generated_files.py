"""Evidence from a scenario's line to the plan of a host and into its archive."""

from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from core.ids import ExerciseId
from core.scenario.generated import team_seed
from core.scenario.load import load
from core.scenario.render import TeamFacts
from core.scenario.values import derive_values
from orchestrator.domain.addresses import host_addresses
from orchestrator.domain.plan import plan_world
from orchestrator.domain.world import FilePlan, HostPlan, WorldKey

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
# The two lines of `files` that generate are those of the language's contract, word for word.
SCENARIO = """\
language: 1
scenario: {id: harbour, version: 1.0.0, title: Harbour, kind: investigation, duration: 30m}
roles: {responder: {side: blue}}
values:
  c2_port:    {type: port, min: 20000, max: 40000}
  evil_user:  {type: username, unlike: [svc-backup]}
  intrusion:  {type: instant, between: [exercise.start - 36h, exercise.start - 30h], step: 1s}
networks: {office: {size: /27}, world: {size: /28, simulates: internet}}
flows:
  - {from: office/files, to: world/c2,  tcp: ["{{ values.c2_port }}"], note: the beacon}
hosts:
  files:
    image: x
    networks: {office: {}}
    accounts: [{name: keeper, roles: [responder]}]
    files:
      - {to: /var/log/auth.log, generate: ssh-bruteforce, with: {user: "{{ values.evil_user }}", attempts: 240, noise: medium, at: "{{ values.intrusion }}"}}
      - {to: /evidence/edge.pcap, generate: beacon-capture, with: {server: "{{ hosts.c2.ip }}", port: "{{ values.c2_port }}", period: 45s, at: "{{ values.intrusion }}"}}
      - {to: /evidence/old.log, generate: shell-history, mtime: "2026-01-02T03:04:05Z", mode: "0600", with: {at: "{{ values.intrusion }}"}}
      - {to: /home/keeper/, generate: file-tree, owner: "keeper:keeper", mode: "0640", with: {at: "{{ exercise.start }}"}}
      - {to: /home/keeper/Desktop/mine.txt, text: mine}
  c2: {image: x, networks: {world: {}}, hidden: true, env: {PORT: "{{ values.c2_port }}"}}
access: [{roles: [responder], host: files, as: keeper}]
tasks: {who: {ask: Who?, answer: "{{ values.evil_user }}", points: 5}}
"""  # noqa: E501  # as it stands there
SUBNETS: Mapping[str, IPv4Network] = {
    "office": IPv4Network("10.0.0.0/27"),
    "world": IPv4Network("198.18.4.0/28"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "harbour"
    folder.mkdir()
    (folder / "scenario.yaml").write_text(SCENARIO)
    return folder


def planned(folder: Path, team: str = "team-1") -> tuple[TeamFacts, HostPlan]:
    loaded = load(folder)
    facts = TeamFacts(
        slug=team,
        name="Team",
        number=1,
        teams=("team-1", "team-2"),
        values=derive_values(
            loaded.scenario, loaded, key=b"k", team=team, start=START, subnets=SUBNETS
        ),
        addresses=host_addresses(loaded.scenario, SUBNETS, team=1),
        subnets=SUBNETS,
        start=START,
        seed=team_seed(b"k", team),
    )
    key = WorldKey(exercise=ExerciseId("x"), team=team)
    world = plan_world(key, loaded, facts=facts, subnets=SUBNETS, image_name=lambda *_: "x")
    return facts, world.hosts[0]


def file(host: HostPlan, path: str) -> FilePlan:
    return next(file for file in host.files if file.path == path)


def test_what_the_contract_shows_loads_and_is_planned_with_the_teams_values(folder: Path) -> None:
    assert [w for w in load(folder).warnings if "files" in w.message] == []
    facts, host = planned(folder)
    log = file(host, "/var/log/auth.log")
    user, entered = facts.values["evil_user"], facts.values["intrusion"]
    assert isinstance(entered, datetime)
    text = log.content.decode()
    assert text.count(f"Failed password for {user} from ") == 240
    assert f"{entered:%H:%M:%S} files sshd" in text.split(f"Accepted password for {user}")[0][-40:]
    capture = file(host, "/evidence/edge.pcap")
    server = facts.addresses["c2"]["world"].packed
    port = facts.values["c2_port"]
    assert isinstance(port, int)
    assert capture.content.count(server) > 100
    assert port.to_bytes(2, "big") in capture.content


def test_a_file_is_dated_by_its_last_event_unless_the_author_dates_it(folder: Path) -> None:
    _, host = planned(folder)
    log = file(host, "/var/log/auth.log")
    assert log.mtime is not None
    last = log.content.decode().splitlines()[-1].split(" files ")[0]
    assert f"{log.mtime:%b} {log.mtime.day:2d} {log.mtime:%H:%M:%S}" == last
    assert log.mtime <= START
    old = file(host, "/evidence/old.log")
    assert old.mtime == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert old.mode == 0o600


def test_a_tree_is_of_its_owner_folders_too_and_what_stands_later_wins(folder: Path) -> None:
    _, host = planned(folder)
    tree = [f for f in host.files if f.path.startswith("/home/keeper") and f.content != b"mine"]
    assert {f.owner for f in tree} == {"keeper:keeper"}
    assert {f.mode for f in tree if f.folder} == {0o750}
    assert {f.mode for f in tree if not f.folder} == {0o640}
    assert tree[0].path == "/home/keeper"
    assert tree[0].folder
    assert len(tree) > 30
    assert all(f.mtime is not None and f.mtime <= START for f in tree)
    assert host.files[-1].path == "/home/keeper/Desktop/mine.txt"


def test_a_plan_is_the_same_again_and_another_for_another_team(folder: Path) -> None:
    assert planned(folder) == planned(folder)
    mine, theirs = planned(folder)[1], planned(folder, "team-2")[1]
    assert file(mine, "/var/log/auth.log") != file(theirs, "/var/log/auth.log")
