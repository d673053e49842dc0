"""The pages in Chromium, as the people of an exercise use them."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from orchestrator.domain.exercise import Exercise, Problem
from orchestrator.domain.phases import Phase
from tests.fakes.api_site import KEY, PASSWORD, ApiSite, api_site
from tests.fakes.served import Door

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)

PageOf = Callable[..., Page]


@pytest.fixture
def site(tmp_path: Path, doors: tuple[Door, ...]) -> Iterator[ApiSite]:
    with api_site(tmp_path, doors=doors) as site:
        yield site


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page_of(browser: Browser, site: ApiSite, complaints: list[str]) -> Iterator[PageOf]:
    """Return a page in which somebody is logged in; what the browser complains of is kept."""
    contexts: list[BrowserContext] = []

    def page_of(name: str = "", **options: object) -> Page:
        context = browser.new_context(base_url=site.url, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(30_000)
        if name:
            context.add_cookies(
                [{"name": "poligon_session", "value": site.token(name), "url": site.url}]
            )
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda r: None if r.url.startswith(site.url) else complaints.append(r.url),
        )
        return page

    yield page_of
    for context in contexts:
        context.close()


def trainee_of(exercise: Exercise, number: int = 1) -> str:
    return exercise.teams[number - 1].members[0].name


def expect_state(page: Page, place: str, state: str) -> None:
    """Wait until a place shows a state: whether a click waits for the page after it is not sure."""
    expect(page.locator(f"{place} .state").first).to_have_text(state)


# Every page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_every_page_fits_and_the_browser_has_nothing_to_complain_of(
    site: ApiSite, page_of: PageOf, complaints: list[str], width: int, scheme: str
) -> None:
    exercise = site.launch()
    here = f"/exercises/{exercise.name}"
    look: dict[str, object] = {
        "viewport": {"width": width, "height": 800},
        "color_scheme": scheme,
    }
    seen = [("", "/login"), ("ina", "/exercises"), ("ina", here), ("sara", here)]
    public = site.services.public_boards.open(exercise, anonymous=True)
    thief = site.answer_of(exercise, "team-1", "thief")
    site.services.scoring.answer(
        *(exercise, exercise.teams[0], exercise.teams[0].members[0].user),
        task="who",
        value=thief,
        client_key="first",
    )
    seen += [
        ("ina", f"{here}/board"),
        ("", f"/board/{public.token}"),
        ("sara", f"{here}/criterion"),
    ]
    for name, path in [
        *seen,
        (trainee_of(exercise), here),
        (trainee_of(exercise), f"{here}/board"),
    ]:
        page = page_of(name, **look)
        page.goto(path)
        assert page.locator("h1").count() == 1
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, path
        unlabelled = page.evaluate(
            "() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea')]"
            ".filter(field => !field.labels.length).map(field => field.name)"
        )
        assert unlabelled == []
        assert page.locator("table:not(:has(caption))").count() == 0
    assert complaints == []


def test_a_board_in_the_room_follows_by_itself(
    site: ApiSite, page_of: PageOf, complaints: list[str]
) -> None:
    exercise = site.launch()
    page = page_of()
    page.goto(f"/board/{site.services.public_boards.open(exercise, anonymous=False).token}")
    row = page.get_by_role("row", name="Team 2").first
    expect(row).not_to_contain_text("★")
    team = exercise.teams[1]
    site.services.scoring.answer(
        *(exercise, team, team.members[0].user),
        task="who",
        value=site.answer_of(exercise, "team-2", "thief"),
        client_key="first",
    )
    # Before the page would ask by itself.
    expect(row).to_contain_text("★", timeout=25_000)
    assert complaints == []


def test_a_page_weighs_little_and_asks_nobody_else(
    site: ApiSite, page_of: PageOf, complaints: list[str]
) -> None:
    exercise = site.launch()
    answers: list[Response] = []
    page = page_of(trainee_of(exercise))
    page.on("response", lambda a: answers.append(a))  # noqa: PLW0108  # Playwright marks it
    page.goto(f"/exercises/{exercise.name}")
    page.wait_for_load_state("networkidle")
    # A page that takes long to load has asked for itself again by now, as it does every 4 s.
    loaded = [answer for answer in answers if answer.request.resource_type != "fetch"]
    assert len(loaded) <= 12
    assert sum(len(answer.body()) for answer in loaded) < 80_000
    assert complaints == []


# A trainee


def test_a_trainee_logs_in_with_the_keyboard_and_solves_a_task(
    site: ApiSite, page_of: PageOf, complaints: list[str]
) -> None:
    exercise = site.launch()
    page = page_of()
    page.goto("/")
    page.keyboard.type(trainee_of(exercise))
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/exercises/{exercise.name}")
    expect(page.locator("h1")).to_have_text("The house")
    page.locator("#value-who").focus()
    page.keyboard.type(site.answer_of(exercise, "team-1", "thief"))
    page.keyboard.press("Enter")
    page.wait_for_url("**#task-who")
    expect_state(page, "#task-who", "done")
    expect(page.locator("#facts")).to_contain_text("20 of 39 points")
    expect(page.locator("#value-who")).to_have_count(0)
    expect(page.locator("#task-kept")).to_contain_text("it takes 2 points when it is lost")
    assert complaints == []


def test_a_wrong_answer_stays_in_its_field_with_what_was_said(
    site: ApiSite, page_of: PageOf
) -> None:
    exercise = site.launch()
    page = page_of(trainee_of(exercise))
    page.goto(f"/exercises/{exercise.name}")
    page.fill("#value-who", "the butler")
    page.click("#task-who form[action$='answers'] button")
    expect(page.locator("#told-who")).to_have_text("Not right yet.")
    field = page.locator("#value-who")
    expect(field).to_have_value("the butler")
    expect(field).to_have_attribute("aria-describedby", "told-who")
    expect(field).to_be_focused()
    expect(page.locator("#task-who")).to_contain_text("2 attempts left")
    page.reload()
    expect(page.locator("#task-who")).to_contain_text("2 attempts left")


def test_a_choice_is_made_with_the_keyboard_and_a_wrong_one_stays_made(
    site: ApiSite, page_of: PageOf, complaints: list[str]
) -> None:
    exercise = site.launch()
    page = page_of(trainee_of(exercise))
    page.goto(f"/exercises/{exercise.name}")
    way = page.get_by_role("group", name="Answer")
    expect(way.get_by_role("radio")).to_have_count(2)
    expect(way.get_by_label("By a window of Team 1")).to_be_visible()
    way.get_by_label("By the door").check()
    page.keyboard.press("Enter")
    expect(page.locator("#told-way")).to_have_text("Not right yet.")
    expect(way.get_by_label("By the door")).to_be_checked()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**#task-way")
    expect_state(page, "#task-way", "done")
    assert complaints == []


def test_a_hint_tells_its_cost_before_and_the_instructor_who_took_it(
    site: ApiSite, page_of: PageOf, complaints: list[str]
) -> None:
    exercise = site.launch()
    trainee = trainee_of(exercise)
    page = page_of(trainee)
    page.goto(f"/exercises/{exercise.name}")
    hints = page.locator("#hints-who")
    expect(hints).to_contain_text("Hint 2 can be had from 0:20:00 on.")
    hints.locator("summary").click()
    expect(hints).to_contain_text("It costs 3 points of this task")
    expect(hints).not_to_contain_text("Look in the log")
    page.click("button:has-text('Show hint 1')")
    page.wait_for_url("**#task-who")
    expect(hints).to_contain_text("Look in the log, Team 1.")
    expect(hints).to_contain_text(f"taken by {trainee}")
    page.fill("#value-who", site.answer_of(exercise, "team-1", "thief"))
    page.click("#task-who form[action$='answers'] button")
    expect(page.locator("#facts")).to_contain_text("17 of 39 points")
    desk = page_of("ina")
    desk.goto(f"/exercises/{exercise.name}")
    expect(desk.locator("#hints tbody")).to_contain_text("1 of who")
    expect(desk.locator("#hints tbody")).to_contain_text(trainee)
    expect(desk.locator("#events")).to_contain_text("hint.taken")
    assert complaints == []


def test_an_answer_in_a_pause_is_kept_and_told_why(site: ApiSite, page_of: PageOf) -> None:
    exercise = site.launch()
    page = page_of(trainee_of(exercise))
    page.goto(f"/exercises/{exercise.name}")
    site.services.exercises.pause(exercise.id)
    page.fill("#value-who", "the butler")
    page.click("#task-who form[action$='answers'] button")
    expect(page.locator("#told-who")).to_contain_text("The exercise is paused")
    expect(page.locator("#value-who")).to_have_value("the butler")


def test_everything_of_a_trainee_works_without_scripts(site: ApiSite, page_of: PageOf) -> None:
    exercise = site.launch()
    page = page_of(trainee_of(exercise), java_script_enabled=False)
    page.goto("/")
    page.fill("#value-mark", site.answer_of(exercise, "team-1", "mark"))
    page.click("#task-mark button")
    expect_state(page, "#task-mark", "done")
    page.click("summary:has-text('Log in with an SSH key')")
    page.fill("#public_key", KEY)
    page.click("button:has-text('Add the key')")
    expect(page.locator("code:has-text('SHA256:')")).to_be_visible()
    expect(page.locator("pre").first).to_have_text(f"ssh -p 2222 {trainee_of(exercise)}@range.test")
    page.click("text=Log out")
    page.wait_for_url("**/login")
    page.goto("/exercises")
    assert "/login" in page.url


# An instructor


def test_an_instructor_launches_runs_and_removes_an_exercise(
    site: ApiSite, page_of: PageOf, complaints: list[str]
) -> None:
    page = page_of("ina")
    page.goto("/exercises")
    expect(page.locator("text=torn cannot be launched")).to_be_visible()
    page.fill("#teams", "2")
    page.click("button:has-text('Launch')")
    expect_state(page, "#facts", "provisioning")
    site.work()
    page.reload()
    for button, phase in (("Start", "running"), ("Pause", "paused"), ("Resume", "running")):
        with page.expect_navigation():  # what the page finds until then says the same
            page.click(f"#moves button:text-is('{button}')")
        expect(page.locator("#facts .state")).to_have_text(phase)
    for opener, button, phase in (
        ("End …", "End the exercise", "ended"),
        ("Destroy …", "Remove all machines", "closed"),
    ):
        page.click(f"summary:has-text('{opener}')")
        with page.expect_navigation():
            page.click(f"button:has-text('{button}')")
        expect(page.locator("#facts .state")).to_have_text(phase)
    assert complaints == []


def test_a_page_that_is_behind_says_so_instead_of_doing_harm(
    site: ApiSite, page_of: PageOf
) -> None:
    exercise = site.launch(started=False)
    page = page_of("ina", java_script_enabled=False)
    page.goto(f"/exercises/{exercise.name}")
    site.services.exercises.start(exercise.id)
    page.click("#moves button:text-is('Start')")
    expect(page.locator("[role=alert]")).to_contain_text("The exercise is running")
    expect(page.locator("#moves")).to_contain_text("Pause")


def test_a_degraded_team_shows_the_probe_and_the_next_command(
    site: ApiSite, page_of: PageOf
) -> None:
    site.engine.answer(["true"], exit_code=1, output="no such door")
    exercise = site.launch(started=False)
    problem = exercise.teams[0].problem
    assert isinstance(problem, Problem)
    page = page_of("ina")
    page.goto(f"/exercises/{exercise.name}")
    teams = page.locator("#teams")
    expect(teams).to_contain_text("no such door")
    expect(teams).to_contain_text(problem.next_command)
    expect(page.locator("#moves")).to_contain_text("Retry what failed")
    trainee = page_of(trainee_of(exercise))
    trainee.goto(f"/exercises/{exercise.name}")
    assert "no such door" not in trainee.content()


def test_one_team_is_paused_and_given_more_time(site: ApiSite, page_of: PageOf) -> None:
    exercise = site.launch()
    page = page_of("ina")
    page.goto(f"/exercises/{exercise.name}")
    with page.expect_navigation():  # or what is filled in below goes with this page
        page.click("#teams button:has-text('Pause Team 2')")
    second = page.locator("#teams tr:has(th:text-is('Team 2'))")
    expect(second).to_contain_text("paused")
    trainee = page_of(trainee_of(exercise, 2))
    trainee.goto(f"/exercises/{exercise.name}")
    expect(trainee.locator("#because")).to_contain_text("Your team is paused")
    page.fill("#minutes", "15")
    page.select_option("#extend-team", "team-2")
    page.fill("#extend-reason", "the lights went out")
    page.click("button:text-is('Add')")
    expect(second).to_contain_text("of 1:15:00")
    page.click("#teams button:has-text('Resume Team 2')")
    expect(second).not_to_contain_text("paused")
    events = page.locator("#events tbody tr")
    expect(events.nth(0)).to_contain_text("team.resumed")
    expect(events.nth(1)).to_contain_text("the lights went out")


def test_a_machine_is_made_anew_by_the_instructor_and_by_its_team(
    site: ApiSite, page_of: PageOf
) -> None:
    exercise = site.launch()
    page = page_of("ina")
    page.goto(f"/exercises/{exercise.name}")
    page.click("summary:has-text('Reset a machine')")
    page.select_option("#reset-team", "team-2")
    page.select_option("#reset-host", "desk")
    page.click("button:has-text('Reset it')")
    second = page.locator("#teams tr:has(th:text-is('Team 2'))")
    expect(second).to_contain_text("degraded")
    site.work()
    expect(second).to_contain_text("ready")
    expect(page.locator("#events tbody tr", has_text="world.reset")).to_contain_text("ina")
    trainee = page_of(trainee_of(exercise, 1))
    trainee.goto(f"/exercises/{exercise.name}")
    trainee.click("summary:has-text('Reset')")
    trainee.click("button:has-text('Reset')")
    first = page.locator("#teams tr:has(th:text-is('Team 1'))")
    expect(first).to_contain_text("degraded")
    site.work()
    expect(first).to_contain_text("ready")


def test_the_login_sheet_is_for_print_and_its_logins_work(site: ApiSite, page_of: PageOf) -> None:
    exercise = site.launch()
    page = page_of("ina")
    page.goto(f"/exercises/{exercise.name}")
    page.click("summary:has-text('New logins')")
    page.click("button:has-text('Make the login sheet')")
    cards = page.locator(".sheet .card")
    expect(cards).to_have_count(2)
    name, password = (cards.first.locator("code").nth(n).inner_text() for n in (0, 1))
    page.emulate_media(media="print")
    assert not page.locator(".top").is_visible()
    trainee = page_of()
    trainee.goto("/login")
    trainee.fill("#name", name)
    trainee.fill("#password", password)
    trainee.click("button:has-text('Log in')")
    trainee.wait_for_url(f"**/exercises/{exercise.name}")


def test_staff_see_the_board_and_take_the_record(site: ApiSite, page_of: PageOf) -> None:
    exercise = site.launch()
    page = page_of("sara")
    page.goto(f"/exercises/{exercise.name}")
    expect(page.locator("#board tbody tr")).to_have_count(2)
    assert page.locator("button:has-text('Pause')").count() == 0
    with page.expect_download() as taken:
        page.click("a:has-text('CSV')")
    assert re.fullmatch(r"house-\w+-record\.csv", taken.value.suggested_filename)


# Live


def test_a_page_follows_what_happens_without_being_touched(
    site: ApiSite, page_of: PageOf, complaints: list[str]
) -> None:
    exercise = site.launch(started=False)
    page = page_of(trainee_of(exercise))
    page.goto(f"/exercises/{exercise.name}")
    expect(page.locator("#because")).to_contain_text("has not started yet")
    page.fill("#value-who", "half an ans")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(site.services.exercises.start, exercise.id).result()
    expect(page.locator("#facts .state")).to_have_text("running")
    expect(page.locator("#because")).to_have_text("")
    expect(page.locator("#value-who")).to_have_value("half an ans")
    assert complaints == []


def test_after_the_end_a_trainee_is_offered_what_is_left_and_nothing_that_is_refused(
    site: ApiSite, page_of: PageOf, complaints: list[str]
) -> None:
    exercise = site.launch()
    page = page_of(trainee_of(exercise))
    page.goto(f"/exercises/{exercise.name}")
    expect(page.locator("main form").first).to_be_visible()
    expect(page.locator("#machines")).to_be_visible()
    expect(page.locator("#after")).to_be_hidden()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(site.services.exercises.end, exercise.id).result()
    expect(page.locator("#after")).to_contain_text("What did you learn?")
    page.reload()
    expect(page.locator("#because")).to_contain_text("The exercise has ended.")
    expect(page.locator("main form")).to_have_count(0)
    expect(page.locator("#machines")).to_have_count(0)
    expect(page.locator("#hints-who")).not_to_contain_text("can be had")
    assert complaints == []


def test_a_page_that_loses_its_server_says_since_when_and_keeps_what_it_shows(
    site: ApiSite, page_of: PageOf
) -> None:
    exercise = site.launch()
    page = page_of(trainee_of(exercise))
    page.goto(f"/exercises/{exercise.name}")
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_contain_text("Offline since")
    expect_state(page, "#facts", Phase.RUNNING)
    page.context.set_offline(False)
    expect(page.locator("#connection")).to_have_text("Online again")


# Injects


def test_a_message_comes_by_itself_and_a_reply_that_is_being_written_stays(
    site: ApiSite, page_of: PageOf, complaints: list[str]
) -> None:
    exercise = site.launch()
    page = page_of(trainee_of(exercise))
    page.goto(f"/exercises/{exercise.name}")
    expect(page.locator("#messages")).to_contain_text("None yet.")
    site.services.injects.fire(exercise.id, "call", team="team-1")
    expect(page.locator("#messages")).to_contain_text("What do I tell my insurance, Team 1?")
    reply = page.get_by_label("Reply to The owner")
    reply.fill("Half a sen")
    page.locator("h1").click()
    with page.expect_response(re.compile(exercise.name)):
        pass  # the page looks for news
    expect(reply).to_have_value("Half a sen")
    reply.fill("Nothing is stolen.")
    page.get_by_role("button", name="Send the reply").click()
    expect(page.locator("#messages")).to_contain_text("Nothing is stolen.")
    assert complaints == []


def test_an_instructor_holds_fires_and_moves_injects_on_the_page(
    site: ApiSite, page_of: PageOf
) -> None:
    exercise = site.launch()
    page = page_of("ina")
    page.goto(f"/exercises/{exercise.name}")
    page.locator("#inject-call").get_by_text("Act …").click()
    page.locator("#inject-call").get_by_label("For", exact=True).select_option("team-2")
    with page.expect_navigation():  # or what is opened below goes with this page
        page.get_by_role("button", name="Hold").click()
    expect(page.locator("#inject-state-call")).to_contain_text("held team-2")
    page.locator("#inject-call").get_by_text("Act …").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Fire now").click()
    expect(page.locator("#inject-state-call")).to_contain_text("fired team-1")
    expect(page.locator("#told")).to_contain_text("What do I tell my insurance, Team 2?")
    page.get_by_text("Move the rest …").click()
    page.get_by_label("Minutes, below zero for earlier").fill("-5")
    with page.expect_navigation():
        page.get_by_role("button", name="Move").click()
    acts = [entry.act for entry in site.services.exercises.journal.of(exercise.id)]
    assert acts.count("injects.shifted") == 2
