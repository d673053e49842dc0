"""The keys of a service in a compose file, each read by a function of its own."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from core.scenario.importing.compose_build import take_build
from core.scenario.importing.compose_mounts import take_secrets, take_volumes
from core.scenario.importing.compose_tables import IGNORED, REFUSED
from core.scenario.importing.reading import is_off, port_of, text_of, texts_of
from core.scenario.importing.service import (
    Service,
    take_command,
    take_env_files,
    take_environment,
    take_image,
    take_limits,
    take_ready,
    texts_or_refuse,
)


def read_keys(
    host: Service, service: Mapping[str | int, object], data: Mapping[Any, object]
) -> None:
    """Read a service's keys, in the order in which what they add to its image must stand."""
    readers = {
        "volumes": partial(take_volumes, data=data),
        "secrets": partial(take_secrets, key="secrets", data=data),
        "configs": partial(take_secrets, key="configs", data=data),
    } | _READERS
    for key in service:
        if key not in readers and key not in _READ_ELSEWHERE:
            _without(host, str(key), service[key])
    if service.get("build") is None and service.get("image") is None:
        host.draft.refuse(host.place, "it has neither image nor build")
    for key, reader in readers.items():
        if key in service and not (key == "image" and service.get("build") is not None):
            reader(host, service[key])


def _without(host: Service, key: str, value: object) -> None:
    place = host.at(key)
    if key.startswith("x-") or key in IGNORED:
        host.draft.dropped(place, IGNORED.get(key, "an author's own key"))
    elif is_off(value):
        host.draft.dropped(place, "it is off")
    else:
        host.draft.refuse(place, REFUSED.get(key, "this key is not known"))


def _environment(host: Service, value: object) -> None:
    if value is not None:
        take_environment(host, value, "environment")


def _env_file(host: Service, value: object) -> None:
    paths: list[tuple[str, bool]] = []
    for item in value if isinstance(value, tuple) else (value,):
        path = item.get("path") if isinstance(item, dict) else item
        needed = not isinstance(item, dict) or item.get("required", True) is not False
        if isinstance(path, str) and path:
            paths.append((path, needed))
        else:
            host.draft.refuse(host.at("env_file"), "it names no file")
    take_env_files(host, paths, "env_file")


def _ports(host: Service, value: object) -> None:
    place = host.at("ports")
    shown: list[str] = []
    for item in value if isinstance(value, tuple) else (value,):
        text = str(item.get("target", "")) if isinstance(item, dict) else text_of(item) or ""
        protocol = str(item.get("protocol", "tcp")) if isinstance(item, dict) else ""
        target, _, behind = text.rpartition(":")[2].partition("/")
        port = port_of(target)
        if port is None:
            host.draft.refuse(place, f"{text!r} is not a port"[:200])
        elif (behind or protocol or "tcp").lower() == "tcp":
            host.published.append(port)
        shown.append(text)
    listed = ", ".join(shown)
    message = f"{listed}: what is published is the site's decision; inside, all ports are open"
    host.draft.changed(place, message)
    host.draft.todo(host.here, f"{listed} was published; here it is reached from the desk"[:500])


def _expose(host: Service, value: object) -> None:
    for item in texts_or_refuse(host, value, "expose"):
        number, _, protocol = item.partition("/")
        port = port_of(number)
        if port is None:
            host.draft.refuse(host.at("expose"), f"{item!r} is not a port"[:200])
        elif protocol in {"", "tcp"}:
            host.exposed.append(port)
    host.draft.carried(host.at("expose"))


def _restart(host: Service, value: object) -> None:
    if not is_off(value):
        host.host["restart"] = "always"
    host.draft.carried(host.at("restart"))


def _stated(key: str, host: Service, value: object) -> None:
    say: dict[str, Callable[[str], bool]] = {
        "user": host.image.user,
        "working_dir": host.image.workdir,
        "stop_signal": host.image.signal,
    }
    if say[key](text_of(value) or ""):
        host.draft.changed(host.at(key), "it stands in a Dockerfile of the draft")
    else:
        host.draft.refuse(host.at(key), "no Dockerfile can say this")


def _names(key: str, host: Service, value: object) -> None:
    host.names.append(text_of(value) or "")
    host.draft.changed(host.at(key), "it is a name of the host in its networks")


def _limit(key: str, host: Service, value: object) -> None:
    before = dict(host.host.get("limits", {}))
    take_limits(
        host,
        memory=value if key == "mem_limit" else None,
        cpus=value if key == "cpus" else None,
        pids=value if key == "pids_limit" else None,
    )
    if host.host.get("limits", {}) == before:
        host.draft.dropped(host.at(key), "it is not a limit of the language")
    else:
        host.draft.carried(host.at(key))


def _deploy(host: Service, value: object) -> None:
    deploy = value if isinstance(value, dict) else {}
    _count(host, deploy.get("replicas"), "deploy")
    resources = deploy.get("resources")
    limits = resources.get("limits") if isinstance(resources, dict) else None
    if isinstance(resources, dict) and "devices" in str(resources.get("reservations")):
        host.draft.refuse(host.at("deploy"), "it asks for devices, which are the site's to give")
    if isinstance(limits, dict):
        take_limits(
            host,
            memory=limits.get("memory"),
            cpus=limits.get("cpus"),
            pids=limits.get("pids"),
        )
    host.draft.changed(host.at("deploy"), "its limits are carried, the rest is for a swarm")


def _count(host: Service, value: object, key: str) -> None:
    if value is not None and text_of(value) not in {"0", "1"}:
        message = "several containers of one service are several hosts: write them out"
        host.draft.refuse(host.at(key), message)


def _scale(host: Service, value: object) -> None:
    _count(host, value, "scale")


_READERS: MappingProxyType[str, Callable[[Service, object], None]] = MappingProxyType(
    {
        "image": take_image,
        "build": take_build,
        "env_file": _env_file,
        "environment": _environment,
        "working_dir": partial(_stated, "working_dir"),
        "user": partial(_stated, "user"),
        "stop_signal": partial(_stated, "stop_signal"),
        "entrypoint": partial(take_command, key="entrypoint", entrypoint=True),
        "command": partial(take_command, key="command", entrypoint=False),
        "healthcheck": take_ready,
        "ports": _ports,
        "expose": _expose,
        "restart": _restart,
        "hostname": partial(_names, "hostname"),
        "container_name": partial(_names, "container_name"),
        "mem_limit": partial(_limit, "mem_limit"),
        "cpus": partial(_limit, "cpus"),
        "pids_limit": partial(_limit, "pids_limit"),
        "deploy": _deploy,
        "scale": _scale,
    }
)
_READ_ELSEWHERE = frozenset({"depends_on", "links", "networks", "network_mode", "security_opt"})


def take_needs(host: Service, service: Mapping[str | int, object], ids: Mapping[str, str]) -> None:
    """Read whom a service waits for."""
    needs: list[str] = []
    for key, (other, condition) in _waits(host, service):
        if condition == "service_completed_successfully":
            message = f"{other} ends before this begins; a host that ends is degraded"
            host.draft.refuse(host.at(key), message)
        elif other not in ids:
            host.draft.refuse(host.at(key), f"there is no service {other!r}"[:200])
        elif ids[other] not in needs and ids[other] != host.name:
            needs.append(ids[other])
    if needs:
        host.host["needs"] = needs
        host.draft.carried(host.at("depends_on" if "depends_on" in service else "links"))
    options = service.get("security_opt")
    if options is not None and not all(
        item.startswith("no-new-privileges") for item in texts_of(options) or ("?",)
    ):
        host.draft.refuse(host.at("security_opt"), REFUSED["security_opt"])


def _waits(
    host: Service, service: Mapping[str | int, object]
) -> Iterator[tuple[str, tuple[str, str]]]:
    waits = service.get("depends_on")
    if isinstance(waits, dict):
        for other, how in waits.items():
            condition = how.get("condition") if isinstance(how, dict) else None
            yield "depends_on", (str(other), str(condition))
    elif waits is not None:
        for other in texts_or_refuse(host, waits, "depends_on"):
            yield "depends_on", (other, "")
    if service.get("links") is not None:
        for link in texts_or_refuse(host, service["links"], "links"):
            yield "links", (link.partition(":")[0], "")
