"""What an author wrote is right for each team, from the file to the verdict."""

import hashlib

import pytest

from core.scenario.dry_run import invented_team
from core.scenario.load import load
from core.scenario.render import Renderer
from core.scenario.schema_tasks import QuestionTask
from scoring.domain.answers import judge
from scoring.team_scenario import TeamScenario

SCENARIO = """\
language: 1
scenario: {id: asked, version: 1.0.0, title: Asked, kind: investigation, duration: 30m}
roles: {solver: {side: blue, title: Solver}}
values: {file: {type: choice, of: [a.b+c]}, stage: {type: choice, of: [door]}}
networks: {lan: {size: /28}}
hosts: {box: {title: A box, image: debian, networks: {lan: {}}}}
tasks:
  name: {ask: Who?, answer: {equals: Ђорђе, fold: [script]}}
  exact: {ask: Who?, answer: {equals: root, fold: []}}
  file: {ask: Which?, answer: {regex: "(x|{{ values.file }})!?"}}
  where: {ask: Where?, answer: {any: [{ip: "{{ hosts.box.ip }}"}, {cidr: 10.0.0.0/28}]}}
  order: {ask: How?, answer: {list: ["{{ values.stage }}", {number: 240, within: 5%}]}}
  heap: {ask: What?, answer: {set: [{all: [one, {regex: "(?i)o.+"}]}, {hash: "00FF"}]}}
  print: {ask: Hash?, answer: {file: decoy.bin}}
  long: {ask: Hash?, answer: {any: [{file: decoy.bin, by: [sha512]}, nothing]}}
  way:
    ask: Which?
    answer: {choice: "{{ values.stage }}", of: {roof: Roof, door: "{{ team.name }}"}}
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> TeamScenario:
    folder = tmp_path_factory.mktemp("scenarios") / "asked"
    folder.mkdir()
    (folder / "scenario.yaml").write_text(SCENARIO)
    (folder / "decoy.bin").write_bytes(b"\0decoy")
    loaded = load(folder)
    facts = invented_team(loaded.scenario, loaded)
    return TeamScenario(
        scenario=loaded.scenario,
        texts=loaded.scenario,
        translations=loaded.translations,
        facts=facts,
        renderer=Renderer(loaded, facts),
    )


def is_right(scenario: TeamScenario, task: str, value: str) -> bool:
    asked = scenario.scenario.tasks[task]
    assert isinstance(asked, QuestionTask)
    return judge(scenario.right_answer(task, asked), value)


@pytest.mark.parametrize(
    ("task", "right", "wrong"),
    [
        ("name", ["đorđe", " ĐORĐE ", "Ђорђе"], ["Djordje", "Dorde"]),  # case folds with script
        ("exact", ["root "], ["Root"]),
        ("file", ["a.b+c", "a.b+c!", "x"], ["aXb+c", "a.bbc", "a.b+c or so", "A.B+C"]),
        ("where", ["10.0.0.1", "10.0.0.0/28"], ["10.0.0.2", "10.0.0.0/27"]),
        ("order", ["door, 250", "Door\n228"], ["250, door", "door", "door, 253"]),
        ("heap", ["one, 00ff", "00:ff;ONE"], ["one", "one, one", "two, 00ff"]),
        (
            "print",
            [hashlib.new(name, b"\0decoy").hexdigest() for name in ("md5", "sha1", "sha256")],
            [hashlib.sha512(b"\0decoy").hexdigest(), hashlib.sha256(b"decoy").hexdigest()],
        ),
        ("long", [hashlib.sha512(b"\0decoy").hexdigest().upper(), "nothing"], ["decoy.bin"]),
        ("way", ["door"], ["roof", "Door", "Team 1", "door roof"]),
    ],
)
def test_an_answer_is_right_as_its_author_says(
    scenario: TeamScenario, task: str, right: list[str], wrong: list[str]
) -> None:
    assert [value for value in right if not is_right(scenario, task, value)] == []
    assert [value for value in wrong if is_right(scenario, task, value)] == []


def test_options_are_shown_rendered_and_other_answers_have_none(scenario: TeamScenario) -> None:
    assert scenario.options("way") == (("roof", "Roof"), ("door", "Team 1"))
    assert scenario.options("name") == ()
