"""Corrections and disputes by the interface and by the pages."""

import re
from collections.abc import Iterator, Mapping

import httpx
import pytest

from core.users.model import Role
from orchestrator.domain.exercise import Exercise
from tests.fakes.api_site import PASSWORD, ApiSite, api_site

WINDOW = {"kind": "defective", "since": "2026-11-23T12:00", "until": "2026-11-23T12:20"}
VOID = {"amendment": {"kind": "void", "task": "mark"}, "reason": "It was in two places."}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with api_site(tmp_path_factory.mktemp("site")) as site:
        site.services.users.add("ivo", role=Role.INSTRUCTOR, password=PASSWORD)
        yield site


@pytest.fixture(scope="module")
def running(site: ApiSite) -> Exercise:
    return site.launch()


def played(site: ApiSite) -> Exercise:
    """Return an exercise that has ended, in which team 1 found its mark."""
    exercise = site.launch()
    team = exercise.teams[0]
    mark = str(site.services.exercises.facts(exercise, team).values["mark"])
    call(site, trainee(exercise), exercise, "answers", {"task": "mark", "value": mark})
    return site.services.exercises.end(exercise.id)


def trainee(exercise: Exercise) -> str:
    return exercise.teams[0].members[0].name


def call(
    site: ApiSite,
    who: str,
    exercise: Exercise,
    path: str,
    body: Mapping[str, object] | None = None,
    *,
    key: str = "",
) -> httpx.Response:
    headers = site.bearer(who) | ({"Idempotency-Key": key} if key else {})
    url = f"/api/v1/exercises/{exercise.name}/{path}"
    return site.web.request("GET" if body is None else "POST", url, json=body, headers=headers)


class Pages:
    """The pages of an exercise, for somebody."""

    def __init__(self, site: ApiSite, who: str, exercise: Exercise) -> None:
        self._site, self._who = site, who
        self._here = f"/exercises/{exercise.name}"

    def get(self, path: str) -> str:
        answer = self._site.page(self._who, f"{self._here}{path}")
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, form: dict[str, str]) -> httpx.Response:
        return self._site.form(self._who, f"{self._here}{path}", form)


def test_two_instructors_correct_a_score_by_the_interface(site: ApiSite) -> None:
    exercise = played(site)
    proposed = call(site, "ina", exercise, "corrections", VOID, key="once").json()
    again = call(site, "ina", exercise, "corrections", VOID, key="once").json()
    assert (proposed["id"], proposed["state"]) == (again["id"], "proposed")
    here = f"corrections/{proposed['id']}"
    seen = call(site, "ivo", exercise, f"{here}/preview").json()
    assert [(t["before"], t["after"]) for t in seen["teams"]] == [(10, 0), (0, 0)]
    assert seen["first_solves"] == [{"task": "mark", "before": "team-1", "after": None}]
    approval = {"digest": seen["digest"]}
    own = call(site, "ina", exercise, f"{here}/approve", approval)
    assert (own.status_code, own.json()["code"]) == (409, "correction.second_person")
    other = call(site, "ivo", exercise, f"{here}/approve", {"digest": "0" * 64})
    assert (other.status_code, other.json()["code"]) == (409, "correction.outdated")
    approved = call(site, "ivo", exercise, f"{here}/approve", approval).json()
    assert (approved["state"], approved["decided_by"]) == ("approved", "ivo")
    board = call(site, trainee(exercise), exercise, "board").json()
    assert [row["points"] for row in board["rows"]] == [0, 0]
    told = call(site, trainee(exercise), exercise, "teams/team-1/corrections").json()
    assert [(t["reason"], t["tasks"]) for t in told] == [(VOID["reason"], {"mark": -10})]
    others = call(site, trainee(exercise), exercise, "teams/team-2/corrections")
    assert others.status_code == 404


def test_a_team_disputes_a_score_and_reads_the_answer_and_what_followed(site: ApiSite) -> None:
    exercise = played(site)
    team = Pages(site, trainee(exercise), exercise)
    assert team.post("/disputes", {"task": "who", "text": "<b>We</b> had it."}).status_code == 303
    twice = team.post("/disputes", {"task": "who", "text": "Again."})
    assert twice.status_code == 409
    assert "Your team disputes who already." in twice.text
    staff = Pages(site, "ina", exercise)
    shown = staff.get("/corrections")
    assert "&lt;b&gt;We&lt;/b&gt; had it." in shown
    form = {"kind": "adjust", "team": "team-1", "task": "who", "points": "2.5", "reason": "Half."}
    preview = staff.post("/corrections", form).headers["location"].rsplit("/", 1)[1]
    assert "somebody else approves" in staff.get(f"/corrections/{preview}")
    second = Pages(site, "ivo", exercise)
    looked = second.get(f"/corrections/{preview}")
    assert "10 → 12.5" in looked
    digest = re.search(r'name="digest" value="(\w+)"', looked)
    assert digest is not None
    approved = second.post(f"/corrections/{preview}/approve", {"digest": digest[1]})
    assert approved.status_code == 303
    dispute = re.search(r"disputes/(\w+)/answer", shown)
    assert dispute is not None
    answer = {"text": "Half of it.", "correction": preview}
    assert staff.post(f"/disputes/{dispute[1]}/answer", answer).status_code == 303
    read = team.get("/corrections")
    assert "Half of it." in read
    assert "+2.5 points" in read


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"kind": "adjust", "team": "team-1", "task": "who", "points": "many"}, "points"),
        ({"kind": "adjust", "team": "team-1", "task": "who", "points": "0"}, "changes nothing"),
        ({"kind": "void", "task": "nowhere"}, "no task"),
        ({"kind": "reprice", "task": "kept", "points": "5"}, "below zero"),
        ({"kind": "forgive"}, "no correction"),
        ({"kind": "defective", "check": "shut", "since": "2026-11-23T12:00"}, "until"),
        (WINDOW, "name a check or a service"),
        (WINDOW | {"check": "shut", "service": "shut"}, "name a check or a service"),
        (WINDOW | {"service": "shut"}, "no attack and defence"),
    ],
)
def test_a_form_that_is_no_correction_is_shown_with_what_is_wrong(
    site: ApiSite, running: Exercise, form: dict[str, str], says: str
) -> None:
    answer = Pages(site, "ina", running).post("/corrections", form | {"reason": "Why."})
    assert answer.status_code == 422
    assert says in answer.text


# Finished exercises are read-only but for corrections and disputes

WRITES: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("trainee", "answers", {"task": "who", "value": "x"}),
    ("trainee", "tasks/who/hints", {"hint": 1}),
    ("trainee", "messages/1/reply", {"text": "Late."}),
    ("trainee", "teams/team-1/reset", {"host": "desk"}),
    ("trainee", "tasks/shut/questions", {}),
    ("ina", "maintenance", {"minutes": 5, "reason": "Late."}),
    ("ina", "start", {}),
    ("ina", "pause", {}),
    ("ina", "resume", {}),
    ("ina", "end", {}),
    ("ina", "extend", {"minutes": 5}),
    ("ina", "teams/team-1/pause", {}),
    ("ina", "teams/team-1/resume", {}),
    ("ina", "injects/shift", {"minutes": 5}),
    ("ina", "injects/call/fire", {}),
    ("ina", "injects/call/hold", {}),
    ("ina", "injects/call/release", {}),
    ("ina", "injects/call/skip", {}),
)


def test_a_finished_exercise_takes_no_other_write(site: ApiSite) -> None:
    exercise = site.launch()
    site.services.injects.fire(exercise.id, "call")
    site.work()
    exercise = site.services.exercises.end(exercise.id)
    refused = {}
    for who, path, body in WRITES:
        name = trainee(exercise) if who == "trainee" else who
        refused[path] = call(site, name, exercise, path, body).status_code
    assert refused == dict.fromkeys(refused, 409)
    assert len(refused) == len(WRITES)
    taken = call(site, trainee(exercise), exercise, "disputes", {"task": "who", "text": "Why?"})
    assert taken.status_code == 200
    assert call(site, "ina", exercise, "corrections", VOID).status_code == 200


def test_a_record_names_what_was_corrected(site: ApiSite) -> None:
    exercise = played(site)
    proposed = call(site, "ina", exercise, "corrections", VOID).json()["id"]
    seen = call(site, "ivo", exercise, f"corrections/{proposed}/preview").json()
    call(site, "ivo", exercise, f"corrections/{proposed}/approve", {"digest": seen["digest"]})
    team = call(site, "ina", exercise, "record").json()["teams"][0]
    mark = next(task for task in team["tasks"] if task["task"] == "mark")
    assert (mark["points"], mark["of"]) == (0, 0)
    assert [c["reason"] for c in team["corrections"]] == [VOID["reason"]]
