"""Reports and handouts as answers to people and programs."""

from fastapi.responses import HTMLResponse, Response

from api.downloads import disposition, download
from api.reports import ReportForm
from scoring.exports.as_html import POLICY


def document(content: bytes, name: str, form: ReportForm) -> Response:
    """Return a document: HTML to be looked at under its own policy, others to be kept."""
    if form is ReportForm.HTML:
        headers = {
            "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
            "Content-Disposition": disposition(f"{name}.html").replace("attachment", "inline", 1),
        }
        return HTMLResponse(content, headers=headers)
    media = {ReportForm.PDF: "application/pdf", ReportForm.JSON: "application/json"}[form]
    return download(content, f"{name}.{form}", media_type=media)
