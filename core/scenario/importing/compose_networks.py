"""Networks of compose files, and the names that services have in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.scenario.importing.compose_tables import NETWORK_REFUSED
from core.scenario.importing.draft import Draft
from core.scenario.importing.reading import is_off, text_of, texts_of
from core.scenario.importing.service import Service
from core.scenario.importing.texts import alias_of, id_of

_DEFAULT = "default"
_MOST_NETWORKS = 20
_PLAIN_MODES = frozenset({"bridge", "default"})


@dataclass(slots=True)
class Networks:
    """The draft's networks, what they are called in the file, and which names are taken."""

    made: dict[str, Any] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str:
        """Return the id of a network, which is made when it is new."""
        if name not in self.ids:
            self.ids[name] = id_of(name, self.made, otherwise="net")
            self.made[self.ids[name]] = {}
        return self.ids[name]


def read_networks(draft: Draft, data: Mapping[Any, object]) -> Networks:
    """Read the networks that a file declares; one that no service joins is not made."""
    declared = data.get("networks")
    for name, about in declared.items() if isinstance(declared, dict) else ():
        place = ("networks", name)
        if not isinstance(about, dict):
            continue
        driver = text_of(about.get("driver")) or ""
        if driver in NETWORK_REFUSED:
            draft.refuse((*place, "driver"), f"a network of the kind {driver} is the site's")
        if about.get("ipam"):
            draft.dropped(
                (*place, "ipam"), "addresses are the site's, and differ from team to team"
            )
        if about.get("external"):
            draft.changed((*place, "external"), "it is a network of each team")
    return Networks()


def join_networks(
    host: Service,
    service: Mapping[str | int, object],
    networks: Networks,
    ids: Mapping[str, str],
) -> dict[str, dict[str, Any]]:
    """Return the networks that a service is on, with a name of it in each while it has some."""
    _take_mode(host, service.get("network_mode"))
    joined, wanted = _joined(host, service.get("networks"))
    if len(joined) > _MOST_NETWORKS:
        host.draft.refuse(host.at("networks"), f"more than {_MOST_NETWORKS} networks")
        return {}
    wanted = [str(host.place[-1]), *host.names, *wanted]
    names = _free_names(host, wanted, networks, ids)
    attached: dict[str, dict[str, Any]] = {}
    for name in joined:
        attached[networks.of(name)] = {"alias": names.pop(0)} if names else {}
    if names:
        listed = ", ".join(names)
        host.draft.dropped(host.at("networks"), f"a host has one more name a network: {listed}")
        host.draft.todo(host.here, f"it was called {listed}, too"[:300])
    return attached


def _take_mode(host: Service, mode: object) -> None:
    if not is_off(mode) and text_of(mode) not in _PLAIN_MODES:
        message = f"{text_of(mode)!r}: which network a host shares is the site's decision"
        host.draft.refuse(host.at("network_mode"), message[:200])


def _joined(host: Service, value: object) -> tuple[list[str], list[str]]:
    """Return the names of the networks, and the host's names in them."""
    if not isinstance(value, dict):
        listed = texts_of(value or ())
        if listed is None:
            host.draft.refuse(host.at("networks"), "it is not a list of networks")
        return list(listed or (_DEFAULT,)), []
    aliases: list[str] = []
    for name, about in value.items():
        for key, given in about.items() if isinstance(about, dict) else ():
            if key == "aliases":
                aliases += texts_of(given or ()) or ()
            elif not is_off(given):
                place = host.at("networks", name, key)
                host.draft.dropped(place, "addresses and order are the site's")
                host.draft.todo(
                    host.here, f"it had {key} {text_of(given)}; see hosts.<host>.ip"[:200]
                )
    return [str(name) for name in value] or [_DEFAULT], aliases


def _free_names(
    host: Service, wanted: list[str], networks: Networks, ids: Mapping[str, str]
) -> list[str]:
    names: list[str] = []
    for name in wanted:
        alias = alias_of(name)
        if alias is None:
            if name != host.place[-1] or name != host.name:
                host.draft.dropped(host.place, f"{name!r} cannot be a host's name"[:200])
        elif alias != host.name and alias not in names and alias not in ids.values():
            if networks.aliases.setdefault(alias, host.name) == host.name:
                names.append(alias)
            else:
                message = f"{alias} names {networks.aliases[alias]} already"
                host.draft.dropped(host.place, message)
    return names
