"""What generators make, read by the programs that investigators read it with."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.unit.core.scenario.generators.making import AT, make_one

TEXT = "HB{gone}\n" * 400  # several clusters, which nothing chains any more


def run(*command: str | Path) -> str:
    """Return what a command prints; it must end well."""
    ended = subprocess.run(command, capture_output=True, check=True, timeout=30)
    return ended.stdout.decode()


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "edge.pcap"
    made = make_one("beacon-capture", server="203.0.113.99", port=4444, period="45s", noise="high")
    path.write_bytes(made.content)
    return path


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    path = tmp_path / "stick.img"
    made = make_one(
        "disk-image",
        deleted=({"name": "transfer list.csv", "text": TEXT, "at": "2026-11-20T08:09:10Z"},),
        files=({"name": "Plan des quais à jour.txt", "text": "kept\n" * 300},),
    )
    path.write_bytes(made.content)
    return path


def test_tcpdump_reads_a_capture_and_finds_no_wrong_checksum(capture: Path) -> None:
    seen = run("tcpdump", "-nn", "-vv", "-r", capture)
    assert "(correct)" in seen
    assert "[udp sum ok]" in seen
    assert not re.search(r"incorrect|\bbad |truncated|invalid", seen)


def test_tcpdump_finds_the_beacon(capture: Path) -> None:
    opening = "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn and dst host 203.0.113.99"
    calls = run("tcpdump", "-nn", "-tt", "-r", capture, opening).splitlines()
    assert len(calls) > 60
    assert calls[0].split()[0] == f"{AT.timestamp():.6f}"
    assert all("203.0.113.99.4444:" in call for call in calls)


def test_file_knows_what_they_are(capture: Path, stick: Path) -> None:
    assert "pcap capture file, microsecond" in run("file", "-b", capture)
    assert "FAT (16 bit)" in run("file", "-b", stick)


def test_a_disk_is_in_order(stick: Path) -> None:
    run("fsck.fat", "-n", stick)


def test_sleuthkit_lists_the_deleted_file_and_reads_all_of_it(stick: Path) -> None:
    listed = run("fls", "-r", "-p", stick)
    gone = re.search(r"r/r \* (\d+):\ttransfer list\.csv", listed)
    assert gone is not None, listed
    assert run("icat", stick, gone[1]) == TEXT
    kept = re.search(r"r/r (\d+):\tPlan des quais à jour\.txt", listed)
    assert kept is not None, listed
    assert run("icat", stick, kept[1]) == "kept\n" * 300
    assert re.search(
        r"Written:\s+2026-11-20 08:09:10 \(UTC\)", run("istat", "-z", "UTC", stick, gone[1])
    )
