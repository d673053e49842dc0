import re
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.scenario.generators.scene import Made
from tests.unit.core.scenario.generators.making import AT, START, make_one

COMBINED = re.compile(
    r'(?P<source>\S+) - - \[(?P<at>[^]]+)\] "(?P<verb>GET|POST) (?P<path>\S+) HTTP/1\.1"'
    r' (?P<status>\d{3}) \d+ "[^"]*" "[^"]+"'
)


def entries(made: Made) -> list[tuple[datetime, re.Match[str]]]:
    """Read a log; a line that is not in combined format fails the test."""
    found = []
    for line in made.content.decode().splitlines():
        match = COMBINED.fullmatch(line)
        assert match is not None, line
        found.append((datetime.strptime(match["at"], "%d/%b/%Y:%H:%M:%S %z"), match))
    return found


@settings(max_examples=20)
@given(st.integers(0, 400), st.integers(0, 30), st.binary())
def test_a_scan_an_upload_and_its_use_come_in_this_order(
    scans: int, orders: int, key: bytes
) -> None:
    log = entries(make_one("web-access", scans=scans, orders=orders, key=key))
    (upload,) = [(at, m) for at, m in log if m["verb"] == "POST"]
    assert upload[0] == AT
    mine = [(at, m) for at, m in log if m["source"] == upload[1]["source"]]
    scanned = [at for at, m in mine if m["status"] == "404"]
    used = [at for at, m in mine if m["path"].startswith("/uploads/avatar.php?c=")]
    assert len(scanned) == scans
    assert len(used) == orders
    assert all(at < AT for at in scanned)
    assert all(at > AT for at in used)
    times = [at for at, _ in log]
    assert times == sorted(times)
    assert times[-1] <= START


def test_it_is_dated_by_its_last_line_and_names_what_the_author_says() -> None:
    made = make_one("web-access", from_="192.0.2.9", upload="/in.cgi", shell="/f/x.cgi")
    log = entries(made)
    assert made.mtime == log[-1][0]
    asked = {m["path"].split("?")[0] for _, m in log if m["source"] == "192.0.2.9"}
    assert {"/in.cgi", "/f/x.cgi"} <= asked


def test_what_was_uploaded_is_told_what_the_author_says_at_known_times() -> None:
    commands = ["id", "cat /etc/passwd", "a&b"]
    log = entries(make_one("web-access", commands=commands, pause="1m30s", orders=9))
    used = [(at, m["path"]) for at, m in log if "?c=" in m["path"]]
    assert used == [
        (AT + (number + 1) * timedelta(seconds=90), f"/uploads/avatar.php?c={told}")
        for number, told in enumerate(("id", "cat+/etc/passwd", "a%26b"))
    ]


def test_visitors_are_not_the_attacker() -> None:
    log = entries(make_one("web-access", scans=0, noise="high"))
    attacker = next(m["source"] for _, m in log if m["verb"] == "POST")
    assert {m["path"] for _, m in log if m["source"] == attacker} <= {
        "/upload.php",
        *(m["path"] for _, m in log if m["path"].startswith("/uploads/")),
    }
    assert len({m["source"] for _, m in log}) > 50
