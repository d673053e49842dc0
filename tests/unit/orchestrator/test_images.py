"""Images that a scenario brings: one for one content, of hosts and of checkers."""

from pathlib import Path

import pytest

from core.scenario.load import LoadedScenario, load
from orchestrator.images import checker_namer, image_builds, image_namer

SCENARIO = """\
language: 1
scenario: {id: duel, version: 1.0.0, title: Duel, kind: attack-defence, duration: 1h}
roles: {player: {side: blue}}
networks: {arena: {shared: true}}
hosts:
  vault: {build: {context: vault}, networks: {arena: {}}}
  desk: {build: {context: vault}, networks: {arena: {}}}
rounds: {every: 3m}
services:
  locker: {host: vault, network: arena, port: 1, checker: {build: {context: checkers}, run: [a]}}
  search: {host: vault, network: arena, port: 2, checker: {build: {context: checkers}, run: [b]}}
  slots: {host: vault, network: arena, port: 3, checker: {build: {context: other}, run: [c]}}
tasks: {colour: {ask: Which colour?, answer: green, points: 5}}
"""


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedScenario:
    root = tmp_path / "duel"
    for name in ("vault", "checkers", "other"):
        (root / name).mkdir(parents=True)
        (root / name / "Dockerfile").write_text(f"FROM debian:bookworm-slim\n# {name}\n")
    (root / "scenario.yaml").write_text(SCENARIO)
    return load(root)


def test_services_of_one_folder_have_one_checker_image(loaded: LoadedScenario) -> None:
    builds = image_builds("test", loaded)
    assert [str(build) for build in builds] == [
        "host vault",
        "host desk",
        "the checker of locker",
        "the checker of slots",
    ]
    assert [build.context.name for build in builds] == ["vault", "vault", "checkers", "other"]
    name = checker_namer("test", loaded)
    locker, search, slots = loaded.scenario.services.values()
    assert name(locker) == name(search) == builds[2].reference
    assert name(slots) == builds[3].reference
    assert builds[0].reference == image_namer("test", loaded)(
        "vault", loaded.scenario.hosts["vault"]
    )


def test_another_content_has_another_name(loaded: LoadedScenario) -> None:
    before = [build.reference for build in image_builds("test", loaded)]
    (loaded.folder / "checkers/program").write_text("exit 0\n")
    after = [build.reference for build in image_builds("test", loaded)]
    changed = [old for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [before[2]]
    assert before[2].startswith("cyberpoligon-test/duel-checker:")
