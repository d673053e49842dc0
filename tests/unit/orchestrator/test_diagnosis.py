"""Each known fault of an engine is one look, one sentence and one fix."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.domain.advisories import (
    ADVISORIES,
    FORWARDED_NAMES,
    Program,
    concerns,
    known_flaws,
)
from orchestrator.domain.diagnosis import Finding, State, diagnose
from orchestrator.domain.engine_facts import EngineFacts, Space, Tables
from tests.fakes.fake_engine import WELL

GIB = 1024**3


def found(facts: EngineFacts, *, worlds_stand: bool = False) -> dict[str, Finding]:
    return {finding.look: finding for finding in diagnose(facts, worlds_stand=worlds_stand)}


def test_an_engine_without_faults_has_none() -> None:
    assert {f.state for f in found(WELL).values()} == {State.OK}


FAULTS: list[tuple[dict[str, Any], str, State, str]] = [
    ({"api_version": "1.40"}, "engine", State.BROKEN, "1.41 is the oldest"),
    ({"runc": "1.1.11"}, "engine: runc", State.BROKEN, "CVE-2024-21626"),
    ({"runc": "v1.1.9-0-gccaecfcb"}, "engine: runc", State.BROKEN, "CVE-2024-21626"),
    ({"runc": "1.1.5+ds1-1+deb12u1"}, "engine: runc", State.NOTE, "cannot be told"),
    ({"runc": "1.1.12"}, "engine: runc", State.NOTE, "CVE-2025-31133"),
    ({"runc": "1.3.2"}, "engine: runc", State.NOTE, "CVE-2025-31133"),
    ({"runc": "1.2.7"}, "engine: runc", State.NOTE, "CVE-2025-52565"),
    ({"runc": "1.4.0-rc.2"}, "engine: runc", State.NOTE, "CVE-2025-52881"),
    ({"version": "20.10.8"}, "engine: version", State.NOTE, "CVE-2021-41091"),
    ({"version": "27.5.1"}, "engine: version", State.NOTE, "CVE-2025-54410"),
    ({"version": "20.10.24+dfsg1"}, "engine: version", State.NOTE, "a distribution's own"),
    ({"runc": ""}, "engine: runc", State.NOTE, "cannot be told"),
    ({"default_bridge": False}, "engine: default bridge", State.BROKEN, "docker0 is gone"),
    ({"tables": Tables.NONE}, "engine: iptables", State.BROKEN, "nothing keeps networks apart"),
    ({"tables": Tables.BOTH}, "engine: iptables", State.NOTE, "both flavours"),
    ({"bridges_filtered": False}, "engine: bridges", State.NOTE, "bridge-nf-call-iptables"),
    ({"limits": frozenset({"memory", "CPU"})}, "engine: limits", State.BROKEN, "processes, swap"),
    ({"limits": WELL.limits - {"swap"}}, "engine: limits", State.NOTE, "swap"),
    ({"limits_disk": False}, "engine: disk limit", State.NOTE, "is not limited here"),
    ({"space": Space(free=5 * GIB, total=100 * GIB)}, "engine: space", State.NOTE, "5.0 GiB free"),
    ({"space": Space(free=GIB, total=100 * GIB)}, "engine: space", State.BROKEN, "1.0 GiB free"),
    ({"space": Space(free=GIB, total=10 * GIB)}, "engine: space", State.NOTE, "1.0 GiB free"),
    ({"delays": False}, "engine: delay", State.NOTE, "not enforced here"),
    ({"user_namespaces": False}, "engine: users", State.NOTE, "uid 0"),
    ({"seccomp": False}, "engine: users", State.BROKEN, "seccomp"),
    ({"open_without_tls": ("192.0.2.1:2375",)}, "engine: TCP", State.BROKEN, "192.0.2.1:2375"),
    ({"time": WELL.at + timedelta(seconds=30)}, "engine: clock", State.NOTE, "30.0 s"),
    ({"time": WELL.at - timedelta(hours=1)}, "engine: clock", State.BROKEN, "3600.0 s"),
    ({"base_architecture": "arm64"}, "engine: base image", State.BROKEN, "is for arm64"),
    ({"base_architecture": None}, "engine: base image", State.NOTE, "is not on the engine"),
]


@pytest.mark.parametrize(("changed", "look", "state", "words"), FAULTS)
def test_a_fault_is_named_with_a_fix_and_nothing_else_is(
    changed: dict[str, Any], look: str, state: State, words: str
) -> None:
    bad = {name: f for name, f in found(replace(WELL, **changed)).items() if f.state != State.OK}
    assert list(bad) == [look]
    assert bad[look].state is state
    assert words in bad[look].says
    assert "\n" not in bad[look].says
    assert bad[look].fix


@pytest.mark.parametrize(
    ("program", "version", "cves"),
    [
        (Program.RUNC, "1.0.0-rc95", "21626 31133 52565 52881"),
        (Program.RUNC, "1.1.11", "21626 31133 52565 52881"),
        (Program.RUNC, "1.1.12", "31133 52565 52881"),
        (Program.RUNC, "1.1.15", "31133 52565 52881"),
        (Program.RUNC, "1.2.7", "31133 52565 52881"),
        (Program.RUNC, "1.2.8", ""),
        (Program.RUNC, "1.3.2", "31133 52565 52881"),
        (Program.RUNC, "1.3.3", ""),
        (Program.RUNC, "1.4.0-rc.2", "31133 52565 52881"),
        (Program.RUNC, "1.4.0-rc.3", ""),
        (Program.RUNC, "1.4.0", ""),
        (Program.RUNC, "2.0.0", ""),
        (Program.RUNC, "1.1.5+ds1-1+deb12u1", "21626 31133 52565 52881"),
        (Program.ENGINE, "20.10.8", "41091 54410"),
        (Program.ENGINE, "20.10.24+dfsg1", "54410"),
        (Program.ENGINE, "25.0.12", "54410"),
        (Program.ENGINE, "25.0.13", ""),
        (Program.ENGINE, "26.1.5", "54410"),
        (Program.ENGINE, "28.0.0", ""),
        (Program.ENGINE, "unknown", ""),
    ],
)
def test_a_version_is_known_for_what_it_does_not_mend(
    program: Program, version: str, cves: str
) -> None:
    found = [cve for flaw in known_flaws(program, version) for cve in flaw.cves]
    assert [cve.rpartition("-")[2] for cve in found] == cves.split()


def test_every_advisory_is_read() -> None:
    for advisory in (*ADVISORIES, FORWARDED_NAMES):
        assert concerns(advisory, "0.0.1")
        assert all(not concerns(advisory, version) for version in advisory.mended_in)


def test_every_look_has_a_fault_that_it_finds() -> None:
    looks = {look for _, look, _, _ in FAULTS} | {"engine: host rule", "engine: names"}
    assert looks == set(found(WELL))


def test_a_rule_that_is_gone_matters_while_worlds_stand() -> None:
    assert found(WELL)["engine: host rule"].state is State.OK
    gone = found(WELL, worlds_stand=True)["engine: host rule"]
    assert gone.state is State.BROKEN
    protected = found(replace(WELL, protected=True), worlds_stand=True)
    assert protected["engine: host rule"].state is State.OK


@pytest.mark.parametrize(
    ("version", "server", "told"),
    [
        ("20.10.24+dfsg1", "127.0.0.53", True),
        ("24.0.9", "127.0.0.53", True),
        ("25.0.4", "127.0.0.1", True),
        ("20.10.24", "192.0.2.53", False),
        ("23.0.11", "127.0.0.53", False),
        ("25.0.5", "127.0.0.53", False),
        ("28.5.0", "127.0.0.53", False),
    ],
)
def test_an_engine_that_forwards_names_is_told_of_and_no_fault(
    version: str, server: str, *, told: bool
) -> None:
    seen = found(replace(WELL, version=version, name_servers=(server,)))["engine: names"]
    assert seen.state is State.OK
    assert ("CVE-2024-29018" in seen.says) is told
