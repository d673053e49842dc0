"""docs/how-to/bring-in-content.md says what becomes of foreign keys: it must be what happens."""

import re
from pathlib import Path

import pytest
import yaml

from core.scenario.importing.errors import ImportRefusedError
from core.scenario.importing.importer import import_file

PAGE = (Path(__file__).parents[5] / "docs/how-to/bring-in-content.md").read_text()

# What the page says is refused → a service that asks for it.
REFUSED: dict[str, dict[str, object]] = {
    "privileged": {"privileged": True},
    "cap_add": {"cap_add": ["NET_ADMIN"]},
    "devices": {"devices": ["/dev/kvm"]},
    "pid": {"pid": "host"},
    "ipc": {"ipc": "host"},
    "network_mode: host": {"network_mode": "host"},
    "runtime": {"runtime": "nvidia"},
    "sysctls": {"sysctls": {"net.core.somaxconn": 1024}},
    "extra_hosts": {"extra_hosts": ["up:10.0.0.1"]},
    "the engine's socket": {"volumes": ["/var/run/docker.sock:/var/run/docker.sock"]},
    "places outside the folder": {"volumes": ["../elsewhere:/srv"]},
    "extends": {"extends": {"service": "other"}},
    "include": {},
    "a service that must end first": {
        "depends_on": {"other": {"condition": "service_completed_successfully"}}
    },
    "several replicas": {"deploy": {"replicas": 3}},
}


def rows(table: str) -> list[tuple[str, str]]:
    """Return the first and the last cell of each row of the table whose head begins so."""
    lines = PAGE.partition(f"| {table} |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [(row[0], row[-1].rstrip(" |")) for row in cells]


def imported(folder: Path, data: object) -> None:
    file = folder / "compose.yaml"
    file.write_text(yaml.safe_dump(data))
    import_file(file, folder / "draft")


def test_the_page_names_just_what_is_tried_here_as_refused() -> None:
    (said,) = [what for what, becomes in rows("docker-compose") if becomes == "refused"]
    assert [part.strip("` ") for part in said.split(", ")] == list(REFUSED)


@pytest.mark.parametrize("asked", REFUSED)
def test_what_the_page_says_is_refused_is(tmp_path: Path, asked: str) -> None:
    web = {"image": "nginx", **REFUSED[asked]}
    other = {"image": "nginx"}
    more = {"include": ["more.yaml"]} if asked == "include" else {}
    with pytest.raises(ImportRefusedError) as refused:
        imported(tmp_path, {"services": {"web": web, "other": other}, **more})
    key = next(iter(REFUSED[asked] or more))
    assert any(key in problem.message for problem in refused.value.problems)
    assert not (tmp_path / "draft").exists()


def test_the_rest_of_it_is_carried_over(tmp_path: Path) -> None:
    web = {
        "image": "nginx",
        "command": ["nginx"],
        "entrypoint": ["/start"],
        "user": "1000",
        "working_dir": "/srv",
        "stop_signal": "SIGINT",
        "environment": {"A": "{{ b }}"},
        "ports": ["8080:80"],
        "expose": ["81"],
        "volumes": ["cache:/var/cache"],
        "depends_on": ["other"],
        "links": ["other:db"],
        "healthcheck": {"test": ["CMD", "true"]},
        "restart": "always",
        "networks": ["front"],
        "hostname": "www",
        "container_name": "www",
    }
    services = {"web": web, "other": {"image": "nginx", "networks": ["front"]}}
    imported(tmp_path, {"services": services, "networks": {"front": {}}, "volumes": {"cache": {}}})
    said = " ".join(what for what, becomes in rows("docker-compose") if becomes != "refused")
    files = {"build", "dockerfile", "args", "target", "env_file", ".env", "secrets", "configs"}
    keys = set(re.findall(r"`([a-z_.]+)`", said))
    assert keys - files == set(web), "the page names another key; files have tests of their own"


def test_the_numbers_of_what_was_tried_add_up() -> None:
    table = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.partition("| repository |")[2].splitlines()[2:]
        if line.startswith("|")
    ]
    tried: dict[str, int] = {}
    for _, files, drafts, refused, *_ in table:
        count, kind = files.split()
        assert int(count) == int(drafts) + int(refused)
        tried[kind] = tried.get(kind, 0) + int(count)
    told = " ".join(PAGE.split())
    assert f"{tried['compose']} compose files, {tried['challenges']} files called" in told
    assert f"{tried['topologies']} topologies" in told
