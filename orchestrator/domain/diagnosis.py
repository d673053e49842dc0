"""What an engine lacks: one look, one sentence, one fix each. Pure; the facts are asked before."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from orchestrator.domain.advisories import (
    FORWARDED_NAMES,
    Program,
    concerns,
    is_upstream,
    known_flaws,
)
from orchestrator.domain.engine_facts import EngineFacts, Space, Tables
from orchestrator.domain.world import HostKey

BASE_IMAGE = "debian:bookworm-slim"

FREE_SPACE = "docker system df shows what takes it; docker builder prune frees some"
"""What to do about a disk that is full."""

_GIB = 1024**3
_TIGHT, _TOO_TIGHT = 10 * _GIB, 2 * _GIB
# A small disk is full later: at so many of its bytes.
_TOO_TIGHT_SHARE = 0.05
# What was full is not well at the first byte, or it would be both by turns.
_ROOM_AGAIN = 1.5
# Less is no reason why a disk is full.
_MUCH, _MOST_WRITERS = _GIB // 4, 3
_SKEWED, _TOO_SKEWED = timedelta(seconds=2), timedelta(minutes=5)
_LIMITS = frozenset({"memory", "swap", "processes", "CPU"})
_OLDEST_API = (1, 41)


class State(StrEnum):
    """Whether something is well, worth knowing, or keeps exercises from working."""

    OK = "ok"
    NOTE = "note"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at, what was seen, and what to do."""

    look: str
    state: State
    says: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class _Said:
    """A look's answer before it has the look's name."""

    state: State
    says: str
    fix: str = ""


def _ok(says: str) -> _Said:
    return _Said(State.OK, says)


def is_full(space: Space, *, was: bool = False) -> bool:
    """Tell whether too little is left to begin anything; `was`: it was so before."""
    least = min(_TOO_TIGHT, space.total * _TOO_TIGHT_SHARE)
    return space.free < least * (_ROOM_AGAIN if was else 1)


def told_of_space(space: Space) -> str:
    """Return the sentence about what the engine's disk has left."""
    return f"the engine's data has {space.free / _GIB:.1f} GiB free"


def told_of_writers(written: Mapping[HostKey, int]) -> Iterator[str]:
    """Yield a sentence for each host that holds most beyond its image, in bytes; few, and large."""
    large = [host for host, size in written.items() if size >= _MUCH]
    for host in sorted(large, key=written.__getitem__, reverse=True)[:_MOST_WRITERS]:
        yield told_of_writer(host, written[host])


def told_of_filled(host: HostKey, size: int, limit: int) -> str:
    """Return the sentence about a host that has filled its disk, both in bytes."""
    return f"{told_of_writer(host, size)}, of {limit / _GIB:.1f} that it may"


def told_of_writer(host: HostKey, size: int) -> str:
    """Return the sentence about what a host has written, in bytes."""
    return f"{host.host} of {host.world.team} has written {size / _GIB:.1f} GiB"


def diagnose(facts: EngineFacts, *, worlds_stand: bool) -> Iterator[Finding]:
    """Yield a finding a look, in a fixed order."""
    for name, look in _LOOKS.items():
        said = look(facts, worlds_stand)
        yield Finding(look=name, state=said.state, says=said.says, fix=said.fix)


def _engine(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001  # a look's shape
    says = f"Docker Engine {facts.version} (API {facts.api_version}) answers"
    size = f"{facts.cpus} CPUs, {facts.memory / _GIB:.1f} GiB, {facts.architecture}"
    if _version(facts.api_version)[:2] < _OLDEST_API:
        fix = "Install Docker Engine 20.10 or newer"
        return _Said(State.BROKEN, f"{says}; API 1.41 is the oldest that will do", fix)
    return _ok(f"{says}: {size}")


def _runc(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001
    if not facts.runc:
        return _Said(State.NOTE, "the version of runc cannot be told", "Look it up: runc --version")
    return _flaws(Program.RUNC, facts.runc, "runc to 1.2.8, 1.3.3 or newer")


def _version_of_engine(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001
    return _flaws(Program.ENGINE, facts.version, "Docker Engine to 28.0 or newer")


def _flaws(program: Program, version: str, update: str) -> _Said:
    """Return what a version of a program is known for; a distribution may have mended it."""
    flaws = tuple(known_flaws(program, version))
    if not flaws:
        return _ok(f"{program} {version} has no flaw that is known here")
    if not is_upstream(version):
        cves = ", ".join(cve for flaw in flaws for cve in flaw.cves)
        return _Said(
            State.NOTE,
            f"{program} {version} is a distribution's own: whether it mends {cves} cannot be told",
            "Look them up in the distribution's security tracker, and keep its packages current",
        )
    state = State.BROKEN if any(flaw.is_grave for flaw in flaws) else State.NOTE
    says = f"{program} {version} {', and '.join(map(str, flaws))}"
    return _Said(state, says, f"Update {update}, and restart the engine")


def _names(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001
    loopback = any(server.startswith("127.") for server in facts.name_servers)
    if concerns(FORWARDED_NAMES, facts.version) and loopback:
        return _ok(
            f"this engine {FORWARDED_NAMES}; hosts of"
            " ranges name another one, and every launch tests that nothing is asked outside"
        )
    return _ok("the engine asks nobody outside for names of internal networks")


def _default_bridge(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001
    if facts.default_bridge:
        return _ok("the engine's default bridge is there")
    says = "the engine's default bridge docker0 is gone, so images do not build"
    return _Said(State.BROKEN, says, "Restart the engine: systemctl restart docker")


def _tables(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001
    match facts.tables:
        case Tables.NONE:
            says = "the engine sets no iptables rules, so nothing keeps networks apart"
            fix = 'Remove "iptables": false from /etc/docker/daemon.json and restart the engine'
            return _Said(State.BROKEN, says, fix)
        case Tables.BOTH:
            says = "Docker's rules are in both flavours of iptables; the older ones may still drop"
            fix = "Choose one with update-alternatives --config iptables, then restart the machine"
            return _Said(State.NOTE, says, fix)
        case _:
            return _ok(f"the engine's rules are in iptables-{facts.tables}, and so are ours")


def _host_rule(facts: EngineFacts, worlds_stand: bool) -> _Said:  # noqa: FBT001
    if facts.protected:
        return _ok("the rule that keeps ranges off the engine's host is set")
    if not worlds_stand:
        return _ok("the rule that keeps ranges off the engine's host is set with every launch")
    says = "worlds stand and the rule that keeps them off the engine's host is gone"
    return _Said(State.BROKEN, says, "Launch any exercise: that sets it again")


def _bridges(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001
    if facts.bridges_filtered:
        return _ok("frames on bridges pass the firewall")
    says = "frames on bridges do not pass the firewall (bridge-nf-call-iptables is 0)"
    fix = "modprobe br_netfilter; sysctl -w net.bridge.bridge-nf-call-iptables=1"
    return _Said(State.NOTE, says, fix)


def _limits(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001
    missing = ", ".join(sorted(_LIMITS - facts.limits))
    if not missing:
        return _ok("memory, swap, processes and CPU of hosts are limited")
    says = f"the kernel lets the engine not limit: {missing}"
    fix = "Boot with cgroup_enable=memory swapaccount=1, or use cgroups v2"
    return _Said(State.BROKEN if missing != "swap" else State.NOTE, says, fix)


def _disk_limit(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001
    if facts.limits_disk:
        return _ok(f"disk space of hosts can be limited ({facts.storage})")
    says = f"disk space of hosts is not limited here ({facts.storage})"
    fix = "Give the engine's data an XFS file system of its own, mounted with pquota"
    return _Said(State.NOTE, says, fix)


def _space(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001
    says = told_of_space(facts.space)
    if facts.space.free >= _TIGHT:
        return _ok(says)
    state = State.BROKEN if is_full(facts.space) else State.NOTE
    return _Said(state, says, FREE_SPACE)


def _delay(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001
    if facts.delays:
        return _ok("links can be delayed")
    says = "the kernel cannot delay packets: delays of links are not enforced here"
    return _Said(State.NOTE, says, "modprobe sch_netem, or install the kernel's extra modules")


def _users(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001
    if not facts.seccomp:
        says = "the engine filters no system calls (seccomp is off)"
        return _Said(State.BROKEN, says, "Use a kernel with CONFIG_SECCOMP_FILTER")
    if facts.user_namespaces:
        return _ok("root in a host is nobody on the engine's machine")
    says = "root in a host is uid 0 of the engine's machine, less its capabilities"
    fix = 'Set "userns-remap": "default" in /etc/docker/daemon.json if nothing else needs it off'
    return _Said(State.NOTE, says, fix)


def _tcp(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001
    if not facts.open_without_tls:
        return _ok("the engine answers nobody over TCP without TLS")
    where = ", ".join(facts.open_without_tls)
    says = f"whoever reaches {where} is root there: the engine answers without TLS"
    return _Said(State.BROKEN, says, "Remove that tcp:// from the engine's hosts, or use TLS")


def _clock(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001
    skew = abs(facts.time - facts.at)
    says = f"the engine's clock and ours differ by {skew.total_seconds():.1f} s"
    if skew <= _SKEWED:
        return _ok(says)
    state = State.BROKEN if skew > _TOO_SKEWED else State.NOTE
    return _Said(state, says, "Run a time service (chrony, systemd-timesyncd) on both machines")


def _base(facts: EngineFacts, _: bool) -> _Said:  # noqa: FBT001
    if facts.base_architecture is None:
        says = f"the base image {BASE_IMAGE} is not on the engine"
        return _Said(State.NOTE, says, f"docker pull {BASE_IMAGE}, or ./dev setup")
    if facts.base_architecture != facts.architecture:
        says = f"{BASE_IMAGE} is for {facts.base_architecture}, the engine is {facts.architecture}"
        fix = f"docker pull --platform linux/{facts.architecture} {BASE_IMAGE}"
        return _Said(State.BROKEN, says, fix)
    return _ok(f"the base image {BASE_IMAGE} is there")


_LOOKS: dict[str, Callable[[EngineFacts, bool], _Said]] = {
    "engine": _engine,
    "engine: version": _version_of_engine,
    "engine: runc": _runc,
    "engine: names": _names,
    "engine: default bridge": _default_bridge,
    "engine: iptables": _tables,
    "engine: host rule": _host_rule,
    "engine: bridges": _bridges,
    "engine: limits": _limits,
    "engine: disk limit": _disk_limit,
    "engine: space": _space,
    "engine: delay": _delay,
    "engine: users": _users,
    "engine: TCP": _tcp,
    "engine: clock": _clock,
    "engine: base image": _base,
}


def _version(text: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with; nothing for one that has none."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in found[1].split(".")) if found else ()
