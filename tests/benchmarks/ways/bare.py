"""The floor: the same containers and networks by bare calls of the Engine API."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

_API = "/v1.41"
_TIMEOUT_S = 120
_GONE = 404

Body = dict[str, Any]


class EngineCallError(RuntimeError):
    """The engine refused a call of the benchmark."""


class EngineApi:
    """The Engine API over its socket; one kept-open connection per thread, no SDK."""

    def __init__(self) -> None:
        address = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
        assert address.startswith("unix://"), "the benchmark wants the engine of this machine"
        self._path = address.removeprefix("unix://")
        self._local = threading.local()

    def call(self, method: str, path: str, body: Body | None = None) -> Any:  # noqa: ANN401  # JSON
        """Return the decoded answer; None for an empty one, and for DELETE of what is gone."""
        connection = self._connection()
        connection.request(
            method,
            _API + path,
            json.dumps(body) if body is not None else None,
            {"Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        content = answer.read()
        if method == "DELETE" and answer.status == _GONE:
            return None
        if answer.status >= 400:
            raise EngineCallError(f"{method} {path}: {answer.status} {content[:500]!r}")
        return json.loads(content) if content.strip() else None

    def listed(self, kind: str, label: str) -> list[Body]:
        """Return what carries `label`: kind is `containers` or `networks`."""
        filters = quote(json.dumps({"label": [label]}))
        path = "/containers/json?all=1&filters=" if kind == "containers" else "/networks?filters="
        found: list[Body] = self.call("GET", path + filters)
        return found

    def _connection(self) -> HTTPConnection:
        if not hasattr(self._local, "connection"):
            self._local.connection = _UnixConnection(self._path)
        connection: HTTPConnection = self._local.connection
        return connection


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """What stood for some teams: the bodies of the calls that make it again."""

    networks: tuple[Body, ...]
    containers: tuple[Body, ...]

    @classmethod
    def of(cls, api: EngineApi, label: str) -> "Blueprint":
        """Read back every network and host that carries `label` now; helpers come and go."""
        return cls(
            networks=tuple(_network_body(found) for found in api.listed("networks", label)),
            containers=tuple(
                _container_body(api.call("GET", f"/containers/{found['Id']}/json"))
                for found in api.listed("containers", label)
                if found["Labels"].get("cyberpoligon.kind", "host") == "host"
            ),
        )

    def relabelled(self, label: str, *, per_team: str) -> "Blueprint":
        """Return the same with `label` and the team's label only."""
        key, _, value = label.partition("=")

        def again(body: Body) -> Body:
            return body | {"Labels": {key: value, per_team: body["Labels"][per_team]}}

        return Blueprint(
            networks=tuple(map(again, self.networks)),
            containers=tuple(map(again, self.containers)),
        )


def _network_body(found: Body) -> Body:
    kept = ("Name", "Driver", "Internal", "Options", "Labels", "EnableIPv6")
    pools = [{k: v for k, v in pool.items() if v} for pool in found["IPAM"]["Config"]]
    return {key: found[key] for key in kept} | {"IPAM": {"Config": pools}, "CheckDuplicate": True}


def _container_body(found: Body) -> Body:
    places = {
        name: {
            "IPAMConfig": place["IPAMConfig"],
            # The engine adds the short id by itself.
            "Aliases": [a for a in place["Aliases"] or [] if not found["Id"].startswith(a)],
        }
        for name, place in found["NetworkSettings"]["Networks"].items()
    }
    body: Body = found["Config"]
    return body | {
        "Name": found["Name"].removeprefix("/"),
        "HostConfig": found["HostConfig"],
        "NetworkingConfig": {"EndpointsConfig": places},
    }


def raise_bare(api: EngineApi, blueprint: Blueprint, *, concurrency: int) -> float:
    """Make all networks, then create and start all containers; return the seconds."""
    return _timed(
        concurrency,
        (lambda body: api.call("POST", "/networks/create", body), blueprint.networks),
        (lambda body: create_and_start(api, body), blueprint.containers),
    )


def create_and_start(api: EngineApi, body: Body) -> None:
    """Make a container on its first network, connect it to the others, and start it."""
    places = body["NetworkingConfig"]["EndpointsConfig"]
    first = body["HostConfig"]["NetworkMode"]
    rest = {name: place for name, place in places.items() if name != first}
    body = body | {"NetworkingConfig": {"EndpointsConfig": {first: places[first]}}}
    made = api.call("POST", f"/containers/create?name={body['Name']}", body)["Id"]
    for name, place in rest.items():
        request = {"Container": made, "EndpointConfig": place}
        api.call("POST", f"/networks/{name}/connect", request)
    api.call("POST", f"/containers/{made}/start")


def ask_bare(api: EngineApi, label: str, command: Sequence[str], *, concurrency: int) -> float:
    """Run a command once inside each container with the label; return the seconds."""

    def ask(found: Body) -> None:
        request = {"Cmd": list(command), "AttachStdout": True}
        made = api.call("POST", f"/containers/{found['Id']}/exec", request)["Id"]
        api.call("POST", f"/exec/{made}/start", {"Detach": False})  # its output ends with it
        told = api.call("GET", f"/exec/{made}/json")
        if told["ExitCode"] != 0:
            raise EngineCallError(f"{command} in {found['Names']} ended with {told['ExitCode']}")

    return _timed(concurrency, (ask, api.listed("containers", label)))


def remove_bare(api: EngineApi, label: str, *, concurrency: int) -> float:
    """Remove all containers with the label, then all networks; return the seconds."""
    containers, networks = api.listed("containers", label), api.listed("networks", label)
    return _timed(
        concurrency,
        (lambda c: api.call("DELETE", f"/containers/{c['Id']}?force=1&v=1"), containers),
        (lambda n: api.call("DELETE", f"/networks/{n['Id']}"), networks),
    )


def _timed(
    concurrency: int, *steps: tuple[Callable[[Body], object], Sequence[Mapping[str, Any]]]
) -> float:
    with ThreadPoolExecutor(concurrency) as pool:
        began = time.perf_counter()
        for act, things in steps:
            list(pool.map(act, things))
        return time.perf_counter() - began
