"""`web-access`: a web server's access log with a scan and an upload, in combined format."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from operator import itemgetter

from pydantic import Field

from core.scenario.generators.dice import Dice
from core.scenario.generators.parameters import (
    Address,
    LogParameters,
    OfficeParameters,
    Span,
    UrlPath,
    When,
)
from core.scenario.generators.scene import Generator, Made, Scene
from core.scenario.generators.story_time import AMOUNT, month, round_the_clock, working_times

_Entry = tuple[datetime, str]
_PAGES = ("/", "/index.html", "/news", "/contact", "/about", "/forms/request.pdf", "/opening-hours")
_PARTS = ("/style.css", "/logo.png", "/favicon.ico", "/script.js")
_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0",
)
_ROBOT = "Mozilla/5.0 (compatible; indexbot/2.1; +https://search.example/bot)"
_TOOL = "Mozilla/5.0 (compatible; dirprobe/1.4)"
_CLIENT = "curl/7.88.1"
_WORDS = ("admin", "backup", "old", "test", "db", "api", "login", "private", "config", "upload")
_ENDINGS = ("", "/", ".php", ".bak", ".zip", ".sql", ".old", ".txt")
_ORDERS = ("id", "uname+-a", "ls+-la", "cat+/etc/passwd", "ps+aux", "ls+/home", "w")


class WebAccess(OfficeParameters, LogParameters):
    """Parameters of `web-access`."""

    at: When = Field(description="when the upload comes")
    from_: Address | None = Field(
        default=None, alias="from", description="where it comes from; else the office's attacker"
    )
    scans: int = Field(
        default=180, ge=0, le=20_000, description="how many pages are asked for in vain before it"
    )
    upload: UrlPath = Field(default="/upload.php", description="what takes the upload")
    shell: UrlPath = Field(
        default="/uploads/avatar.php", description="what was uploaded, and then obeys"
    )
    orders: int = Field(default=6, ge=0, le=1000, description="how often it is used after that")
    since: Span = Field(
        default=timedelta(days=1), description="how long before `at` the log begins"
    )


def make(given: WebAccess, scene: Scene) -> Iterator[Made]:
    """Yield the log."""
    since, until = scene.window(given.at, before=given.since, ends=given.until)
    entries = [*_story(given, scene.dice, given.from_ or scene.office.attacker)]
    entries += _noise(given, scene, min(since, entries[0][0]), until)
    kept = sorted((entry for entry in entries if entry[0] <= until), key=itemgetter(0))
    yield Made(content="".join(text for _, text in kept).encode(), mtime=kept[-1][0])


def _line(
    at: datetime,
    source: IPv4Address,
    asked: str,
    result: tuple[int, int],
    agent: str,
    via: str = "-",
) -> _Entry:
    stamp = f"{at.day:02d}/{month(at)}/{at:%Y:%H:%M:%S} +0000"
    status, size = result
    return at, f'{source} - - [{stamp}] "{asked} HTTP/1.1" {status} {size} "{via}" "{agent}"\n'


def _story(given: WebAccess, dice: Dice, source: IPv4Address) -> Iterator[_Entry]:
    at = given.at - dice.seconds(120, 600) - timedelta(seconds=given.scans // 4)
    for number in range(given.scans):
        path = f"/{dice.pick(_WORDS)}{dice.pick(('', '-1', '_2024', '.d'))}{dice.pick(_ENDINGS)}"
        moment = at + timedelta(seconds=number // 4)
        yield _line(moment, source, f"GET {path}", (404, 196), _TOOL)
    form = given.at - dice.seconds(20, 100)
    yield _line(form, source, f"GET {given.upload}", (200, dice.between(900, 1400)), _BROWSERS[0])
    yield _line(given.at, source, f"POST {given.upload}", (200, 312), _BROWSERS[0])
    at = given.at
    for _ in range(given.orders):
        at += dice.seconds(4, 90)
        order = f"GET {given.shell}?c={dice.pick(_ORDERS)}"
        yield _line(at, source, order, (200, dice.between(60, 2400)), _CLIENT)


def _noise(given: WebAccess, scene: Scene, since: datetime, until: datetime) -> Iterator[_Entry]:
    dice, amount = scene.dice, AMOUNT[given.noise]
    site = f"https://www.{scene.office.domain}/"
    for at in working_times(dice, since, until, a_day=25 * amount):
        yield from _visit(dice, dice.pick(scene.office.visitors), at, site)
    for at in round_the_clock(dice, since, until, a_day=6 * amount):
        robot = scene.office.visitors[0]
        yield _line(at, robot, f"GET {dice.pick(_PAGES)}", (200, dice.between(800, 9000)), _ROBOT)
    for at in round_the_clock(dice, since, until, a_day=5 * amount):
        stranger = dice.pick(scene.office.scanners)
        yield _line(at, stranger, f"GET /{dice.pick(_WORDS)}.php", (404, 196), "-")


def _visit(dice: Dice, source: IPv4Address, at: datetime, site: str) -> Iterator[_Entry]:
    browser = dice.pick(_BROWSERS)
    via = "-"
    for _ in range(dice.between(1, 4)):
        page = dice.pick(_PAGES)
        yield _line(at, source, f"GET {page}", (200, dice.between(800, 9000)), browser, via)
        via = site.rstrip("/") + page
        part, result = dice.pick(_PARTS), dice.pick(((200, 5120), (304, 0)))
        yield _line(at, source, f"GET {part}", result, browser, via)
        at += dice.seconds(3, 120)


GENERATOR = Generator(
    summary="access log of a web server: a scan, an upload, and what was uploaded in use",
    example="{to: /var/log/apache2/access.log, generate: web-access,"
    ' with: {at: "{{ values.intrusion }}", upload: /forms/upload.php}}',
    parameters=WebAccess,
    make=make,
)
