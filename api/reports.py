"""Reports and handouts, written in a form."""

from enum import StrEnum

from api.bootstrap import Services
from core.scenario.fields import is_template
from orchestrator.domain.exercise import Exercise
from scoring.exports.as_html import as_html, handout
from scoring.exports.as_pdf import as_pdf
from scoring.exports.report_json import report_json

MOST_PDF_MOMENTS = 1000
"""A timeline of more lines is cut in a PDF: setting it would take minutes."""


class ReportForm(StrEnum):
    """How a report is written."""

    HTML = "html"
    PDF = "pdf"
    JSON = "json"


def report_text(
    services: Services,
    exercise: Exercise,
    form: ReportForm,
    *,
    team: str = "",
    signals: bool = False,
    site: str = "",
) -> bytes:
    """Return an after-action report in a form; raises PdfNotMadeError."""
    report = services.reporting.report(exercise, team=team, signals=signals)
    if form is ReportForm.JSON:
        return report_json(report).encode()
    if form is ReportForm.HTML:
        return as_html(report).encode()
    return as_pdf(as_html(report, most_moments=MOST_PDF_MOMENTS), site=site)


def handout_text(
    services: Services, exercise: Exercise, form: ReportForm, *, team: str, language: str
) -> bytes:
    """Return a team's handout in a language, HTML or PDF; raises PdfNotMadeError."""
    record = services.scoring.record(exercise, language=language)
    mine = next(one for one in record.teams if one.team == team)
    loaded = services.exercises.scenario(exercise).in_language(language)
    title = loaded.scenario.title
    shown = exercise.scenario_title if is_template(title) else title
    html = handout(record, mine, title=shown, language=language)
    return as_pdf(html) if form is ReportForm.PDF else html.encode()
