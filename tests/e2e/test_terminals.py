"""Terminals in Chromium: a trainee's own, the wall, a joined one, a recording."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import paramiko
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from orchestrator.gateway import inner_line
from tests.fakes.api_site import PASSWORD, api_site
from tests.fakes.gateway_stage import an_installation, eventually
from tests.fakes.patient_transport import PatientTransport
from tests.fakes.served import Door
from tests.fakes.session_book import recorded_session
from tests.fakes.terminal_site import TerminalSite, terminal_site

pytestmark = [pytest.mark.browser, pytest.mark.engine, pytest.mark.enable_socket]
expect.set_options(timeout=30_000)

OWNER = an_installation()
SCREEN = ".screen .xterm-rows"
STATUS = "#terminal-status"
MOST_BYTES_FIRST = 250_000
# What a host may print: a title, the clipboard, a link, a window that moves, and plain markup.
HOSTILE = (
    r"\033]0;owned\007\033]52;c;b3duZWQ=\007\033]8;;http://evil.test/\007click\033]8;;\007"
    r"\033[8;5;5t\033[?1003h<img src=x onerror=alert(1)><script>alert(2)</script>"
)

# A minute without anything, a smaller terminal, a marker, and a line that no player knows.
PAUSES = b"""\
{"version":2,"width":80,"height":24}
[0.5,"o","hello\\r\\n"]
[60.5,"o","later\\r\\n"]
[61,"r","40x10"]
["garbage"
[62,"m","the client left"]
"""

PageOf = Callable[[str], Page]


@pytest.fixture(scope="module")
def place(
    docker_client: docker.DockerClient,
    tmp_path_factory: pytest.TempPathFactory,
    doors: tuple[Door, ...],
) -> Iterator[TerminalSite]:
    with terminal_site(tmp_path_factory.mktemp("t"), installation=OWNER, doors=doors) as place:
        yield place


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let who asks the gateway wait as long as a busy machine takes."""
    monkeypatch.setattr(inner_line, "_ANSWER_SECONDS", 20)


@pytest.fixture
def page_of(browser: Browser, place: TerminalSite, complaints: list[str]) -> Iterator[PageOf]:
    """Return a page in which somebody is logged in; what the browser complains of is kept."""
    contexts: list[BrowserContext] = []

    def page_of(name: str) -> Page:
        url = place.site.url
        context = browser.new_context(base_url=url, permissions=["clipboard-read"])
        contexts.append(context)
        cookie = {"name": "poligon_session", "value": place.site.token(name), "url": url}
        context.add_cookies([cookie])  # type: ignore[list-item]  # a dictionary with these keys
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield page_of
    for context in contexts:
        context.close()
    for live in list(place.gateway.live):
        place_end(place, live.visit.id)


def place_end(place: TerminalSite, session: str) -> None:
    """End what a test left, so that the next one gets a shell of its own."""
    answer = place.site.web.post(
        f"/api/v1/exercises/{place.exercise.name}/terminals/{session}/end",
        json={"sentence": "over"},
        headers=place.site.bearer("ina"),
    )
    # One whose shell ended may have gone by itself meanwhile.
    assert answer.status_code in {204, 404}
    eventually(lambda: place.gateway.live.find(session) is None, what="an ended terminal")


def opened(page: Page, path: str = "/terminal") -> Page:
    page.goto(path)
    expect(page.locator(STATUS)).to_have_text("Connected to desk")
    expect(page.locator(SCREEN)).to_contain_text("$")
    return page


def type_line(page: Page, line: str) -> None:
    page.keyboard.type(f"{line}\n")


def kept(place: TerminalSite) -> bool:
    return all(live.kept_since for live in place.gateway.live)


def test_a_trainee_types_reloads_and_goes_on_over_ssh_and_back_in_the_browser(
    place: TerminalSite, page_of: PageOf, complaints: list[str]
) -> None:
    page = opened(page_of(place.trainee))
    type_line(page, "mark=wolf; echo first-$mark")
    expect(page.locator(SCREEN)).to_contain_text("first-wolf")
    page.reload()
    expect(page.locator(SCREEN)).to_contain_text("first-wolf")
    type_line(page, "echo reloaded-$mark")
    expect(page.locator(SCREEN)).to_contain_text("reloaded-wolf")
    page.close()
    eventually(lambda: kept(place), what="a kept shell")

    with paramiko.SSHClient() as ssh:
        ssh.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        ssh.connect(
            "127.0.0.1", place.gateway.port, place.trainee, PASSWORD, look_for_keys=False,
            transport_factory=PatientTransport,
        )  # fmt: skip
        shell = ssh.invoke_shell()
        shell.settimeout(60)
        shell.send(b"echo ssh-$mark\n")
        seen = b""
        while b"ssh-wolf" not in seen:
            seen += shell.recv(4096)
        assert b"reloaded-wolf" in seen
    eventually(lambda: kept(place), what="a kept shell")

    again = page_of(place.trainee)
    again.goto("/terminal")
    expect(again.locator(SCREEN)).to_contain_text("ssh-wolf")
    assert len(list(place.gateway.live)) == 1
    type_line(again, "exit")
    expect(again.locator(STATUS)).to_have_text("The shell ended")
    expect(again.get_by_role("button", name="Open a new shell")).to_be_focused()
    assert complaints == []


def test_the_first_load_is_light_and_the_screen_has_its_colours(
    place: TerminalSite, page_of: PageOf, complaints: list[str]
) -> None:
    page = page_of(place.trainee)
    requests: list[Request] = []
    page.on("requestfinished", lambda r: requests.append(r))  # noqa: PLW0108  # Playwright marks it
    opened(page)
    type_line(page, r"printf '\033[38;2;255;120;10mflame\033[0m \033[31mred\033[0m\n'")
    flame = page.locator(f"{SCREEN} span", has_text=re.compile("^flame$"))
    expect(flame).to_have_css("color", "rgb(255, 120, 10)")
    red = page.locator(f"{SCREEN} span", has_text=re.compile("^red$"))
    expect(red).to_have_css("color", "rgb(240, 133, 123)")
    size = sum(request.sizes()["responseBodySize"] for request in requests)
    assert 50_000 < size < MOST_BYTES_FIRST
    assert complaints == []


def test_every_page_with_a_terminal_fits_a_small_screen(
    place: TerminalSite, page_of: PageOf, complaints: list[str]
) -> None:
    trainee = opened(page_of(place.trainee))
    [live] = place.gateway.live
    recorded_session(place.site.services, place.exercise, "7k2m9x4c1q0a")
    here = f"/exercises/{place.exercise.name}"
    wall = f"{here}/terminals"
    staff = page_of("ina")
    pages = [(trainee, "/terminal")]
    paths = [wall, f"{wall}/{live.visit.id}", f"{here}/recordings", "/recordings/7k2m9x4c1q0a"]
    for page, path in [*pages, *((staff, path) for path in paths)]:
        page.set_viewport_size({"width": 320, "height": 800})
        page.goto(path)
        assert page.locator("h1").count() == 1
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 320, path
        unnamed = page.locator(":is(button, input, select):not([aria-label])").evaluate_all(
            "fields => fields.filter(f => !f.labels?.length && !f.textContent.trim()).length"
        )
        assert unnamed == 0, path
    assert complaints == []


def test_the_keyboard_leaves_the_terminal_and_its_size_follows_the_letters(
    place: TerminalSite, page_of: PageOf
) -> None:
    page = opened(page_of(place.trainee))
    page.keyboard.press("Control+Shift+L")
    back = page.get_by_role("button", name="Type here")
    expect(back).to_be_focused()
    page.get_by_role("button", name="Larger letters").click()
    page.get_by_role("button", name="Screen reader").click()
    expect(page.get_by_role("button", name="Screen reader")).to_have_attribute(
        "aria-pressed", "true"
    )
    back.click()
    type_line(page, "stty size; sleep 60")
    expect(page.locator(SCREEN)).to_contain_text(re.compile(r"\d+ \d+"))
    page.keyboard.press("Control+C")
    page.set_viewport_size({"width": 700, "height": 500})

    def is_narrower() -> bool:
        """Ask again, too: the page tells its new size a moment later, perhaps after the line."""
        type_line(page, "echo wide-$(tput cols 2>/dev/null || stty size | cut -d' ' -f2)-")
        page.wait_for_timeout(500)
        return bool(re.search(r"wide-[4-7]\d-", page.locator(SCREEN).inner_text()))

    eventually(is_narrower, what="the smaller size of the terminal")


def test_an_instructor_sees_a_terminal_on_the_wall_joins_it_and_ends_it(
    place: TerminalSite, page_of: PageOf, complaints: list[str]
) -> None:
    trainee = opened(page_of(place.trainee))
    [live] = place.gateway.live
    type_line(trainee, "echo on-the-$((40 + 2))")
    staff = page_of("ina")
    staff.goto(f"/exercises/{place.exercise.name}/terminals")
    card = staff.locator("#team-team-1 .watched")
    expect(card.locator(".xterm-rows")).to_contain_text("on-the-42")
    expect(card).to_contain_text("at work")
    card.get_by_role("link").click()
    expect(staff.locator(SCREEN)).to_contain_text("on-the-42")

    staff.locator(".screen").click()
    staff.keyboard.type("echo typed-by-a-watcher\n")
    staff.get_by_text("Join …").click()
    staff.get_by_label("Why").fill("to help")
    staff.get_by_role("button", name="Join and type").click()
    expect(trainee.locator(SCREEN)).to_contain_text("[ina has joined your terminal and can type]")
    expect(staff.locator(STATUS)).to_have_text("Connected to desk")
    type_line(staff, "echo guest-$((1 + 1))")
    for page in (trainee, staff):
        expect(page.locator(SCREEN)).to_contain_text("guest-2")
        expect(page.locator(SCREEN)).not_to_contain_text("typed-by-a-watcher")
    staff.get_by_role("link", name="Leave, and only watch").click()
    expect(trainee.locator(SCREEN)).to_contain_text("[ina has left your terminal]")

    staff.get_by_text("End …").click()
    staff.get_by_label("reads", exact=False).fill("Lunch <b>now</b>")
    staff.get_by_role("button", name="End the terminal").click()
    expect(trainee.locator(STATUS)).to_have_text("ina ended it: Lunch <b>now</b>")
    expect(staff.get_by_text("Nobody has a terminal open.")).to_be_visible()
    assert place.acts(live.visit.id) == [
        ("terminal.joined", "ina", "to help"),
        ("terminal.ended", "ina", "Lunch <b>now</b>"),
    ]
    assert complaints == []


def test_an_instructor_enters_a_teams_host_and_the_log_says_so(
    place: TerminalSite, page_of: PageOf, complaints: list[str]
) -> None:
    page = opened(page_of("ina"), f"/terminal?host={place.exercise.name}.team-1.desk")
    expect(page.locator(SCREEN)).to_contain_text("as staff")
    assert ("staff.entered", "ina", "") in place.acts("desk")
    refused = page_of(place.trainee)
    refused.goto("/terminal?host=team-1.desk")
    expect(refused.locator(STATUS)).to_contain_text("your role does not enter")
    assert complaints == []


def test_what_a_host_prints_reaches_no_further_than_the_watchers_screen(
    place: TerminalSite, page_of: PageOf, complaints: list[str]
) -> None:
    trainee = opened(page_of(place.trainee))
    type_line(trainee, f"clear; printf '{HOSTILE}'; echo; echo do-$((1 + 1))ne")
    staff = page_of("ina")
    [live] = place.gateway.live
    staff.goto(f"/exercises/{place.exercise.name}/terminals/{live.visit.id}")
    expect(staff.locator(SCREEN)).to_contain_text("do-2ne")
    expect(staff.locator(SCREEN)).to_contain_text("<img src=x onerror=alert(1)>")
    for page in (trainee, staff):
        assert "owned" not in page.title()
        assert page.locator(".screen :is(a, img, script, iframe)").count() == 0
        assert (
            page.locator(f"{SCREEN} :text('click')").first.evaluate(
                "(word) => getComputedStyle(word).textDecorationLine"
            )
            == "none"
        )
        page.locator(".screen").click()
        page.mouse.move(300, 300)
    staff.bring_to_front()
    assert "owned" not in staff.evaluate("() => navigator.clipboard.readText()")
    assert complaints == []


def test_a_terminal_ends_with_the_reason_when_the_exercise_is_paused(
    place: TerminalSite, page_of: PageOf
) -> None:
    page = opened(page_of(place.trainee))
    exercises = place.site.services.exercises
    exercises.pause(place.exercise.id)
    try:
        expect(page.locator(STATUS)).to_contain_text("paused")
        with page.expect_navigation():  # what is on the page until then says the same
            page.get_by_role("button", name="Open a new shell").click()
        expect(page.locator(STATUS)).to_contain_text("paused")
    finally:
        exercises.resume(place.exercise.id)
    page.get_by_role("button", name="Open a new shell").click()
    expect(page.locator(STATUS)).to_have_text("Connected to desk")


def test_a_recording_is_played_from_any_place_with_its_pauses_left_out(
    place: TerminalSite, page_of: PageOf, complaints: list[str]
) -> None:
    recorded_session(place.site.services, place.exercise, "pauses", cast=PAUSES)
    page = page_of("sara")
    page.goto(f"/exercises/{place.exercise.name}/recordings")
    page.locator("a[href='/recordings/pauses']").click()
    screen, status, time = (page.locator(s) for s in (SCREEN, "#player-status", "#time"))
    expect(status).to_contain_text("Space plays")
    expect(time).to_have_text("0:00 / 0:04")
    expect(screen).not_to_contain_text("hello")
    page.keyboard.press("End")
    expect(screen).to_contain_text("later")
    expect(screen.locator("> div")).to_have_count(10)
    expect(status).to_have_text("the client left")
    page.keyboard.press("Home")
    expect(screen).not_to_contain_text("hello")
    expect(screen.locator("> div")).to_have_count(24)
    page.get_by_label("skip pauses").uncheck()
    expect(time).to_have_text("0:00 / 1:02")
    page.get_by_label("Speed").select_option("16")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(screen).to_contain_text("later")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.locator(".jumps button").click()
    expect(screen).not_to_contain_text("later")
    assert complaints == []


def test_without_a_gateway_the_page_says_so_and_keeps_trying(
    browser: Browser, tmp_path: Path, doors: tuple[Door, ...]
) -> None:
    with api_site(tmp_path, doors=doors) as site:
        trainee = site.launch().teams[0].members[0].name
        context = browser.new_context(base_url=site.url)
        context.add_cookies(
            [{"name": "poligon_session", "value": site.token(trainee), "url": site.url}]
        )
        page = context.new_page()
        page.goto("/terminal")
        expect(page.locator(STATUS)).to_contain_text("no gateway answers")
        expect(page.locator(STATUS)).to_contain_text("Trying again")
        context.close()
