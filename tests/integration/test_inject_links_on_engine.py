"""Injects that cut links and stop hosts, in a whole exercise on the real engine."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import docker
import pytest

from core.ids import new_id
from core.settings import read_settings
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.engine.runtime import DockerEngine
from tests.fakes.inject_site import InjectSite, inject_site

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

STORY = """\
  cut: {manual: true, link: {host: files, loss: 100%, for: 2m}}
  dark: {manual: true, host: files, do: stop}
  light: {after: dark, host: files, do: start}
  drop: {manual: true, host: files, run: [sh, -c, 'echo "{{ team }}" >>/root/note']}
"""
SOON = timedelta(seconds=20)


@pytest.fixture
def site(docker_client: docker.DockerClient, tmp_path: Path) -> Iterator[InjectSite]:
    engine = DockerEngine(read_settings().docker_host, installation=f"test-{new_id(8)}")
    try:
        with inject_site(tmp_path, STORY, teams=1, real=engine) as site:
            yield site
    finally:
        engine.remove_everything()


def test_a_host_is_cut_off_stopped_started_and_keeps_what_an_inject_left(
    site: InjectSite,
) -> None:
    engine = site.services.engine
    host = HostKey(world=WorldKey(exercise=site.exercise.id, team=site.team().slug), host="files")

    fire(site, "drop")
    assert site.is_fired("drop")
    fire(site, "cut")
    assert site.state("cut").state == "fired", site.state("cut").detail
    site.pass_time(2.1)
    assert ("inject.undone", "cut") in site.acts()
    fire(site, "dark")
    assert not next(h for h in engine.observe(site.exercise.id) if h.key == host).running
    site.pass_time(0.1)
    assert site.is_fired("light"), site.state("light").detail
    assert engine.run(host, ("cat", "/root/note"), timeout=SOON).output == "team-1\n"


def fire(site: InjectSite, inject: str) -> None:
    site.services.injects.fire(site.exercise.id, inject)
    site.work()
