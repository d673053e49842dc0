from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from core.scenario.dry_run import invented_team
from core.scenario.folder import Folder
from core.scenario.importing.importer import Imported, import_file
from core.scenario.load import load
from core.scenario.render import Renderer
from core.scenario.schema import Scenario
from core.scenario.schema_checks import TcpPeer
from core.scenario.schema_tasks import AvailabilityTask

Bring = Callable[[str], tuple[Scenario, Imported]]
Reasons = Callable[[str], list[str]]
_FILE = "docker-compose.yml"


def test_services_become_hosts_on_their_networks_beside_a_desk(bring: Bring) -> None:
    scenario, _ = bring(_FILE)
    assert {name: set(host.networks) for name, host in scenario.hosts.items()} == {
        "web": {"front", "back"},
        "db": {"back"},
        "desk": {"front", "back"},
    }
    assert scenario.hosts["web"].networks["front"].alias == "blog.example.test"
    assert scenario.hosts["web"].needs == ("db",)
    assert scenario.hosts["web"].restart == "always"
    assert scenario.scenario.title == "Old blog"


def test_variables_come_from_anchors_files_and_defaults_and_are_no_templates(
    bring: Bring, tmp_path: Path
) -> None:
    scenario, _ = bring(_FILE)
    folder = Folder(tmp_path / "draft")
    renderer = Renderer(folder, invented_team(scenario, folder))
    rendered = {name: renderer.text(v) for name, v in scenario.hosts["web"].env.items()}
    assert rendered == {
        "LOG_LEVEL": "debug",
        "TEMPLATE": "{{ user }} {% if %}",
        "DB_HOST": "db",
        "MODE": "quiet",
        "EMPTY": "",
        "LEVEL": "3",
    }
    assert scenario.hosts["db"].env == {"POSTGRES_PASSWORD": "secret$word"}


def test_what_a_service_says_over_its_image_is_a_dockerfile(bring: Bring, tmp_path: Path) -> None:
    scenario, _ = bring(_FILE)
    build = scenario.hosts["web"].build
    assert build is not None
    text = (tmp_path / "draft" / build.context / "Dockerfile").read_text()
    assert text == (
        "FROM alpine:3 AS base\n"
        'ARG RELEASE="1.4"\n'
        "FROM base AS app\n"
        'RUN echo "$RELEASE"\n'
        "EXPOSE 8080/tcp\n"
        'COPY ["poligon-binds/0/", "/srv/data/"]\n'
        'ENV search.mode="single"\n'
        "USER 1000:1000\n"
        'CMD ["run", "--port", "8080", "with space"]\n'
    )
    copied = tmp_path / "draft" / build.context
    assert (copied / "app.py").read_text() == "print(1)\n"
    assert (copied / "poligon-binds/0/deep/page.html").read_text() == "<p>\n"
    assert scenario.hosts["db"].image == "postgres:13"


def test_files_and_secrets_of_the_folder_are_files_of_the_host(
    bring: Bring, tmp_path: Path
) -> None:
    scenario, _ = bring(_FILE)
    (run,) = scenario.hosts["web"].files
    assert (run.to, run.mode) == ("/usr/local/bin/run.sh", "0755")
    assert (tmp_path / "draft" / (run.from_ or "")).read_text() == "#!/bin/sh\n"
    (secret,) = scenario.hosts["db"].files
    assert secret.to == "/run/secrets/db_password"


def test_published_ports_are_looked_at_from_the_desk(bring: Bring) -> None:
    scenario, _ = bring(_FILE)
    peer = scenario.checks["web_up"].tcp
    assert isinstance(peer, TcpPeer)
    assert (peer.host, peer.port) == ("web", 8080)
    assert isinstance(scenario.tasks["web_up"], AvailabilityTask)
    assert [probe.tcp for probe in scenario.hosts["web"].ready] == [8080]


def test_a_health_check_is_what_ready_means(bring: Bring) -> None:
    scenario, _ = bring(_FILE)
    (probe,) = scenario.hosts["db"].ready
    assert probe.run == ("sh", "-c", "pg_isready -U postgres")
    assert probe.every == timedelta(seconds=90)


def test_limits_are_carried(bring: Bring) -> None:
    scenario, _ = bring(_FILE)
    assert scenario.hosts["web"].limits.memory == 256 << 20
    assert scenario.hosts["db"].limits.memory == 50 << 20
    assert scenario.hosts["db"].limits.cpus == 0.5


def test_what_is_not_as_it_was_is_told_by_key_and_in_the_draft(
    bring: Bring, tmp_path: Path
) -> None:
    _, imported = bring(_FILE)
    told = [str(note) for note in imported.notes]
    for line in (
        "dropped services.web.labels: it changes nothing that a trainee would see",
        "dropped services.web.volumes.2: its content is a host's own, and new for each team",
        "dropped services.web.build.args: the Dockerfile asks for no NOT_ASKED",
        "dropped networks.back.ipam: addresses are the site's, and differ from team to team",
        "carried services.db.image",
    ):
        assert line in told
    text = (tmp_path / "draft" / "scenario.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=")
    for todo in (
        "# TODO: ./never was to be at /opt/never, and is not there",
        "# TODO: the variable MISSING had no value in the file",
        "# TODO: this desk was added",
        "# TODO: decide what is scored",
    ):
        assert todo in text


REFUSED = {
    "privileged": ("privileged: true", "5:5", "privileged: it asks for everything"),
    "capabilities": ("cap_add: [NET_ADMIN]", "5:5", "cap_add: it asks for capabilities"),
    "devices": ("devices: [/dev/kvm]", "5:5", "devices: it asks for devices"),
    "host network": ("network_mode: host", "5:5", "'host': which network a host shares"),
    "host pid": ("pid: host", "5:5", "which namespace a host shares"),
    "weaker": ("security_opt: [seccomp=unconfined]", "5:5", "security_opt: it weakens"),
    "socket": (
        "volumes: [/var/run/docker.sock:/var/run/docker.sock]",
        "5:15",
        "volumes.0: /var/run/docker.sock: the engine's socket",
    ),
    "place outside": ("volumes: [/etc:/etc2]", "5:15", "/etc: it lies outside the folder"),
    "way out": ("volumes: [../x:/x]", "5:15", "../x: it lies outside the folder"),
    "home": ("volumes: ['~/x:/x']", "5:15", "~/x: it lies outside the folder"),
    "odd target": ("volumes: [./run.sh:/a/../b]", "5:15", "'/a/../b' is not an absolute path"),
    "folder elsewhere": ("build: ../other", "5:5", "../other: it lies outside the folder"),
    "folder on a network": ("build: 'https://x.test/y.git'", "5:5", "is on a network"),
    "no Dockerfile": ("build: data", "5:5", "there is no Dockerfile data/Dockerfile"),
    "no stage": ("build: {context: web, target: x}", "5:27", "no stage is called 'x'"),
    "another file": ("extends: {file: x.yml, service: y}", "5:5", "put its keys here"),
    "no variables": ("env_file: no.env", "5:5", "no.env: it is not there"),
    "several": ("deploy: {replicas: 3}", "5:5", "several hosts: write them out"),
    "unknown service": ("depends_on: [nobody]", "5:5", "there is no service 'nobody'"),
    "one that ends": (
        "depends_on: {b: {condition: service_completed_successfully}}",
        "5:5",
        "a host that ends is degraded",
    ),
    "unknown key": ("imagge: x", "5:5", "imagge: this key is not known"),
    "unset": ("command: 'x ${A:?}'", "5:5", "the variable A must be set"),
    "lone dollar": ("command: 'x $ y'", "5:5", "write $$ for the character"),
    "not a port": ("ports: [x:y]", "5:5", "'x:y' is not a port"),
    "not an image": ("image: 'No Image'", "5:5", "'No Image' is not the name of an image"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_not_be_the_same_is_refused_by_key(reasons: Reasons, case: str) -> None:
    line, where, reason = REFUSED[case]
    other = "x-own: 1" if line.startswith("image") else "image: x"
    text = f"services:\n  b: {{image: y}}\n  a:\n    {other}\n    {line}\n"
    (told,) = reasons(text)
    assert told.startswith(f"{where}: error: services.a.")
    assert reason in told


def test_every_reason_is_told_at_once(reasons: Reasons) -> None:
    text = "services:\n  a: {image: x, privileged: true, pid: host}\n  b: {}\ninclude: [x.yml]\n"
    assert [told.split(": ", 2)[2].partition(":")[0] for told in reasons(text)] == [
        "include",
        "services.a.privileged",
        "services.a.pid",
        "services.b",
    ]


def test_a_volume_that_joins_services_is_refused(reasons: Reasons) -> None:
    text = "services:\n  a: {image: x, volumes: [v:/a]}\n  b: {image: x, volumes: [v:/b]}\n"
    assert [told.split(": ", 2)[2] for told in reasons(text)] == [
        f"services.{name}.volumes.0: v joins several services; hosts have no disk in common"
        for name in "ab"
    ]


def test_a_circle_of_needs_is_refused(reasons: Reasons) -> None:
    text = "services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, links: [a]}\n"
    assert reasons(text) == ["1:1: error: services: a, b wait for each other in a circle"]


def test_a_link_is_not_followed(source: Path, reasons: Reasons) -> None:
    (source / "secret").symlink_to("/etc/hostname")
    (source / "folder").symlink_to(source / "data")
    for path in ("secret", "folder", "folder/deep"):
        (told,) = reasons(f"services: {{a: {{image: x, volumes: ['./{path}:/x']}}}}")
        assert "it is a symbolic link" in told


def test_a_file_of_variables_with_control_characters_is_refused(
    source: Path, reasons: Reasons
) -> None:
    (source / ".env").write_text("A=1\nB=\x01% x\n")
    (told,) = reasons("services: {a: {image: x, environment: {A: '${B}'}}}")
    assert told == "1:1: error: .env cannot be read: line 2 is not like NAME=value"


def test_a_folder_called_dockerfile_is_refused(source: Path, reasons: Reasons) -> None:
    (source / "odd" / "Dockerfile").mkdir(parents=True)
    (source / "odd" / "Dockerfile" / "x").touch()
    (source / "odd" / "Containerfile").write_text("FROM x\n")
    (told,) = reasons("services: {a: {build: {context: odd, dockerfile: Containerfile}}}")
    assert "a folder is called Dockerfile" in told


def test_a_very_deep_folder_is_cut_off(source: Path, tmp_path: Path) -> None:
    (source / "data" / "/".join(["d"] * 80)).mkdir(parents=True)
    (source / _FILE).write_text("services: {a: {image: x, volumes: ['./data:/x']}}")
    imported = import_file(source / _FILE, tmp_path / "draft")
    assert "too deep" in "".join(map(str, imported.notes))


def test_links_inside_a_copied_folder_are_left_out(source: Path, tmp_path: Path) -> None:
    (source / "data" / "out").symlink_to("/etc")
    (source / _FILE).write_text("services: {a: {image: x, volumes: ['./data:/x']}}")
    imported = import_file(source / _FILE, tmp_path / "draft")
    assert "out is left out: it is a symbolic link" in "".join(map(str, imported.notes))
    assert not [path for path in (tmp_path / "draft").rglob("*") if path.is_symlink()]


def test_names_that_are_no_ids_stay_names(source: Path, tmp_path: Path) -> None:
    text = "services: {Web.Front: {image: x, links: ['9:mail.example.test']}, '9': {image: y}}"
    (source / _FILE).write_text(text)
    import_file(source / _FILE, tmp_path / "draft")
    hosts = load(tmp_path / "draft").scenario.hosts
    assert list(hosts) == ["web-front", "host-9", "desk"]
    assert hosts["web-front"].networks["default"].alias == "web.front"
    assert hosts["web-front"].needs == ("host-9",)
    assert hosts["host-9"].networks["default"].alias == "9"


def test_a_number_may_be_a_service(source: Path, tmp_path: Path) -> None:
    (source / _FILE).write_text("services: {9: {image: x}, a: {image: y, depends_on: [9]}}")
    import_file(source / _FILE, tmp_path / "draft")
    assert load(tmp_path / "draft").scenario.hosts["a"].needs == ("host-9",)


def test_a_network_has_room_for_its_hosts(source: Path, tmp_path: Path) -> None:
    services = ", ".join(f"s{number}: {{image: x}}" for number in range(40))
    (source / _FILE).write_text(f"services: {{{services}}}")
    import_file(source / _FILE, tmp_path / "draft")
    assert load(tmp_path / "draft").scenario.networks["default"].size == 26


def test_variables_of_the_folder_are_filled_in(source: Path, tmp_path: Path) -> None:
    (source / ".env").write_text("TAG=7\n")
    (source / _FILE).write_text(
        "services: {a: {image: 'x:${TAG:-1}', environment: {A: '${NO}', B: '${TAG:+y${TAG}}'}}}"
    )
    import_file(source / _FILE, tmp_path / "draft")
    host = load(tmp_path / "draft").scenario.hosts["a"]
    assert host.image == "x:7"
    assert host.env == {"A": "", "B": "y7"}
    text = (tmp_path / "draft" / "scenario.yaml").read_text()
    assert "TODO: the variable NO is set nowhere and is empty here" in text
