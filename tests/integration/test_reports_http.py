"""The after-action report, the plan, the survey and signals, as their people get them over HTTP."""

import io
import json
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from api.cli import reports
from api.cli.main import app
from orchestrator.domain.exercise import Exercise
from orchestrator.terminal.book import Direction, FileMoved
from tests.fakes.api_site import ApiSite, api_site
from tests.fakes.session_book import recorded_session

HOSTILE = "<script>alert(1)</script>\u202eevil\x1b[2J"
MOVED = (
    ("/home/ana/whole", "0123", True),
    ("/home/ana/cut", "0123", False),
    ("/home/ana/resumed", "", False),
)
LETTERS = "č š ž ć đ ë ç ќ ѓ ж Љ"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with api_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def played(site: ApiSite) -> Exercise:
    """Play: team-1 is wrong, steals a flag, takes a hint and is right; everything ends."""
    exercise = site.launch()
    recorded_session(site.services, exercise, "seen")
    site.services.sessions.write([moved(site, file) for file in MOVED])
    for task, value in (
        ("who", HOSTILE),
        ("mark", site.answer_of(exercise, "team-2", "mark")),
    ):
        assert answer(site, exercise, task, value) == "wrong"
    site.clock.advance(timedelta(minutes=3))
    first = exercise.teams[0].members[0].name
    user = site.user(first).id
    site.services.scoring.take_hint(exercise, exercise.teams[0], user, task="who", hint=1)
    assert answer(site, exercise, "who", site.answer_of(exercise, "team-1", "thief")) == "correct"
    site.services.exercises.end(exercise.id)
    return site.services.exercises.get(exercise.id)


def moved(site: ApiSite, file: tuple[str, str, bool]) -> FileMoved:
    path, sha256, whole = file
    return FileMoved(
        session="seen",
        at=site.clock.now(),
        direction=Direction.TO_HOST,
        path=path,
        size=12,
        sha256=sha256,
        whole=whole,
    )


def answer(site: ApiSite, exercise: Exercise, task: str, value: str) -> str:
    sent = site.web.post(
        f"/api/v1/exercises/{exercise.name}/answers",
        json={"task": task, "value": value},
        headers=site.bearer(exercise.teams[0].members[0].name),
    )
    assert sent.is_success, sent.text
    verdict: str = sent.json()["verdict"]
    return verdict


def report(site: ApiSite, exercise: Exercise, who: str = "sara", **wanted: str) -> httpx.Response:
    there = f"/api/v1/exercises/{exercise.name}/report"
    return site.web.get(there, params=wanted, headers=site.bearer(who), timeout=60)


def test_the_report_holds_what_was_done_and_leads_to_its_proof(
    site: ApiSite, played: Exercise
) -> None:
    found = report(site, played).json()
    kinds = {moment["kind"] for moment in found["timeline"]}
    assert {"act", "answer", "hint", "solve", "points", "session", "command"} <= kinds
    times = [moment["at"] for moment in found["timeline"]]
    assert times == sorted(times)
    (points, cost) = [m for m in found["timeline"] if m["kind"] == "points"]
    assert (points["subject"], points["points"], cost["points"]) == ("who", 20, -3)
    proven = next(
        m
        for m in found["timeline"]
        if m["kind"] == "answer" and m["proof"]["id"] == points["proof"]["id"]
    )
    assert proven["text"].startswith("correct: ")
    (who,) = [item for item in found["items"] if item["task"] == "who"]
    assert (who["solved"], who["teams"], who["difficulty"], who["hints"]) == (1, 2, 0.5, 1)
    assert who["discrimination"] is None
    assert who["took"]["median"] == 180
    (logs,) = found["objectives"]
    assert (logs["passed"], logs["assessed"], logs["rating"]) == (1, 2, "M")


def test_a_file_is_told_with_its_digest_or_with_why_it_has_none(
    site: ApiSite, played: Exercise
) -> None:
    told = [
        "to the host, 12 bytes, SHA-256 0123: /home/ana/whole",
        "to the host, 12 bytes, cut, SHA-256 of these 0123: /home/ana/cut",
        "to the host, 12 bytes, not in order: no digest: /home/ana/resumed",
    ]
    timeline = report(site, played).json()["timeline"]
    assert sorted(m["text"] for m in timeline if m["kind"] == "file") == sorted(told)
    page = report(site, played, format="html").text
    assert all(text in page for text in told)
    pdf = PdfReader(io.BytesIO(report(site, played, format="pdf").content))
    paper = " ".join(" ".join(p.extract_text() for p in pdf.pages).split())
    assert "cut, SHA-256 of these" in paper
    assert "not in order: no digest" in paper


def test_html_runs_nothing_and_hostile_text_is_text(site: ApiSite, played: Exercise) -> None:
    page = report(site, played, format="html")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "\u202e" not in page.text
    assert "\x1b" not in page.text
    assert 'href="/recordings/seen#t=0.0"' in page.text


def test_a_pdf_has_pages_numbers_and_every_letter_of_the_region(
    site: ApiSite, played: Exercise
) -> None:
    line = {"area": LETTERS, "action": "عمل", "owner": HOSTILE, "due": "2027-03-01"}
    plan = f"/api/v1/exercises/{played.name}/improvements"
    made = site.web.post(plan, json=line, headers=site.bearer("sara"))
    assert made.status_code == 201, made.text
    pdf = report(site, played, format="pdf")
    assert pdf.headers["content-type"] == "application/pdf", pdf.text
    pages = PdfReader(io.BytesIO(pdf.content)).pages
    text = "\n".join(one.extract_text() for one in pages)
    assert f"1 / {len(pages)}" in text
    assert all(letter in text for letter in LETTERS.split())
    assert "01.03.2027" in text
    assert "<script>alert(1)</script>" in "".join(text.split())  # a narrow column breaks it


def test_a_teams_report_says_nothing_of_others(site: ApiSite, played: Exercise) -> None:
    found = report(site, played, team="team-2", signals="true").json()
    assert (found["items"], found["signals"]) == ([], None)
    assert {m["team"] for m in found["timeline"]} <= {"", "team-2"}
    assert [team["team"] for team in found["record"]["teams"]] == ["team-2"]


@pytest.mark.parametrize("path", ["report", "timeline", "integrity", "stuck", "improvements"])
def test_trainees_read_none_of_it(site: ApiSite, played: Exercise, path: str) -> None:
    asked = site.bearer(played.teams[0].members[0].name)
    refused = site.web.get(f"/api/v1/exercises/{played.name}/{path}", headers=asked)
    assert refused.status_code == 403


def test_the_stolen_flag_is_a_signal_for_staff_only_when_asked_for(
    site: ApiSite, played: Exercise
) -> None:
    there = f"/api/v1/exercises/{played.name}/integrity"
    (signal,) = site.web.get(there, headers=site.bearer("ina")).json()
    assert (signal["kind"], signal["teams"]) == ("foreign", ["team-1", "team-2"])
    assert signal["evidence"][0]["task"] == "mark"
    assert "integrity signals" not in report(site, played, format="html").text
    assert "integrity signals" in report(site, played, format="html", signals="true").text


def test_the_plan_is_written_changed_and_removed(site: ApiSite, played: Exercise) -> None:
    there, asked = f"/api/v1/exercises/{played.name}/improvements", site.bearer("sara")
    line = {"area": "Logs", "action": "Training"}
    made = site.web.post(there, json=line, headers=asked).json()
    changed = site.web.put(
        f"{there}/{made['id']}", json={**line, "owner": "IT", "done": True}, headers=asked
    ).json()
    assert (changed["owner"], changed["done"] is not None) == ("IT", True)
    assert site.web.delete(f"{there}/{made['id']}", headers=asked).status_code == 204
    assert site.web.delete(f"{there}/{made['id']}", headers=asked).status_code == 404
    for bad in ({"area": " ", "action": "x"}, {**line, "team": "team-9"}):
        assert site.web.post(there, json=bad, headers=asked).status_code == 422


def test_the_page_takes_a_line_and_ticks_it_off(site: ApiSite, played: Exercise) -> None:
    there = f"/exercises/{played.name}"
    sent = {"area": "Log books", "action": "Keep them", "owner": "", "due": "", "team": ""}
    assert "Log books" in post_form(site, f"{there}/improvements", sent)
    plan = site.services.improving.plan(played)
    line = next(one for one in plan if one.area == "Log books")
    done = post_form(site, f"{there}/improvements/{line.id}/done", {})
    assert "done 2" in done
    assert "Integrity signals" not in done


def post_form(site: ApiSite, path: str, sent: dict[str, str]) -> str:
    """Send a form as sara's browser does; return the page that it leads to."""
    return site.page("sara", site.form("sara", path, sent).headers["location"]).text


def test_a_survey_is_shown_only_when_nobody_can_be_recognised(
    site: ApiSite, played: Exercise
) -> None:
    there = f"/api/v1/exercises/{played.name}/survey"
    member = played.teams[0].members[0].name
    said = {"ratings": {"goals": 4}, "texts": {"learned": "Where to look."}}
    for _ in range(2):
        sent = site.web.put(there, json=said, headers=site.bearer(member))
        assert sent.status_code == 204
    bad = site.web.put(there, json={"ratings": {"goals": 6}}, headers=site.bearer(member))
    assert bad.status_code == 422
    found = site.web.get(there, headers=site.bearer("sara")).json()
    assert (found["answered"], found["asked"], found["texts"]) == (1, 2, None)
    assert "Where to look." not in report(site, played, format="html").text
    page = site.page(member, f"/exercises/{played.name}/survey")
    assert "Where to look." in page.text


def test_a_survey_is_not_open_before_the_end(site: ApiSite) -> None:
    exercise = site.launch()
    refused = site.web.put(
        f"/api/v1/exercises/{exercise.name}/survey",
        json={},
        headers=site.bearer(exercise.teams[0].members[0].name),
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "survey.not_open")


def test_a_team_takes_a_page_home(site: ApiSite, played: Exercise) -> None:
    member = site.bearer(played.teams[0].members[0].name)
    there = f"/api/v1/exercises/{played.name}/handout"
    page = site.web.get(there, headers=member)
    assert "What was there to find" in page.text
    assert "The thief" in page.text
    other = site.web.get(f"{there}?team=team-2", headers=member)
    assert other.status_code == 404
    pdf = site.web.get(f"{there}?format=pdf", headers=member, timeout=60)
    assert len(PdfReader(io.BytesIO(pdf.content)).pages) == 1


@pytest.mark.parametrize("path", ["report.html", "report.json", "handout.html", "after-action"])
def test_staff_and_teams_reach_them_from_their_pages(
    site: ApiSite, played: Exercise, path: str
) -> None:
    there = f"/exercises/{played.name}/{path}"
    staff = site.page("ina", f"{there}?team=team-1")
    assert staff.status_code == 200
    member = site.page(played.teams[0].members[0].name, there)
    assert member.status_code == (200 if path == "handout.html" else 403)


def test_the_command_line_writes_a_report_and_keeps_the_plan(
    site: ApiSite, played: Exercise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "services_ready", lambda: nullcontext(site.services))

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == 0, done.output
        return done.stdout

    file, name = tmp_path / "team.json", played.name
    run("exercise", "report", name, "--team", "team-1", "--format", "json", "-o", str(file))
    assert json.loads(file.read_text())["team"] == "team-1"
    told = run(
        *("improvement", "add", name, "--area", "A", "--action", "B", "--due", "2027-01-02"),
        "--json",
    )
    line = json.loads(told)["id"]
    changed = json.loads(run("improvement", "change", name, line, "--done", "--json"))
    assert (changed["area"], changed["due"], changed["done"] is None) == ("A", "2027-01-02", False)
    run("improvement", "remove", name, line)
    assert line not in run("improvement", "list", name, "--json")
    assert "team-2" in run("exercise", "signals", name)


def test_a_team_without_progress_is_shown_to_instructors(site: ApiSite) -> None:
    exercise = site.launch()
    there, asked = f"/api/v1/exercises/{exercise.name}/stuck", site.bearer("ina")
    assert site.web.get(there, headers=asked).json() == []
    site.clock.advance(timedelta(minutes=21))
    answer(site, exercise, "who", site.answer_of(exercise, "team-1", "thief"))
    (found,) = site.web.get(there, headers=asked).json()
    assert (found["team"], found["since"], found["silent"]) == ("team-2", 1260, 1260)
    assert "who" in found["open_tasks"]
    page = site.page("ina", f"/exercises/{exercise.name}")
    assert "Teams without progress" in page.text
