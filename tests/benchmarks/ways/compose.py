"""The everyday way: one compose file a team, brought up team after team."""

import json
import subprocess
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.benchmarks.ways.bare import Blueprint, Body
from tests.compose_command import compose_command

_TIMEOUT_S = 300
# What must be equal for the comparison to be one.
_SHAPE = (
    "CapAdd",
    "CapDrop",
    "Dns",
    "Init",
    "LogConfig",
    "Memory",
    "MemorySwap",
    "NanoCpus",
    "PidsLimit",
    "ReadonlyRootfs",
    "RestartPolicy",
    "SecurityOpt",
    "Ulimits",
)


class ComposeTeams:
    """The teams of a blueprint as compose projects `<prefix>-<team>` in `folder`."""

    def __init__(self, folder: Path, blueprint: Blueprint, *, prefix: str, per_team: str) -> None:
        self._command = compose_command()
        self._projects: dict[str, Path] = {}
        for team, part in _by_team(blueprint, per_team).items():
            file = folder / f"{team}.json"  # JSON is YAML
            file.write_text(json.dumps(_compose_file(part)))
            self._projects[f"{prefix}-{team}"] = file

    def version(self) -> str:
        """Return what the command says of itself."""
        return self._run(*self._command, "version", "--short").strip()

    def up(self) -> float:
        """Bring the teams up, one after the other; return the seconds."""
        return self._each("up", "-d")

    def down(self) -> float:
        """Take the teams down, one after the other; return the seconds."""
        return self._each("down", "-v", "--remove-orphans", "-t", "0")

    def _each(self, *arguments: str) -> float:
        began = time.perf_counter()
        for project, file in self._projects.items():
            self._run(*self._command, "-p", project, "-f", str(file), *arguments)
        return time.perf_counter() - began

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}"
        return done.stdout


def differences(one: Blueprint, other: Blueprint) -> list[str]:
    """Return in what the containers of two blueprints differ that should not."""

    def shapes(blueprint: Blueprint) -> set[str]:
        return {
            json.dumps(
                [
                    [body["HostConfig"][key] or None for key in _SHAPE],
                    body["Image"],
                    _command(body),
                ],
                sort_keys=True,
            )
            for body in blueprint.containers
        }

    return sorted(shapes(one) ^ shapes(other))


def _command(body: Body) -> list[str]:
    return [*(body["Entrypoint"] or ()), *(body["Cmd"] or ())]


def _by_team(blueprint: Blueprint, per_team: str) -> dict[str, Blueprint]:
    networks: dict[str, list[Body]] = defaultdict(list)
    containers: dict[str, list[Body]] = defaultdict(list)
    for body in blueprint.networks:
        networks[body["Labels"][per_team]].append(body)
    for body in blueprint.containers:
        containers[body["Labels"][per_team]].append(body)
    return {
        team: Blueprint(networks=tuple(networks[team]), containers=tuple(containers[team]))
        for team in sorted(networks)
    }


def _compose_file(team: Blueprint) -> dict[str, Any]:
    names = {body["Name"]: f"net{number}" for number, body in enumerate(team.networks)}
    return {
        "services": {body["Hostname"]: _service(body, names) for body in team.containers},
        "networks": {
            names[body["Name"]]: {
                "internal": body["Internal"],
                "labels": body["Labels"],
                "driver_opts": body["Options"],
                "ipam": {
                    "config": [{k.lower(): v for k, v in c.items()} for c in body["IPAM"]["Config"]]
                },
            }
            for body in team.networks
        },
    }


def _escaped(word: str) -> str:
    """Keep compose from taking a shell's variable for one of its own."""
    return word.replace("$", "$$")


def _service(body: Body, names: dict[str, str]) -> dict[str, Any]:
    host = body["HostConfig"]
    places = body["NetworkingConfig"]["EndpointsConfig"]
    return {
        "image": body["Image"],
        "entrypoint": [_escaped(word) for word in body["Entrypoint"] or ()],
        "command": [_escaped(word) for word in body["Cmd"] or ()],
        "hostname": body["Hostname"],
        "labels": body["Labels"],
        "environment": body["Env"] or [],
        "cap_add": host["CapAdd"] or [],
        "cap_drop": host["CapDrop"] or [],
        "security_opt": host["SecurityOpt"] or [],
        "dns": host["Dns"] or [],
        "init": host["Init"],
        "read_only": host["ReadonlyRootfs"],
        "mem_limit": host["Memory"],
        "memswap_limit": host["MemorySwap"],
        "cpus": host["NanoCpus"] / 1e9,
        "pids_limit": host["PidsLimit"],
        "ulimits": {u["Name"]: {"soft": u["Soft"], "hard": u["Hard"]} for u in host["Ulimits"]},
        "logging": {"driver": host["LogConfig"]["Type"], "options": host["LogConfig"]["Config"]},
        "restart": "no",
        "networks": {
            names[name]: {
                "ipv4_address": place["IPAMConfig"]["IPv4Address"],
                "aliases": place["Aliases"],
            }
            for name, place in places.items()
        },
    }
