"""containerlab topologies: Linux nodes become hosts, each link a network, mgmt the way in."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from core.scenario.importing.draft import Draft
from core.scenario.importing.image import Image
from core.scenario.importing.reading import is_off, port_of, text_of, texts_of, words_of
from core.scenario.importing.service import (
    Service,
    finish,
    take_bind,
    take_command,
    take_env_files,
    take_environment,
    take_image,
    take_limits,
    take_ready,
    texts_or_refuse,
)
from core.scenario.importing.stage import begin, desk, size_networks
from core.scenario.importing.texts import alias_of, id_of, literal, title

_MOST_NODES = 60
_MOST_LINKS = 200
_MOST_COMMANDS = 200
_SWITCHES = frozenset({"bridge", "ovs-bridge"})
_SPECIAL = frozenset({"host", "macvlan", "mgmt-net", "vxlan", "vxlan-stitch", "dummy"})
_MGMT = "mgmt"
_NETWORK_TOOLS = re.compile(
    r"\b(ip|ifconfig|route|sysctl|bridge|brctl|tc|ethtool|iptables|nft|vconfig|dhclient|udhcpc)\s"
)
_REFUSED = MappingProxyType(
    {
        "cap-add": "it asks for capabilities, which are the site's to give",
        "credentials": "accounts of a network device are not here",
        "devices": "it asks for devices, which are the site's to give",
        "network-mode": "which network a host shares is the site's decision",
        "sysctls": "it changes the kernel, which is the site's",
        "components": "it is a device of several cards",
    }
)
_NO_PART = "it changes nothing that a trainee would see"
_IGNORED = MappingProxyType(
    {
        "auto-remove": _NO_PART,
        "certificate": "certificates are not made here; bring them as files",
        "config": "it is for a device's own configuration",
        "cpu-set": "the site's default holds",
        "dns": "names are the range's to answer",
        "enforce-startup-config": "a Linux host has no startup configuration",
        "extras": "it is for kinds of devices",
        "group": "it is only for inheriting, or for a drawing",
        "image-pull-policy": "the site has its images or builds them",
        "labels": _NO_PART,
        "license": "a Linux host has no licence",
        "mgmt-ipv4": "addresses are the site's, and differ from team to team",
        "mgmt-ipv6": "addresses are the site's, and differ from team to team",
        "position": _NO_PART,
        "runtime": "the site has one engine",
        "save": _NO_PART,
        "shm-size": "the site's default holds",
        "stages": "the order of the start is in needs, if it matters",
        "startup-config": "a Linux host has no startup configuration",
        "startup-delay": "the order of the start is in needs, if it matters",
        "suppress-startup-config": "a Linux host has no startup configuration",
        "type": "it is for kinds of devices",
        "ulimits": "the site's default holds",
    }
)
_READ = frozenset(
    {
        "aliases",
        "binds",
        "cmd",
        "cpu",
        "entrypoint",
        "env",
        "env-files",
        "exec",
        "healthcheck",
        "image",
        "kind",
        "memory",
        "ports",
        "restart-policy",
        "user",
    }
)
_TOP_IGNORED = frozenset({"debug", "name", "prefix", "settings", "topology"})
_Node = dict[str | int, object]


def recognises(data: Mapping[str | int, object]) -> bool:
    """Tell whether this is a topology."""
    topology = data.get("topology")
    return isinstance(topology, dict) and "nodes" in topology


def bring_in(draft: Draft, data: Mapping[str | int, object], *, name: str, shown: str) -> None:
    """Make a draft of a topology."""
    topology = data["topology"]
    assert isinstance(topology, dict)
    nodes = {str(key): node for key, node in _nodes(draft, topology)}
    if draft.refusals or not nodes:
        draft.refuse(("topology", "nodes"), f"from 1 to {_MOST_NODES} nodes can be brought in")
        return
    begin(draft, name=name, title=title(text_of(data.get("name")) or shown, otherwise=name))
    draft.data |= {"networks": {_MGMT: {}}, "hosts": {}, "injects": {}}
    for key, value in data.items():
        if key == _MGMT:
            draft.changed((key,), "it is a network of each team, by which trainees come in")
        elif key not in _TOP_IGNORED and not is_off(value):
            draft.dropped((key,), "this key is not known")
    joined = _links(draft, topology, nodes)
    hosts = {key: node for key, node in nodes.items() if node.get("kind") not in _SWITCHES}
    ids: dict[str, str] = {}
    for key in hosts:
        ids[key] = id_of(key, ids.values(), otherwise="node")
    for key, node in hosts.items():
        _host(draft, key, node, ids[key], joined.get(key, []))
    if draft.refusals or not hosts:
        draft.refuse(("topology", "nodes"), "no node of it can be a host") if not hosts else None
        return
    _complete(draft)


def _nodes(draft: Draft, topology: _Node) -> Iterator[tuple[str, _Node]]:
    """Yield each node with what it inherits from defaults, its kind and its group."""
    nodes = topology["nodes"]
    if not isinstance(nodes, dict) or len(nodes) > _MOST_NODES:
        draft.refuse(("topology", "nodes"), f"more than {_MOST_NODES} nodes, or none")
        return
    defaults = _part(topology, "defaults")
    for key, own in nodes.items():
        if own is not None and not isinstance(own, dict):
            draft.refuse(("topology", "nodes", key), "a node is a mapping")
            continue
        node = own or {}
        group = _part(_part(topology, "groups"), node.get("group", defaults.get("group")))
        kind = node.get("kind", group.get("kind", defaults.get("kind")))
        layers = (defaults, _part(_part(topology, "kinds"), kind), group, node)
        yield str(key), _laid_over(layers) | {"kind": kind}


def _part(mapping: _Node, key: object) -> _Node:
    part = mapping.get(key) if isinstance(key, str | int) else None
    return part if isinstance(part, dict) else {}


def _laid_over(layers: tuple[_Node, ...]) -> _Node:
    """Return one mapping of several: later ones win, but lists and mappings are joined."""
    result: _Node = {}
    for layer in layers:
        for key, value in layer.items():
            before = result.get(key)
            if isinstance(before, dict) and isinstance(value, dict):
                result[key] = before | value
            elif isinstance(before, tuple) and isinstance(value, tuple):
                result[key] = before + value
            else:
                result[key] = value
    return result


def _links(draft: Draft, topology: _Node, nodes: Mapping[str, _Node]) -> dict[str, list[str]]:
    """Make a network of each link; those that meet in a bridge are one. Return them by node."""
    joined: dict[str, list[str]] = {}
    switches = {key for key, node in nodes.items() if node.get("kind") in _SWITCHES}
    networks: dict[str, Any] = draft.data["networks"]
    names: dict[str, str] = {}
    links = topology.get("links")
    if isinstance(links, tuple) and len(links) > _MOST_LINKS:
        draft.refuse(("topology", "links"), f"more than {_MOST_LINKS} links")
        return {}
    for index, link in enumerate(links if isinstance(links, tuple) else ()):
        place = ("topology", "links", index)
        ends = _ends(draft, place, link, nodes)
        if len(ends) != 2:  # noqa: PLR2004  # a link has two ends
            continue
        switch = next((end for end in ends if end in switches), None)
        title_ = switch or "-".join(ends)
        if switch is None or switch not in names:
            names[switch or f"/{index}"] = id_of(title_, networks, otherwise="link")
            networks[names[switch or f"/{index}"]] = {}
        network = names[switch or f"/{index}"]
        for end in ends:
            if end not in switches and network not in joined.setdefault(end, []):
                joined[end].append(network)
        draft.carried(place)
    return joined


def _ends(
    draft: Draft, place: tuple[str | int, ...], link: object, nodes: Mapping[str, _Node]
) -> list[str]:
    parts = link if isinstance(link, dict) else {}
    kind = text_of(parts.get("type")) or "veth"
    if kind in {"dummy", "mgmt-net"}:
        draft.dropped(place, f"a link of the type {kind} leads to no other node")
        return []
    listed = parts.get("endpoints")
    ends = [_end(item) for item in (listed if isinstance(listed, tuple) else ())]
    if kind != "veth" or len(ends) != 2 or set(ends) & _SPECIAL:  # noqa: PLR2004  # two ends
        draft.refuse(place, "it is not a link between two nodes; others leave the lab")
        return []
    for end in ends:
        if end not in nodes:
            draft.refuse(place, f"there is no node {end!r}"[:200])
            return []
    for key in parts:
        if key not in {"endpoints", "type"}:
            draft.dropped((*place, key), "what a link is like is the site's; injects can change it")
    return ends


def _end(item: object) -> str:
    if isinstance(item, dict):
        return text_of(item.get("node")) or ""
    return (text_of(item) or "").partition(":")[0]


def _host(draft: Draft, key: str, node: _Node, name: str, networks: list[str]) -> None:
    place = ("topology", "nodes", key)
    kind = text_of(node.get("kind"))
    if kind != "linux":
        message = f"the kind {kind}: only Linux containers run here without the host's privileges"
        draft.refuse((*place, "kind"), message if kind else "it has no kind")
        return
    host = Service(draft=draft, place=place, name=name, image=Image(place))
    take_image(host, node.get("image"))
    for index, bind in enumerate(texts_or_refuse(host, node.get("binds") or (), "binds")):
        source, _, rest = bind.partition(":")
        take_bind(host, host.at("binds", index), source, rest.partition(":")[0])
    _take_process(host, node)
    _take_exec(host, node)
    for other, value in node.items():
        if other in _READ or is_off(value):
            continue
        if other == "network-mode" and value in {"none", "bridge"}:
            draft.changed(host.at(other), f"{value}: it is on mgmt all the same")
        elif other in _REFUSED:
            draft.refuse(host.at(other), _REFUSED[str(other)])
        else:
            draft.dropped(host.at(other), _IGNORED.get(str(other), "this key is not known"))
    finish(host, _attached(host, networks, node))


def _attached(host: Service, networks: list[str], node: _Node) -> dict[str, dict[str, Any]]:
    attached: dict[str, dict[str, Any]] = {name: {} for name in (_MGMT, *networks)}
    taken = {
        a.get("alias")
        for other in host.draft.data["hosts"].values()
        for a in other["networks"].values()
    }
    wanted = [str(host.place[-1]), *(texts_of(node.get("aliases") or ()) or ())]
    names = [alias for alias in map(alias_of, wanted) if alias and alias != host.name]
    free = [alias for alias in dict.fromkeys(names) if alias not in taken]
    for network, alias in zip(attached, free, strict=False):
        attached[network] = {"alias": alias}
    return attached


def _take_process(host: Service, node: _Node) -> None:
    files = texts_or_refuse(host, node.get("env-files") or (), "env-files")
    take_env_files(host, [(path, True) for path in files], "env-files")
    take_environment(host, node.get("env") or {}, "env")
    user = text_of(node.get("user"))
    if user and not host.image.user(user):
        host.draft.refuse(host.at("user"), "no Dockerfile can say this")
    take_command(host, node.get("entrypoint"), "entrypoint", entrypoint=True)
    take_command(host, node.get("cmd"), "cmd", entrypoint=False)
    if node.get("healthcheck") is not None:
        take_ready(host, node["healthcheck"])
    take_limits(host, memory=node.get("memory"), cpus=node.get("cpu"), pids=None)
    if text_of(node.get("restart-policy")) not in {None, "", "no"}:
        host.host["restart"] = "always"
    for item in texts_or_refuse(host, node.get("ports") or (), "ports"):
        target, _, protocol = item.rpartition(":")[2].partition("/")
        port = port_of(target)
        if port is not None:
            host.published += [port] if protocol in {"", "tcp"} else []
        else:
            host.draft.refuse(host.at("ports"), f"{item!r} is not a port"[:200])


def _take_exec(host: Service, node: _Node) -> None:
    """Read commands that run after the start; those that set addresses are left to the site."""
    injects: dict[str, Any] = host.draft.data["injects"]
    for index, line in enumerate(texts_or_refuse(host, node.get("exec") or (), "exec")):
        words = words_of(line)
        place = host.at("exec", index)
        if not words:
            host.draft.refuse(place, "it is not a command")
        elif len(injects) >= _MOST_COMMANDS:
            host.draft.refuse(place, f"more than {_MOST_COMMANDS} commands at the beginning")
        elif _NETWORK_TOOLS.search(f"{line} "):
            message = "addresses and routes are the site's; flows say what passes"
            host.draft.dropped(place, message)
            host.draft.todo(host.here, f"it ran {line}; {message}"[:300])
        else:
            name = id_of(f"{host.name}-{index + 1}", injects)
            run = [literal(word) for word in words]
            injects[name] = {"at": "0m", "host": host.name, "run": run}
            host.draft.changed(place, "it is an inject at the beginning")


def _complete(draft: Draft) -> None:
    desk(draft, [_MGMT])
    size_networks(draft)
    draft.todo(
        ("networks",), "each link is a network; nothing passes from one to another by itself"
    )
    brief = {
        "to": "all",
        "text": "You are on the desk, on the network by which the lab is managed.",
    }
    injects = {"at": "0m", "message": brief}
    draft.data["injects"] |= {id_of("brief", draft.data["injects"]): injects}
    draft.todo(("injects",), "decide what the team is to do, and what is scored")
