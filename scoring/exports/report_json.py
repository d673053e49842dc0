"""An after-action report as JSON: the whole of it, points as numbers, times in ISO 8601, UTC."""

import json
from dataclasses import asdict
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from scoring.exports.as_json import as_data
from scoring.exports.cells import points, share, time
from scoring.records.report import Report
from scoring.records.timeline import Moment

FORMAT = 1


def report_json(report: Report) -> str:
    """Return the report as indented JSON; the same report gives the same text."""
    return json.dumps(report_data(report), indent=2, ensure_ascii=False) + "\n"


def report_data(report: Report) -> dict[str, Any]:
    """Return the report as lists, mappings, texts and numbers."""
    return {
        "format": FORMAT,
        "made_at": time(report.made_at),
        "team": report.team or None,
        "summary": report.summary,
        "record": as_data(report.record),
        "objectives": plain(report.objectives),
        "competencies": plain(report.competencies),
        "strengths": list(report.strengths),
        "areas_for_improvement": list(report.areas),
        "improvement_plan": plain(report.actions),
        "items": plain(report.items),
        "survey": plain(report.survey),
        "signals": plain(report.signals),
        "timeline": [moment_data(moment) for moment in report.timeline],
    }


def moment_data(moment: Moment) -> dict[str, Any]:
    """Return a moment of a timeline."""
    return {
        "at": time(moment.at),
        "elapsed_seconds": moment.elapsed.total_seconds(),
        "kind": str(moment.kind),
        "team": moment.team,
        "who": moment.who,
        "subject": moment.subject,
        "text": moment.text,
        "points": points(moment.milli_points) if moment.entry is not None else None,
        "entry": moment.entry,
        "proof": asdict(moment.proof) if moment.proof is not None else None,
        "recordings": [asdict(scene) for scene in moment.scenes],
    }


def plain(value: Any) -> Any:  # noqa: ANN401, PLR0911  # whatever a report holds; a line a kind
    """Return values as JSON knows them: shares as numbers, stretches of time as seconds."""
    if isinstance(value, Fraction):
        return share(value)
    if isinstance(value, datetime):
        return time(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | frozenset):
        return [plain(item) for item in value]
    return value
