"""docker-compose.yml, brought up as a site does, with names, addresses and ports of its own."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import httpx
import pytest
from pytest_docker.plugin import Services

from api.journey.people import Caller
from api.journey.play import Journey, Stage
from core.waiting import until
from tests.addresses import fresh_subnet
from tests.compose_command import compose_command
from tests.ports import free_port

_ROOT = Path(__file__).parents[2]
_FILE = _ROOT / "docker-compose.yml"
_SERVICES = {"postgres", "redis", "migrate", "api", "worker", "broker", "gateway"}
_START = timedelta(seconds=180)

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What this deployment was told, and what it is called."""

    project: str
    installation: str
    image_tag: str
    http_port: int
    settings: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"


@pytest.fixture(scope="session")
def site(
    docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Describe a site, and remove whatever there is of it in the end, however far it came."""
    name = f"test-{uuid4().hex[:8]}"
    settings = tmp_path_factory.mktemp("site") / "env"
    http_port = free_port()
    values = {
        "POSTGRES_PASSWORD": uuid4().hex,
        "REDIS_PASSWORD": uuid4().hex,
        "DOCKER_GID": Path(_socket()).stat().st_gid,
        "POLIGON_DOCKER_SOCKET": _socket(),
        "POLIGON_INSTALLATION": name,
        "POLIGON_IMAGE_TAG": name,
        "POLIGON_HTTP_PORT": http_port,
        "POLIGON_SSH_BIND": "127.0.0.1",
        "POLIGON_SSH_PORT": free_port(),
        "POLIGON_DATA_SUBNET": fresh_subnet(),
        "POLIGON_FRONT_SUBNET": fresh_subnet(),
    }
    settings.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
    described = Site(
        project=name, installation=name, image_tag=name, http_port=http_port, settings=settings
    )
    try:
        yield described
    finally:
        print(_compose(described, "logs", "--no-color", "--tail", "60").stdout)
        worlds = _compose(described, "exec", "-T", "worker", "poligon", "down")
        removed = _compose(
            described, "down", "--volumes", "--rmi", "all", "--remove-orphans", "--timeout", "20"
        )
        assert worlds.returncode == 0, worlds.stderr
        assert removed.returncode == 0, removed.stderr
        assert _left_of(docker_client, described) == []


@pytest.fixture(scope="session")
def docker_compose_command(site: Site) -> str:
    return " ".join((*compose_command(), "--env-file", str(site.settings)))


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    return str(_FILE)


@pytest.fixture(scope="session")
def docker_compose_project_name(site: Site) -> str:
    return site.project


@pytest.fixture(scope="session")
def docker_setup() -> list[str]:
    return ["up -d --build"]


@pytest.fixture(scope="session")
def docker_cleanup() -> list[str]:
    return []  # `site` does it, also when the setup fails


@pytest.fixture(scope="session")
def deployment(site: Site, docker_services: Services) -> Site:
    """Wait until the deployment answers."""
    until(lambda: _answers(site), what="the API's first answer", within=_START)
    return site


def test_without_a_password_it_says_which_one_and_does_not_start() -> None:
    done = subprocess.run(
        [*compose_command(), "-f", str(_FILE), "--env-file", str(_ROOT / ".env.example"), "config"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Set POSTGRES_PASSWORD in .env" in done.stderr


def test_every_service_becomes_healthy_and_the_migration_ends(
    deployment: Site, docker_client: docker.DockerClient
) -> None:
    def states() -> dict[str, str]:
        return {
            service: container["State"].get("Health", container["State"])["Status"]
            for service, container in _containers(docker_client, deployment).items()
        }

    wanted = dict.fromkeys(_SERVICES, "healthy") | {"migrate": "exited"}
    until(
        lambda: states() == wanted,
        what="the health of every service",
        within=_START,
        last_seen=lambda: str(states()),
    )
    assert _containers(docker_client, deployment)["migrate"]["State"]["ExitCode"] == 0


def test_no_process_is_root_and_none_may_write_its_image(
    deployment: Site, docker_client: docker.DockerClient
) -> None:
    containers = _containers(docker_client, deployment)
    assert set(containers) == _SERVICES
    for service, container in containers.items():
        host = container["HostConfig"]
        assert container["Config"]["User"] in {"postgres", "redis", "poligon"}, service
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "5"}, service


def test_only_worker_and_broker_hold_the_engines_socket(
    deployment: Site, docker_client: docker.DockerClient
) -> None:
    holders = {
        service
        for service, container in _containers(docker_client, deployment).items()
        if any("docker.sock" in mount["Destination"] for mount in container["Mounts"])
    }
    assert holders == {"worker", "broker"}


# Tries every way from within a service; prints what the engine's socket and the broker's say.
_ATTACK = """
import http.client, json, socket, sys
def said(place):
    way = http.client.HTTPConnection("engine")
    way.sock = socket.socket(socket.AF_UNIX)
    try:
        way.sock.connect(place)
    except OSError as error:
        return type(error).__name__
    body = json.dumps({"Image": "debian:bookworm-slim", "HostConfig": {"Privileged": True}})
    place = f"/containers/create?name={sys.argv[1]}"
    way.request("POST", place, body, {"Content-Type": "application/json"})
    return way.getresponse().status
print(json.dumps([said("/var/run/docker.sock"), said("/run/poligon/engine.sock")]))
"""


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("api", ["FileNotFoundError", "FileNotFoundError"]),
        ("gateway", ["FileNotFoundError", 403]),
        ("worker", [201, "FileNotFoundError"]),  # the control: this is what a way out looks like
    ],
)
def test_neither_the_gateway_nor_the_api_can_make_a_container(
    deployment: Site, docker_client: docker.DockerClient, service: str, said: list[str | int]
) -> None:
    name = f"{deployment.project}-way-out"
    python = ["/opt/poligon/venv/bin/python", "-c", _ATTACK, name]
    tried = _compose(deployment, "exec", "-T", service, *python)
    made = docker_client.containers.list(all=True, ignore_removed=True, filters={"name": name})
    for container in made:
        container.remove(force=True)
    assert json.loads(tried.stdout) == said, tried.stderr
    assert len(made) == said.count(201)


def test_database_and_queue_are_not_published(
    deployment: Site, docker_client: docker.DockerClient
) -> None:
    published = {
        service: [place["HostIp"] for places in ports.values() if places for place in places]
        for service, container in _containers(docker_client, deployment).items()
        if (ports := container["NetworkSettings"]["Ports"])
    }
    assert {service for service, places in published.items() if places} == {"api", "gateway"}
    assert published["api"] == ["127.0.0.1"]


def test_a_whole_exercise_is_played_and_survives_the_end_of_every_process(
    deployment: Site, docker_client: docker.DockerClient, tmp_path: Path
) -> None:
    instructor, staff = _person(deployment, "instructor"), _person(deployment, "staff")
    journey = Journey(
        Stage(
            base_url=deployment.address,
            instructor=instructor,
            staff=staff,
            solution=_ROOT / "scenarios" / "night-shift" / "solution",
            folder=tmp_path,
        ),
        say=print,
    )
    journey.play()
    assert docker_client.containers.list(all=True, sparse=True, filters=_owned(deployment)) == []
    before = _record(deployment, staff, journey.name)

    for container in docker_client.containers.list(
        ignore_removed=True, filters=_of_project(deployment)
    ):
        container.kill("SIGKILL")
    restarted = _compose(deployment, "up", "-d")
    assert restarted.returncode == 0, restarted.stderr
    until(lambda: _answers(deployment), what="the API's answer after the crash", within=_START)

    assert _record(deployment, staff, journey.name) == before


def _record(site: Site, staff: tuple[str, str], exercise: str) -> str:
    caller = Caller(site.address, *staff)
    try:
        return caller.text(f"/exercises/{exercise}/record", format="csv")
    finally:
        caller.close()


def _person(site: Site, role: str) -> tuple[str, str]:
    added = _compose(
        site, "exec", "-T", "api", "poligon", "user", "add", role, "--role", role, "--json"
    )
    assert added.returncode == 0, added.stderr
    told = json.loads(added.stdout)
    return told["name"], told["password"]


def _answers(site: Site) -> bool:
    try:
        return httpx.get(f"{site.address}/readyz", timeout=10).is_success
    except httpx.TransportError:
        return False


def _compose(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *compose_command(),
            "--env-file",
            str(site.settings),
            "-f",
            str(_FILE),
            "-p",
            site.project,
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def _socket() -> str:
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


def _of_project(site: Site) -> dict[str, str | list[str] | bool]:
    return {"label": f"com.docker.compose.project={site.project}"}


def _owned(site: Site) -> dict[str, str | list[str] | bool]:
    return {"label": f"cyberpoligon={site.installation}"}


def _containers(client: docker.DockerClient, site: Site) -> dict[str, dict[str, Any]]:
    """Return service → what the engine tells of its container."""
    found = client.containers.list(all=True, ignore_removed=True, filters=_of_project(site))
    return {c.labels["com.docker.compose.service"]: c.attrs for c in found}


def _left_of(client: docker.DockerClient, site: Site) -> list[str]:
    left: list[str] = []
    for filters in (_of_project(site), _owned(site)):
        left += [
            str(c.name)
            for c in client.containers.list(all=True, ignore_removed=True, filters=filters)
        ]
        left += [str(n.name) for n in client.networks.list(filters=filters)]
        left += [str(v.name) for v in client.volumes.list(filters=filters)]
        left += [str(i.tags) for i in client.images.list(filters=filters)]
    left += [tag for i in client.images.list() for tag in i.tags if tag.endswith(site.image_tag)]
    return left
