"""Links of hosts, shaped from outside by a toolbox in each host's network namespace.

Rules of nftables in the host's own namespace, where it has no right to look or touch: they go with
the host, and nothing on the engine's host has to be taken back. Terminals do not come over the
network, so none is cut. Addresses and routes stay, so what is restored works at once.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

from orchestrator.domain.links import HostLink, Link, LinkState, NetworkLink
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.engine.beside import configure_network
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.labels import HOST, Kind, Labels, having
from orchestrator.engine.names import network_name, shared_network_name
from orchestrator.engine.toolbox import Toolbox
from orchestrator.ports import EngineRefusedError, HostGoneError, NotEnforcedError

_WITHIN = timedelta(seconds=30)
_PER_MILLE = 1000
_BITS = 8
# Veth hands over packets of up to 64 KiB at once: a smaller burst would let none of them pass.
_LEAST_BURST = 128 * 1024
_NO_NETEM = 3

# Delay first: where the kernel has none, nothing was changed yet.
_SCRIPT = f"""rules=$1 delay=$2
shift 2
for address do
  device=$(ip -o -4 address show to "$address" | cut -d ' ' -f 2)
  if [ "$delay" = 0 ]; then tc qdisc del dev "$device" root 2>/dev/null
  else tc qdisc replace dev "$device" root netem delay "$delay" || exit {_NO_NETEM}
  fi
done
printf %s "$rules" | nft -f -
"""
_HOST_TABLE = "inet poligon_host"
_ASK = ("tc", "qdisc", "replace", "dev", "lo", "root", "netem", "delay", "1ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Concerned:
    """A running host, and those of its places that a link means."""

    host: HostKey
    places: tuple[IPv4Interface, ...]


class Links:
    """The links of one installation's hosts."""

    def __init__(self, connection: EngineConnection, toolbox: Toolbox, labels: Labels) -> None:
        self._connection = connection
        self._toolbox = toolbox
        self._labels = labels

    def shape(self, world: WorldKey, link: Link, state: LinkState) -> None:
        """Have the link be so; raises HostGoneError, NotEnforcedError."""
        concerned = self._concerned(world, link)
        if not concerned:
            return
        with ThreadPoolExecutor(len(concerned)) as pool:
            futures = [pool.submit(self._shape_host, one, link, state) for one in concerned]
        for future in futures:
            # One that stopped meanwhile has no link left to shape.
            with suppress(HostGoneError):
                future.result()

    def can_delay(self) -> bool:
        """Tell whether the engine's kernel can delay packets."""
        result = self._toolbox.run(
            _ASK,
            network_mode="none",
            labels=self._labels.helper(),
            timeout=_WITHIN,
            capabilities=("NET_ADMIN",),
        )
        return result.ok

    def _concerned(self, world: WorldKey, link: Link) -> tuple[_Concerned, ...]:
        wanted = having(self._labels.of_world(world), kind=Kind.HOST)
        with self._connection.call() as api:
            running = api.containers(filters=wanted)
        if isinstance(link, HostLink):
            running = [found for found in running if found["Labels"][HOST] == link.host]
            if not running:
                raise HostGoneError(
                    f"host {link.host} of {world.team} does not run, so it has no link",
                    hint="Raise its world again",
                )
        names = self._names(world, link)
        found = (
            _Concerned(
                host=HostKey(world=world, host=container["Labels"][HOST]),
                places=tuple(_places(container, names)),
            )
            for container in running
        )
        return tuple(one for one in found if one.places)

    def _names(self, world: WorldKey, link: Link) -> frozenset[str] | None:
        """Return what the engine calls the link's network; None means any."""
        if isinstance(link, HostLink):
            return None
        installation = self._labels.installation
        return frozenset(
            {
                network_name(installation, world, link.network),
                shared_network_name(installation, world.exercise, link.network),
            }
        )

    def _shape_host(self, concerned: _Concerned, link: Link, state: LinkState) -> None:
        delay = state.delay or timedelta()
        host = concerned.host
        result = configure_network(
            self._toolbox,
            self._labels,
            host,
            (
                *("sh", "-c", _SCRIPT, "sh"),
                rules(link, state, concerned.places),
                f"{delay.total_seconds() * 1000:g}ms" if delay else "0",
                *(str(place.ip) for place in concerned.places),
            ),
            within=_WITHIN,
        )
        if result.exit_code == _NO_NETEM:
            raise NotEnforcedError(
                "delay is not enforced here: the engine's kernel has no netem",
                hint="Use loss or rate, or an engine whose kernel has sch_netem",
            )
        if not result.ok:
            raise EngineRefusedError(
                f"the link of {host.host} of {host.world.team} could not be shaped:"
                f" {result.output.strip()}",
            )


def rules(link: Link, state: LinkState, places: Iterable[IPv4Interface]) -> str:
    """Return nftables' text that puts a link's state in place of any earlier one."""
    table = f"inet poligon_network_{link.network}" if isinstance(link, NetworkLink) else _HOST_TABLE
    cleared = f"add table {table}\ndelete table {table}\n"
    limits = _limits(state)
    if not limits:
        return cleared
    into, out = [], []
    for place in places:
        # Between two hosts of a network that is shaped, a packet meets the state once.
        within = place.network if isinstance(link, NetworkLink) else None
        into += [f'iifname != "lo" ip daddr {place.ip} {limit}' for limit in limits]
        out += [f'oifname != "lo" {_leaving(place.ip, within)} {limit}' for limit in limits]
    return (
        f"{cleared}table {table} {{\n"
        f"chain into {{ type filter hook prerouting priority raw\n{chr(10).join(into)}\n}}\n"
        f"chain out {{ type filter hook output priority raw\n{chr(10).join(out)}\n}}\n}}\n"
    )


def _leaving(address: IPv4Address, within: IPv4Network | None) -> str:
    beyond = f" ip daddr != {within}" if within is not None else ""
    return f"ip saddr {address}{beyond}"


def _limits(state: LinkState) -> list[str]:
    # The kernel's dice never show as many as they have sides: what loses everything is down.
    if state.down or round(state.loss * _PER_MILLE) >= _PER_MILLE:
        return ["drop"]
    limits = []
    if state.loss:
        limits.append(f"numgen random mod {_PER_MILLE} < {round(state.loss * _PER_MILLE)} drop")
    if state.rate is not None:
        rate = max(1, state.rate // _BITS)
        burst = max(_LEAST_BURST, rate // 10)
        limits.append(f"limit rate over {rate} bytes/second burst {burst} bytes drop")
    return limits


def _places(container: Mapping[str, Any], names: frozenset[str] | None) -> Iterable[IPv4Interface]:
    for name, place in container["NetworkSettings"]["Networks"].items():
        if place["IPAddress"] and (names is None or name in names):
            yield IPv4Interface(f"{place['IPAddress']}/{place['IPPrefixLen']}")
