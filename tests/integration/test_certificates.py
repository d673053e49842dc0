"""Certificates of the centre's own authority, made by us and read by OpenSSH."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import docker
import pytest

from api.access import user_ca_file
from api.certificates import certificate
from core.users.model import Role
from orchestrator.casting import MemberUnknownError
from orchestrator.domain.phases import NotNowError
from orchestrator.gateway.user_ca import CaMissingError, create, sign
from tests.fakes.api_site import ApiSite, api_site
from tests.fakes.gateway_stage import Box, Stage, a_box, a_stage, an_installation

OWNER = an_installation()


def made_key(path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path.with_suffix(".pub").read_text()


def read_by_openssh(line: str, folder: Path) -> str:
    (folder / "read-cert.pub").write_text(line)
    shown = subprocess.run(
        ["ssh-keygen", "-L", "-f", folder / "read-cert.pub"], check=True, capture_output=True
    )
    return shown.stdout.decode()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ApiSite]:
    with api_site(tmp_path / "site") as site:
        yield site


@pytest.mark.enable_socket
def test_openssh_reads_who_a_certificate_is_for_and_until_when(
    site: ApiSite, tmp_path: Path
) -> None:
    exercise = site.launch(teams=1)
    name = exercise.teams[0].members[0].name
    key = made_key(tmp_path / "ana")
    with pytest.raises(CaMissingError):
        certificate(site.services, exercise, name, key)
    create(user_ca_file(site.services.settings))
    shown = read_by_openssh(certificate(site.services, exercise, name, key), tmp_path)
    assert f'Key ID: "{name}"' in shown
    assert "user certificate" in shown
    for principal in (name, f"{name}.desk", f"{exercise.name}.team-1"):
        assert f" {principal}\n" in shown
    until = site.clock.now() + timedelta(hours=25)
    assert f"{until.astimezone():%Y-%m-%dT%H:%M}" in shown


@pytest.mark.enable_socket
def test_who_is_in_no_team_and_what_is_over_get_no_certificate(
    site: ApiSite, tmp_path: Path
) -> None:
    exercise = site.launch(teams=1)
    key = made_key(tmp_path / "ana")
    site.services.users.add("eva", role=Role.TRAINEE)
    create(user_ca_file(site.services.settings))
    with pytest.raises(MemberUnknownError):
        certificate(site.services, exercise, "eva", key)
    ended = site.services.exercises.end(exercise.id)
    with pytest.raises(NotNowError):
        certificate(site.services, ended, exercise.teams[0].members[0].name, key)


@pytest.fixture(scope="module")
def desk(docker_client: docker.DockerClient) -> Iterator[Box]:
    with a_box(OWNER, "desk") as box:
        yield box


@pytest.fixture
def stage(desk: Box, tmp_path: Path) -> Iterator[Stage]:
    hosts = {"ana": desk.key, "ana.desk": desk.key, "ben": desk.key}
    with a_stage(tmp_path, installation=OWNER, hosts=hosts, user_ca=tmp_path / "ca") as made:
        made.door.keys.clear()
        create(tmp_path / "ca")  # a gateway that runs takes it from then on
        yield made


@pytest.mark.engine
@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("login", "ca", "hours", "code"),
    [
        ("ana", "ca", 1, 0),
        ("ana.desk", "ca", 1, 0),
        ("ben", "ca", 1, 255),
        ("ana", "another", 1, 255),
        ("ana", "ca", -1, 255),
    ],
    ids=["own", "own-host", "of-another-person", "of-another-centre", "expired"],
)
def test_a_certificate_of_the_centre_lets_its_person_in_and_nobody_else(
    stage: Stage, login: str, ca: str, hours: int, code: int
) -> None:
    create(stage.folder / ca)
    now = datetime.now(UTC)  # the SSH library asks the machine's clock
    signed = sign(
        stage.folder / ca,
        (stage.folder / "id.pub").read_text(),
        name="ana",
        principals=("ana", "ana.desk", "night-shift-k3f.team-1"),
        begins=now - timedelta(hours=2),
        until=now + timedelta(hours=hours),
    )
    (stage.folder / "id-cert.pub").write_text(signed)
    assert stage.ssh("true", login=login).returncode == code
