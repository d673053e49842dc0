"""docker-compose files: services become hosts, their networks networks, published ports a desk."""

from collections.abc import Iterator, Mapping
from typing import Any

from core.scenario.importing.compose_keys import read_keys, take_needs
from core.scenario.importing.compose_networks import join_networks, read_networks
from core.scenario.importing.compose_tables import IGNORED_AT_TOP, REFUSED_AT_TOP
from core.scenario.importing.draft import Draft
from core.scenario.importing.image import Image
from core.scenario.importing.reading import is_off, text_of, texts_of
from core.scenario.importing.service import Service, finish
from core.scenario.importing.source import Found
from core.scenario.importing.stage import begin, desk, size_networks
from core.scenario.importing.texts import id_of, title
from core.scenario.importing.variables import (
    VariableError,
    Variables,
    filled,
    parse_env_file,
)
from core.scenario.yaml_reader import MAX_BYTES

_MOST_SERVICES = 60
_ENV_FILE = ".env"


def recognises(data: Mapping[str | int, object]) -> bool:
    """Tell whether this is a compose file."""
    return isinstance(data.get("services"), dict) and "topology" not in data


def bring_in(draft: Draft, data: Mapping[str | int, object], *, name: str, shown: str) -> None:
    """Make a draft of a compose file; `shown` is its title where it has none."""
    data = _filled(draft, data)
    given = data["services"]
    assert isinstance(given, dict)
    services = {str(key): value for key, value in given.items()}
    if not services or len(given) > _MOST_SERVICES:
        draft.refuse(("services",), f"from 1 to {_MOST_SERVICES} services can be brought in")
        return
    _at_top(draft, data)
    begin(draft, name=name, title=title(text_of(data.get("name")) or shown, otherwise=name))
    networks = read_networks(draft, data)
    draft.data |= {"networks": networks.made, "hosts": {}}
    ids: dict[str, str] = {}
    for key in services:
        ids[key] = id_of(key, ids.values(), otherwise="host")
    hosts: dict[str, Service] = {}
    for key, value in services.items():
        place = ("services", key)
        host = Service(draft=draft, place=place, name=ids[key], image=Image(place))
        if not isinstance(value, dict):
            draft.refuse(place, "a service is a mapping")
            continue
        read_keys(host, value, data)
        hosts[key] = host
        take_needs(host, value, ids)
    for other, linked_as in _linked(services):
        if other in hosts:
            hosts[other].names.append(linked_as)
    for key, host in hosts.items():
        finish(host, join_networks(host, services[key], networks, ids))
    _refuse_circles(draft)
    if not draft.refusals:
        _complete(draft, hosts)


def _filled(draft: Draft, raw: Mapping[str | int, object]) -> dict[str | int, object]:
    values: dict[str, str] = {}
    if draft.source.look(_ENV_FILE) is Found.FILE:
        try:
            pairs = parse_env_file(draft.source.read(_ENV_FILE, MAX_BYTES).content.decode())
            values = {name: value or "" for name, value in pairs.items()}
        except (OSError, UnicodeDecodeError, VariableError) as error:
            draft.refuse((), f"{_ENV_FILE} cannot be read: {error}")
    variables = Variables(values)
    data = filled(dict(raw), variables, draft.refuse)
    assert isinstance(data, dict)
    for name in sorted(variables.unset):
        message = f"the variable {name} is set nowhere and is empty here"
        draft.changed((), message)
        draft.todo(("hosts",), message)
    return data


def _at_top(draft: Draft, data: Mapping[str | int, object]) -> None:
    for key, value in data.items():
        if key in {"services", "networks", "volumes", "secrets", "configs", "name"}:
            continue
        if key in IGNORED_AT_TOP or str(key).startswith("x-"):
            draft.dropped((key,), IGNORED_AT_TOP.get(str(key), "an author's own key"))
        elif not is_off(value):
            draft.refuse((key,), REFUSED_AT_TOP.get(str(key), "this key is not known"))


def _linked(services: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield each service that another one calls by a name of its own, and that name."""
    for service in services.values():
        links = service.get("links") if isinstance(service, dict) else None
        for link in texts_of(links or ()) or ():
            other, colon, linked_as = link.partition(":")
            if colon and linked_as:
                yield other, linked_as


def _refuse_circles(draft: Draft) -> None:
    needs = {name: tuple(host.get("needs", ())) for name, host in draft.data["hosts"].items()}
    while needs:
        free = [name for name, others in needs.items() if not set(others) & set(needs)]
        if not free:
            draft.refuse(("services",), f"{', '.join(needs)} wait for each other in a circle")
            return
        for name in free:
            del needs[name]


def _complete(draft: Draft, hosts: Mapping[str, Service]) -> None:
    all_networks = list(draft.data["networks"])
    open_hosts = [host for host in hosts.values() if host.published]
    near = {n for host in open_hosts for n in draft.data["hosts"][host.name]["networks"]}
    seat = desk(draft, [n for n in all_networks if n in near] or all_networks)
    size_networks(draft)
    checks: dict[str, Any] = {}
    tasks: dict[str, Any] = {}
    for host in open_hosts:
        check = id_of(f"{host.name}_up", checks)
        peer = {"host": host.name, "port": host.published[0]}
        checks[check] = {"from": seat, "tcp": peer, "every": "30s"}
        tasks[check] = {
            "title": f"Keep {host.name} up",
            "ask": f"Keep port {host.published[0]} of {host.name} open.",
            "availability": check,
            "points": 10,
        }
    if checks:
        draft.data |= {"checks": checks, "tasks": tasks}
        draft.todo(("tasks",), "decide what is scored; these only keep the published ports open")
    else:
        draft.todo(("injects",), "decide what is scored: nothing is yet")
    text = "You are on the desk. Look around: what runs here, and what is wrong with it?"
    draft.data["injects"] = {"brief": {"at": "0m", "message": {"to": "all", "text": text}}}
    draft.todo(("injects", "brief"), "say what the team is to do")
