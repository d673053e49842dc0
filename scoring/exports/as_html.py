"""Reports as HTML: one file that needs nothing else, runs no script and may be printed.

What trainees, hosts and scenarios wrote is text here, whatever it holds: markup is escaped, and
what would end a line, turn the direction of writing or be no character of HTML is spelled out.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from scoring.domain.item_analysis import LEAST_TEAMS
from scoring.domain.ledger import MILLI
from scoring.domain.ratings import PERFORMED_FROM
from scoring.records.record import TeamRecord, TrainingRecord
from scoring.records.report import Report
from scoring.records.survey import LEAST_ANSWERS, SCALE
from scoring.records.timeline import Happening, Moment
from scoring.records.wording import words

_TEMPLATES = Path(__file__).parent / "templates"
_SPELLED_OUT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff"
    "\ud800-\udfff]"
)
_SHORT = 300
_CSS = (_TEMPLATES / "paper.css").read_text("utf-8")
_DIGEST = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"
"""The content security policy under which a report shows: its own style sheet, nothing else."""


def as_html(report: Report, *, most_moments: int | None = None) -> str:
    """Return a report as HTML; with `most_moments` only so many lines of its timeline."""
    moments = report.timeline[:most_moments]
    outcomes = [o for team in report.teams for o in team.objectives]
    tasks = [t for team in report.teams for t in team.tasks if t.kind != "guard"]
    return _ENVIRONMENT.get_template("report.html.j2").render(
        report=report,
        css=Markup(_CSS),  # noqa: S704  # ours, and its digest is in the policy
        policy=POLICY,
        people=sum(len(team.members) for team in report.teams),
        passed=sum(o.passed is True for o in outcomes),
        assessed=sum(o.passed is not None for o in outcomes),
        solved=sum(t.solved_at is not None for t in tasks),
        possible=sum(t.kind in {"answer", "flag", "checks"} for t in tasks),
        entries=_entries(report),
        anchors={m.proof.id for m in moments if m.proof is not None and m.entry is None},
        moments=moments,
        left_out=len(report.timeline) - len(moments),
        performed_from=PERFORMED_FROM,
        least_teams=LEAST_TEAMS,
        least_answers=LEAST_ANSWERS,
        scale=SCALE,
        words=words("en"),
    )


def handout(record: TrainingRecord, team: TeamRecord, *, title: str, language: str) -> str:
    """Return one page for a team, in a language; `title` is the scenario's in that language."""
    said = words(language)["handout"]
    return _ENVIRONMENT.get_template("handout.html.j2").render(
        record=record,
        team=team,
        title=title,
        language=language,
        css=Markup(_CSS),  # noqa: S704  # as above
        policy=POLICY,
        w=said,
        # A guard that was kept has given nothing and needs no line.
        tasks=[t for t in team.tasks if t.kind != "guard" or t.milli_points],
        solved=sum(t.solved_at is not None for t in team.tasks),
        passed=sum(o.passed is True for o in team.objectives),
        failed=[o for o in team.objectives if o.passed is False],
        hints=sum(len(t.hints) for t in team.tasks),
    )


def _entries(report: Report) -> dict[tuple[str, str], list[Moment]]:
    found: dict[tuple[str, str], list[Moment]] = {
        (team.team, task.task): [] for team in report.teams for task in team.tasks
    }
    for moment in report.timeline:
        if moment.kind is Happening.POINTS:
            found.setdefault((moment.team, moment.subject), []).append(moment)
    return {key: _first_and_last(moments) for key, moments in found.items()}


def _first_and_last(moments: Sequence[Moment]) -> list[Moment]:
    """Return few enough to read: availability moves with every round that fails."""
    few = 6
    return list(moments) if len(moments) <= few else [*moments[: few - 1], moments[-1]]


def _harmless(value: object) -> object:
    """Return what a template shows, with nothing in it that is not plain text."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return _SPELLED_OUT.sub(lambda found: ascii(found[0])[1:-1], value)


def _clock(time: timedelta) -> str:
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _percent(share: Fraction | None) -> str:
    return "\u2013" if share is None else f"{round(share * 100)}\u00a0%"


def _points(milli_points: int) -> str:
    return f"{milli_points / MILLI:.3f}".rstrip("0").rstrip(".")


def _moment(at: datetime) -> str:
    return f"{at:%d.%m.%Y %H:%M} UTC"


def _seconds(at: datetime) -> str:
    return f"{at:%d.%m. %H:%M:%S}"


def _day(at: date) -> str:
    return f"{at:%d.%m.%Y}"


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def _offset(seconds: float) -> str:
    return _clock(timedelta(seconds=seconds))


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    environment.filters.update(
        clock=_clock,
        percent=_percent,
        points=_points,
        moment=_moment,
        seconds=_seconds,
        day=_day,
        short=_short,
        offset=_offset,
    )
    return environment


_ENVIRONMENT = _environment()
