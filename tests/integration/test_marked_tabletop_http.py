"""The tabletop `border-week`, played and marked by two assessors over the interface."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import httpx
import pytest

from core.scenario.load import load
from core.users.model import Role
from orchestrator.domain.exercise import Exercise
from orchestrator.service import TeamSpec
from tests.fakes.api_site import ApiSite, api_site

SCENARIO = Path(__file__).parents[2] / "scenarios" / "border-week"
PAPERS = SCENARIO / "solution" / "papers"
# Each is handed in while it may be: minute of the exercise → task.
HANDED_IN = {
    40: "situation_report",
    70: "note_verbale",
    110: "legal_assessment",
    145: "public_statement",
}
REPLIED = ("minister_call", "travellers", "press_call", "ally", "offer")
WRITTEN = ("situation_report", "note_verbale", "legal_assessment", "public_statement")


@dataclass(kw_only=True)
class Table:
    """A played week: one team of two, and two assessors."""

    site: ApiSite
    exercise: Exercise

    def url(self, path: str) -> str:
        return f"/api/v1/exercises/{self.exercise.name}{path}"

    def call(self, who: str, method: str, path: str, body: object = None) -> httpx.Response:
        return self.site.web.request(
            method, self.url(path), json=body, headers=self.site.bearer(who)
        )

    def case(self, who: str, task: str) -> dict[str, object]:
        answer = self.call(who, "GET", f"/marking/{task}/cell")
        assert answer.status_code == 200, answer.text
        told: dict[str, object] = answer.json()
        return told

    def mark(self, who: str, task: str, place: str, levels: Mapping[str, int]) -> httpx.Response:
        marks = {c: {"level": level, "reason": f"{who} saw it so"} for c, level in levels.items()}
        body = {"place": place, "marks": marks, "hand_in": True}
        return self.call(who, "PUT", f"/marking/{task}/cell", body)

    def mark_all(self, who: str, task: str, level: int) -> None:
        """Give one level for every criterion of a task."""
        for place in self.case(who, task)["places"]:  # type: ignore[attr-defined]
            levels = {c["criterion"]: level for c in place["criteria"]}
            answer = self.mark(who, task, place["place"], levels)
            assert answer.status_code == 204, answer.text


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    folder = tmp_path_factory.mktemp("table")
    with api_site(folder) as site:
        shutil.copytree(SCENARIO, folder / "scenarios" / "border-week")
        for name, role in {
            "lea": Role.TRAINEE,
            "ivo": Role.TRAINEE,
            "anna": Role.ASSESSOR,
            "boris": Role.ASSESSOR,
        }.items():
            site.services.users.add(name, role=role, password="h7kd-92mf-xq4r")
        spec = TeamSpec(
            name="Cell", members=("lea", "ivo"), roles={"lea": "lead", "ivo": "interior"}
        )
        launched = site.services.exercises.launch(
            load(folder / "scenarios" / "border-week"), teams=[spec], by=None
        )
        site.work()
        site.services.exercises.start(launched.id)
        yield _played(Table(site=site, exercise=launched))


def _played(table: Table) -> Table:
    site, replied = table.site, set[int]()
    for minute in range(0, 171, 5):
        site.services.injects.sweep()
        for message in table.call("lea", "GET", "/messages").json():
            if message["reply_until_seconds"] is not None and message["id"] not in replied:
                replied.add(message["id"])
                path = f"/messages/{message['id']}/reply"
                assert table.call(
                    "lea", "POST", path, {"text": "It is not established."}
                ).is_success
        if minute in HANDED_IN:
            task = HANDED_IN[minute]
            taken = site.web.post(
                table.url(f"/tasks/{task}/deliveries?file={task}.md"),
                content=(PAPERS / f"{task}.md").read_bytes(),
                headers=site.bearer("lea"),
            )
            assert taken.status_code == 201, taken.text
        site.clock.advance(timedelta(minutes=5))
    site.services.exercises.end(table.exercise.id)
    site.clock.advance(timedelta(minutes=6))
    for name in ("anna", "boris"):
        assert table.call("ina", "PUT", f"/assessors/{name}").status_code == 204
    return table


def test_the_week_is_marked_moderated_and_in_the_record(table: Table) -> None:
    site = table.site
    queue = site.web.get("/api/v1/marking", headers=site.bearer("anna")).json()
    assert [(line["task"], line["state"]) for line in queue] == [
        (task, "to_mark") for task in (*WRITTEN, "conduct")
    ]
    conduct = table.case("anna", "conduct")
    places = {p["place"]: p for p in conduct["places"]}  # type: ignore[attr-defined]
    assert places.keys() == set(REPLIED)
    assert [r["text"] for r in places["offer"]["replies"]] == ["It is not established."]
    assert "lea" not in json.dumps(conduct)

    for task in (*WRITTEN, "conduct"):
        table.mark_all("anna", task, 2)
    unmarked = _objectives(table)
    assert unmarked["diplomacy"] == 0  # the engineer's question alone, which nobody answered
    assert unmarked["messages"] is None
    for task in ("situation_report", "legal_assessment", "public_statement", "conduct"):
        table.mark_all("boris", task, 1 if task == "conduct" else 2)

    # Blind until all is in; then they are half the points apart, which is more than a fifth.
    assert "anna" not in json.dumps(table.case("boris", "note_verbale"))
    assert "anna saw" not in json.dumps(table.case("boris", "note_verbale"))
    table.mark_all("boris", "note_verbale", 1)
    apart = table.case("anna", "note_verbale")
    assert (apart["state"], apart["difference"], apart["may"]) == ("to_moderate", 0.5, "")
    assert "boris saw it so" in json.dumps(apart)
    for task in ("note_verbale", "conduct"):
        told = table.case("ina", task)
        assert told["may"] == "moderate"
        names = [c["criterion"] for p in told["places"] for c in p["criteria"]]  # type: ignore[attr-defined]
        marks = {name: {"level": 2, "reason": "read again"} for name in names}
        path = f"/marking/{task}/cell/moderation"
        assert table.call("ina", "PUT", path, {"marks": marks}).status_code == 204

    shares = _objectives(table)
    of = {"diplomacy": 8 + 25 + 20, "law": 10 + 8 + 8 + 25, "messages": 20 + 25}
    assert shares["messages"] == 1
    assert shares["diplomacy"] == round(float(Fraction(25 + 20, of["diplomacy"])), 4)
    assert shares["law"] == round(float(Fraction(25, of["law"])), 4)
    record = table.call("sara", "GET", "/record").json()
    tasks = {t["task"]: t["points"] for t in record["teams"][0]["tasks"]}
    assert {task: tasks[task] for task in (*WRITTEN, "conduct")} == {
        "situation_report": 20,
        "note_verbale": 25,
        "legal_assessment": 25,
        "public_statement": 25,
        "conduct": 20,
    }


def _objectives(table: Table) -> dict[str, float | None]:
    record = table.call("sara", "GET", "/record").json()
    (team,) = record["teams"]
    return {o["objective"]: o["share"] for o in team["objectives"]}


def test_a_paper_is_for_its_roles_to_hand_in_and_to_read(table: Table) -> None:
    site = table.site
    offers = {o["task"]: o for o in table.call("ivo", "GET", "/deliveries").json()}
    assert "Ministry of foreign affairs" in offers["note_verbale"]["because"]
    (delivery,) = offers["note_verbale"]["revisions"]
    path = table.url(f"/deliveries/{delivery['id']}")
    for who in ("ivo", "anna", "sara", "ina"):
        found = site.web.get(path, headers=site.bearer(who))
        assert found.content == (PAPERS / "note_verbale.md").read_bytes()
        assert found.headers["content-disposition"].startswith('attachment; filename="cell-note_')
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["content-type"] == "application/octet-stream"
    assert site.web.get(path).status_code == 401
