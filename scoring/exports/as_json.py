"""A training record as JSON: points as numbers, shares from 0 to 1, times in ISO 8601, UTC."""

import json

from scoring.exports.cells import points, share, time
from scoring.records.record import (
    CorrectionRecord,
    HintRecord,
    MemberRecord,
    ObjectiveRecord,
    TaskRecord,
    TeamRecord,
    TrainingRecord,
)

FORMAT = 1


def as_json(record: TrainingRecord) -> str:
    """Return the record as indented JSON; the same record gives the same text."""
    return json.dumps(as_data(record), indent=2, ensure_ascii=False) + "\n"


def as_data(record: TrainingRecord) -> dict[str, object]:
    """Return the record as lists, mappings, texts and numbers."""
    return {
        "format": FORMAT,
        "exercise": {
            "id": record.exercise,
            "name": record.name,
            "started_at": time(record.started_at),
            "ended_at": time(record.ended_at),
            "ran_seconds": record.ran.total_seconds(),
        },
        "scenario": {
            "id": record.scenario,
            "version": record.scenario_version,
            "title": record.scenario_title,
            "digest": record.scenario_digest,
            "competencies": dict(record.competencies),
        },
        "final": record.final,
        "upto_entry": record.upto_entry,
        "teams": [_team(team) for team in record.teams],
    }


def _team(team: TeamRecord) -> dict[str, object]:
    return {
        "team": team.team,
        "name": team.name,
        "points": points(team.milli_points),
        "of": points(team.of_milli_points),
        "members": [_member(member) for member in team.members],
        "tasks": [_task(task) for task in team.tasks],
        "objectives": [_objective(objective) for objective in team.objectives],
        "corrections": [_correction(correction) for correction in team.corrections],
    }


def _member(member: MemberRecord) -> dict[str, object]:
    return {
        "id": member.user,
        "name": member.name,
        "role": member.role,
        "solved": list(member.solved),
        "wrong_answers": member.wrong_answers,
    }


def _task(task: TaskRecord) -> dict[str, object]:
    return {
        "task": task.task,
        "title": task.title,
        "kind": task.kind,
        "objective": task.objective,
        "points": points(task.milli_points),
        "of": points(task.of_milli_points),
        "attempts": task.attempts,
        "solved_at": time(task.solved_at),
        "solved_by": task.solved_by,
        "availability": share(task.share),
        "hints": [_hint(hint) for hint in task.hints],
    }


def _hint(hint: HintRecord) -> dict[str, object]:
    return {
        "hint": hint.hint,
        "cost": points(hint.milli_points),
        "taken_at": time(hint.taken_at),
        "taken_by": hint.taken_by,
    }


def _correction(correction: CorrectionRecord) -> dict[str, object]:
    return {
        "correction": correction.correction,
        "kind": correction.kind,
        "reason": correction.reason,
        "at": time(correction.at),
    }


def _objective(objective: ObjectiveRecord) -> dict[str, object]:
    return {
        "objective": objective.objective,
        "title": objective.title,
        "competency": objective.competency,
        "share": share(objective.share),
        "pass": share(objective.pass_mark),
        "passed": objective.passed,
    }
