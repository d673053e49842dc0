"""A training record as xAPI statements: what can be told of each member once it is final.

The shape is that of xAPI 1.0.3, which 2.0 takes, too. People and teams are accounts with our own
ids at the site's home page, never names or addresses; no text of an answer and none that was
written for a team is in a statement.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from types import MappingProxyType
from uuid import UUID, uuid5

from core.ids import ExerciseId, UserId
from scoring.exports.cells import points, share, time
from scoring.records.record import ObjectiveRecord, TaskRecord, TeamRecord, TrainingRecord

Body = Mapping[str, object]

_IDS = UUID("6c1f7a52-0b0e-5d6b-9a53-3f3d6f0c9b1e")
"""The namespace of our ids; another one would make every statement a new one."""
_VERBS = MappingProxyType(
    {
        "completed": "http://adlnet.gov/expapi/verbs/completed",
        "passed": "http://adlnet.gov/expapi/verbs/passed",
        "failed": "http://adlnet.gov/expapi/verbs/failed",
        "answered": "http://adlnet.gov/expapi/verbs/answered",
        "voided": "http://adlnet.gov/expapi/verbs/voided",
    }
)
_TYPES = "http://adlnet.gov/expapi/activities"
_COMPETENCY = "https://w3id.org/xapi/acrossx/activities/competency"
_PLATFORM = "Cyberpoligon"
_OURSELVES = "poligon"
"""The account that takes statements back; ids of people have letters that this one lacks."""
_NO_LANGUAGE = "und"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is told of a `subject`, which is one for each member and thing; `body` has no id."""

    subject: str
    body: Body

    @property
    def digest(self) -> str:
        """The SHA-256 of the body, in hex: two with the same one say the same."""
        return hashlib.sha256(written(self.body).encode()).hexdigest()


def written(body: object) -> str:
    """Return a body, or several, as JSON; the same one gives the same text."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def statement_id(exercise: ExerciseId, subject: str, *, revision: int, digest: str) -> str:
    """Return the id of what is told of a subject as the `revision`-th, counted from 1."""
    return str(uuid5(_IDS, f"{exercise}/{subject}/{revision}/{digest}"))


def as_xapi(record: TrainingRecord, home_page: str) -> str:
    """Return the statements as a JSON array, with the ids that they have if nothing was corrected.

    It is empty while the record is not final.
    """
    found = [
        {"id": _first_id(record.exercise, statement), **statement.body}
        for statement in statements_of(record, home_page)
    ]
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def statements_of(record: TrainingRecord, home_page: str) -> tuple[Statement, ...]:
    """Return what is to be told of a record, each subject once; nothing before it is final.

    Of each member: that they completed the exercise, with their team's points if any could be had;
    whether they passed each objective that could be assessed; each task that they solved.
    """
    if not record.final:
        return ()
    place = _Place(home_page=home_page, record=record)
    return tuple(
        statement
        for team in record.teams
        for member in team.members
        for statement in _of_member(place, team, member.user, member.solved)
    )


def voided(target: str, home_page: str, *, at: datetime) -> Body:
    """Return the body of the statement that takes another one back, by its id."""
    return {
        "actor": _agent(home_page, _OURSELVES),
        "verb": _verb("voided"),
        "object": {"objectType": "StatementRef", "id": target},
        "timestamp": time(at),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """The site, and the record that is told of: where activities get their IRIs."""

    home_page: str
    record: TrainingRecord

    def exercise(self) -> Body:
        named = f"exercises/{self.record.exercise}"
        return self._activity(named, f"{_TYPES}/simulation", self.record.scenario_title)

    def scenario(self) -> Body:
        return self._activity(self._scenario, f"{_TYPES}/module", self.record.scenario_title)

    def part(self, kind: str, name: str, type_: str) -> Body:
        """Return a task or an objective: the same one in every exercise of the scenario."""
        return self._activity(f"{self._scenario}/{kind}/{name}", f"{_TYPES}/{type_}", name)

    def competency(self, name: str) -> Body:
        title = self.record.competencies.get(name, name)
        return self._activity(f"competencies/{name}", _COMPETENCY, title)

    @property
    def _scenario(self) -> str:
        return f"scenarios/{self.record.scenario}/{self.record.scenario_version}"

    def _activity(self, path: str, type_: str, name: str) -> Body:
        return {
            "objectType": "Activity",
            "id": f"{self.home_page.rstrip('/')}/{path}",
            "definition": {"type": type_, "name": {_NO_LANGUAGE: name}},
        }


def _of_member(
    place: _Place, team: TeamRecord, user: UserId, solved: Sequence[str]
) -> Iterator[Statement]:
    ended_at = place.record.ended_at
    yield _statement(
        place,
        team,
        user,
        verb="completed",
        of="completed",
        object_=place.exercise(),
        result=_completion(place.record, team),
        at=ended_at,
        competencies=dict.fromkeys(objective.competency for objective in team.objectives),
    )
    for objective in team.objectives:
        if objective.passed is not None:
            yield _statement(
                place,
                team,
                user,
                verb="passed" if objective.passed else "failed",
                of=f"objective/{objective.objective}",
                object_=place.part("objectives", objective.objective, "objective"),
                result=_achieved(objective),
                at=ended_at,
                competencies=(objective.competency,),
                inside=place.exercise(),
            )
    of_objective = {objective.objective: objective.competency for objective in team.objectives}
    for task in team.tasks:
        if task.task in solved:
            yield _statement(
                place,
                team,
                user,
                verb="answered",
                of=f"task/{task.task}",
                object_=place.part("tasks", task.task, "question"),
                result={"success": True},
                at=task.solved_at,
                competencies=_competencies(task, of_objective),
                inside=place.exercise(),
            )


def _statement(
    place: _Place,
    team: TeamRecord,
    user: UserId,
    *,
    verb: str,
    of: str,
    object_: Body,
    result: Body,
    at: datetime | None,
    competencies: Sequence[str] | Mapping[str, object],
    inside: Body | None = None,
) -> Statement:
    around: dict[str, object] = {
        "grouping": [place.scenario(), *map(place.competency, competencies)]
    }
    if inside is not None:
        around["parent"] = [inside]
    exercise = place.record.exercise
    body: dict[str, object] = {
        "actor": _agent(place.home_page, user),
        "verb": _verb(verb),
        "object": object_,
        "result": result,
        "context": {
            "registration": str(uuid5(_IDS, exercise)),
            "team": {
                "objectType": "Group",
                "account": _account(place.home_page, f"{exercise}/{team.team}"),
            },
            "platform": _PLATFORM,
            "contextActivities": around,
        },
    }
    if at is not None:
        body["timestamp"] = time(at)
    return Statement(subject=f"{user}/{of}", body=body)


def _completion(record: TrainingRecord, team: TeamRecord) -> Body:
    result: dict[str, object] = {
        "completion": True,
        "duration": f"PT{int(record.ran.total_seconds())}S",
    }
    has, of = team.milli_points, team.of_milli_points
    if of:  # none of nothing is no result
        # What an adjustment adds may be more than all; what is raw must lie between the two.
        result["score"] = {
            "raw": points(has),
            "min": points(min(0, has)),
            "max": points(max(of, has)),
            "scaled": share(max(Fraction(-1), min(Fraction(has, of), Fraction(1)))),
        }
    return result


def _achieved(objective: ObjectiveRecord) -> Body:
    return {"success": objective.passed, "score": {"scaled": share(objective.share)}}


def _competencies(task: TaskRecord, of_objective: Mapping[str, str]) -> tuple[str, ...]:
    found = of_objective.get(task.objective or "")
    return (found,) if found is not None else ()


def _verb(name: str) -> Body:
    return {"id": _VERBS[name], "display": {"en": name}}


def _agent(home_page: str, name: str) -> Body:
    return {"objectType": "Agent", "account": _account(home_page, name)}


def _account(home_page: str, name: str) -> Body:
    return {"homePage": home_page, "name": name}


def _first_id(exercise: ExerciseId, statement: Statement) -> str:
    return statement_id(exercise, statement.subject, revision=1, digest=statement.digest)
