"""What generators make, read by the programs that investigators read it with."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.unit.core.scenario.generators.making import AT, START, make_one

TEXT = "HB{gone}\n" * 400  # several clusters, which nothing chains any more
KEPT = "kept\n" * 20_000


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
        files=({"name": "Plan des quais à jour.txt", "text": KEPT},),
    )
    path.write_bytes(made.content)
    return path


@pytest.fixture
def server(tmp_path: Path) -> Path:
    path = tmp_path / "server.img"
    made = make_one(
        "disk-image",
        filesystem="ext2",
        label="BOX",
        deleted=({"name": "transfer list.csv", "text": TEXT, "at": "2026-11-20T08:09:10Z"},),
        files=({"name": "Plan des quais à jour.txt", "text": KEPT},),
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


def test_file_knows_what_they_are(capture: Path, stick: Path, server: Path) -> None:
    assert "pcap capture file, microsecond" in run("file", "-b", capture)
    assert "FAT (16 bit)" in run("file", "-b", stick)
    assert "ext2 filesystem data" in run("file", "-b", server)


def test_a_stick_is_in_order(stick: Path) -> None:
    run("fsck.fat", "-n", stick)


def test_a_disk_of_a_server_is_in_order(server: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("E2FSCK_TIME", str(int(START.timestamp())))  # or it is of the future
    run("e2fsck", "-fn", server)


def test_debugfs_lists_the_deleted_inode_and_reads_it(server: Path) -> None:
    listed = run("debugfs", "-R", "lsdel", server)
    gone = re.search(rf"^ *(\d+) +0 100644 +{len(TEXT)} +4/ +4 ", listed, re.MULTILINE)
    assert gone is not None, listed
    assert f"<{gone[1]}> (28) transfer list.csv" in run("debugfs", "-R", "ls -d", server)
    assert run("debugfs", "-R", f"cat <{gone[1]}>", server) == TEXT
    kept = run("debugfs", "-R", 'cat "Plan des quais à jour.txt"', server)
    assert kept == KEPT


@pytest.mark.parametrize("kind", ["stick", "server"])
def test_sleuthkit_lists_the_deleted_file_and_reads_all_of_it(
    kind: str, request: pytest.FixtureRequest
) -> None:
    disk: Path = request.getfixturevalue(kind)
    listed = run("fls", "-r", "-p", disk)
    gone = re.search(r"r/r \* (\d+):\ttransfer list\.csv", listed)
    assert gone is not None, listed
    assert run("icat", disk, gone[1]) == TEXT
    kept = re.search(r"r/r (\d+):\tPlan des quais à jour\.txt", listed)
    assert kept is not None, listed
    assert run("icat", disk, kept[1]) == KEPT
    assert re.search(
        r"(Written|File Modified):\s+2026-11-20 08:09:10 \(UTC\)",
        run("istat", "-z", "UTC", disk, gone[1]),
    )
