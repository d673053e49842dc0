"""Rehearsals on a real engine: a spoilt scenario is found out, a new one passes, Ctrl-C cleans."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from api.engine import open_engine
from api.rehearsal.site import settings_of
from core.ids import new_id
from core.scenario.load import load
from core.settings import Settings, read_settings
from orchestrator.images import image_builds
from tests.addresses import fresh_subnet

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

NIGHT_SHIFT = Path(__file__).parents[2] / "scenarios" / "night-shift"


@pytest.fixture(scope="module")
def site(
    docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Lend a site that has the scenario's images: what is rehearsed builds upon their layers."""
    home = tmp_path_factory.mktemp("site")
    settings = read_settings().model_copy(
        update={
            "home": home,
            "installation": f"test-{new_id(8)}",
            "address_pool": (fresh_subnet(),),
        }
    )
    engine = open_engine(settings)
    loaded = load(NIGHT_SHIFT)
    for image in image_builds(settings.installation, loaded):
        engine.build_image(image)
    yield settings
    engine.remove_everything()


def poligon_environment(site: Settings) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "POLIGON_HOME": str(site.home),
        "POLIGON_INSTALLATION": site.installation,
        "POLIGON_DOCKER_HOST": site.docker_host,
        "POLIGON_ADDRESS_POOL": json.dumps([str(net) for net in site.address_pool]),
    }


def poligon(site: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.cli.main", "scenario", *arguments],
        env=poligon_environment(site),
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
        cwd=NIGHT_SHIFT.parents[1],
    )


def test_a_spoilt_copy_is_told_with_a_sentence_and_a_code_of_its_own(
    site: Settings, tmp_path: Path
) -> None:
    copy = tmp_path / "night-shift"
    shutil.copytree(NIGHT_SHIFT, copy)
    file = copy / "scenario.yaml"
    right = 'answer: {equals: "{{ values.intruder }}"}'
    assert right in file.read_text()
    wrong = right.replace("intruder", "colleague")
    file.write_text(file.read_text().replace(right, wrong))
    done = poligon(site, "rehearse", str(copy))
    assert done.returncode == 8, done.stdout + done.stderr
    assert "✗ who: the solution's answer" in done.stdout
    assert "is refused as wrong" in done.stdout
    assert open_engine(settings_of(site)).remaining() == ()


def test_a_new_scenario_rehearses_as_it_is_written(site: Settings, tmp_path: Path) -> None:
    assert poligon(site, "new", str(tmp_path / "my-case")).returncode == 0
    assert poligon(site, "lint", "--strict", str(tmp_path / "my-case")).returncode == 0
    done = poligon(site, "rehearse", str(tmp_path / "my-case"), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["proven"] == {"answers": 2, "files": 0, "checks": 1, "injects": 1, "services": 0}
    assert told["remarks"] == []
    last = json.loads(
        poligon(site, "rehearse", str(tmp_path / "my-case"), "--last", "--json").stdout
    )
    assert last == told


TABLE = """\
language: 1
scenario: {id: table, version: 1.0.0, title: The table, kind: tabletop, duration: 1h}
roles: {envoy: {side: blue}, head: {side: blue, extends: envoy}}
tasks:
  note:
    title: A note
    submit: {files: [md], max: 1m}
    rubric: note
    points: 40
    opens: {with: call}
    due: {after: call, within: 30m}
  paper: {title: A paper, submit: {files: [md]}, rubric: paper, points: 10}
  talk: {title: The statement, rubric: talk, points: 20}
rubrics:
  note: {criteria: {facts: {levels: {0: none, 1: all}}, tone: {levels: {0: poor, 1: good}}}}
  paper: {criteria: {facts: {levels: {0: none, 1: all}}}}
  talk: {criteria: {calm: {levels: {0: none, 1: all}}}}
injects:
  call:
    at: 5m
    message: {from: Press, to: head, text: Is it true?}
    expect: {reply: text, rubric: note, criterion: tone, within: 10m}
  phone: {manual: true, script: Call as the minister.}
solution: {run: solution/play.sh, within: 1m}
"""


def test_a_tabletop_rehearses_without_any_host(site: Settings, tmp_path: Path) -> None:
    table = tmp_path / "table"
    (table / "solution").mkdir(parents=True)
    (table / "scenario.yaml").write_text(TABLE)
    (table / "solution" / "a paper.md").write_text("It stands beside the script.")
    (table / "solution" / "play.sh").write_text(
        "echo A note. >/tmp/note.md\n"
        "printf 'submit\\tnote\\t/tmp/note.md\\nsubmit\\tpaper\\ta paper.md\\n'\n"
        "printf 'reply\\tcall\\tWe look into it.'\n"
    )
    assert poligon(site, "lint", "--strict", str(table)).returncode == 0
    planned = poligon(site, "plan", str(table), "--teams", "3")
    assert planned.returncode == 0, planned.stderr
    done = poligon(site, "rehearse", str(table), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["proven"] == {"answers": 0, "files": 2, "checks": 0, "injects": 2, "services": 0}
    (table / "solution" / "a paper.md").unlink()
    assert poligon(site, "rehearse", str(table)).returncode == 8


def test_an_interrupted_rehearsal_leaves_nothing(site: Settings, tmp_path: Path) -> None:
    assert poligon(site, "new", str(tmp_path / "my-case")).returncode == 0
    script = tmp_path / "my-case" / "solution" / "play.sh"
    script.write_text("#!/bin/sh\nsleep 600\n")
    environment = poligon_environment(site)
    command = [sys.executable, "-m", "api.cli.main", "scenario", "rehearse", str(script.parents[1])]
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, cwd=NIGHT_SHIFT.parents[1]
    ) as process:
        assert process.stderr is not None
        told = next(line for line in process.stderr if "before the solution" in line)
        assert told
        process.terminate()
        process.stderr.read()
        assert process.wait(120) == 130
    assert open_engine(settings_of(site)).remaining() == ()
    assert not settings_of(site).home.exists()
