"""Which routes of the engine's host take addresses away from ranges."""

import subprocess
from ipaddress import IPv4Network
from pathlib import Path

from orchestrator.engine.commands import OUTPUT_BYTES
from orchestrator.engine.routes import TELL_ROUTES, routed

TABLES = """\
default via 10.0.0.1 dev eth0
0.0.0.0/1 dev tun0 scope link
128.0.0.0/1 dev tun0 scope link
10.8.0.0/16 dev tun0 proto kernel scope link src 10.8.0.1
10.8.0.0/16 via 10.0.0.9 dev eth0 table 77
unreachable 10.7.0.0/24
unreachable default dev lo table unspec
local 10.9.9.9 dev lo table local proto kernel scope host src 10.9.9.9
broadcast 10.8.255.255 dev tun0 table local proto kernel scope link src 10.8.0.1
multicast 224.0.0.0/4 dev eth0 table local
"""


def told(tmp_path: Path, tables: str, *, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Let the shell tell what an `ip` of ours prints."""
    ip = tmp_path / "ip"
    ip.write_text(f"#!/bin/sh\ncat <<'END'\n{tables}END\nexit {code}\n")
    ip.chmod(0o755)
    return subprocess.run(
        ["sh", "-c", TELL_ROUTES],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_destinations_count_once_and_ways_to_everywhere_do_not(tmp_path: Path) -> None:
    assert list(routed(told(tmp_path, TABLES).stdout)) == [
        IPv4Network("10.8.0.0/16"),
        IPv4Network("10.7.0.0/24"),
        IPv4Network("10.9.9.9/32"),
    ]


def test_what_else_is_told_beside_routes_is_left_alone() -> None:
    assert list(routed("space 1 2\nroute 10.8.0.0/16\n")) == [IPv4Network("10.8.0.0/16")]


def test_a_thousand_networks_are_told_in_less_than_what_a_run_keeps(tmp_path: Path) -> None:
    names = [f"10.{n // 256}.{n % 256}" for n in range(1000)]
    tables = "".join(
        f"{name}.0/28 dev pg0000{n:08x} proto kernel scope link src {name}.1\n"
        f"local {name}.1 dev pg0000{n:08x} table local proto kernel scope host src {name}.1\n"
        f"broadcast {name}.15 dev pg0000{n:08x} table local proto kernel scope link src {name}.1\n"
        for n, name in enumerate(names)
    )
    printed = told(tmp_path, tables).stdout
    assert len(list(routed(printed))) == 2000
    assert len(printed) < OUTPUT_BYTES


def test_routes_that_cannot_be_read_are_no_empty_list(tmp_path: Path) -> None:
    assert told(tmp_path, TABLES, code=1).returncode == 1
