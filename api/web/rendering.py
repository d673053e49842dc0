"""Templates and what they may call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from api.v1.points import spelled
from orchestrator.domain.phases import OVER

_DOT = "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z"
_RING = "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9z"
_HALF = "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 2.5v9a4.5 4.5 0 0 1 0-9z"
_TRIANGLE = "M8 1l7.5 14H.5z"
_CROSS = "M3 1l5 5 5-5 2 2-5 5 5 5-2 2-5-5-5 5-2-2 5-5-5-5z"
_PLAY = "M3 1l12 7-12 7z"
_BARS = "M2 2h4v12H2zM10 2h4v12h-4z"
_SQUARE = "M2 2h12v12H2z"
_DASH = "M1 6h14v4H1z"
_TICK = "M1 8l2-2 3 3 7-7 2 2-9 9z"


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is drawn: its shape (an SVG path of 16 by 16) and its colour's name."""

    shape: str
    tone: str


# A state is told by its word and its shape; the colour only repeats it.
LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "draft": Look(_RING, "idle"),
        "planned": Look(_RING, "idle"),
        "provisioning": Look(_HALF, "busy"),
        "building": Look(_HALF, "busy"),
        "ready": Look(_DOT, "ok"),
        "degraded": Look(_TRIANGLE, "warn"),
        "failed": Look(_CROSS, "bad"),
        "running": Look(_PLAY, "ok"),
        "paused": Look(_BARS, "warn"),
        "ended": Look(_SQUARE, "idle"),
        "waiting": Look(_RING, "warn"),
        "time_up": Look(_SQUARE, "idle"),
        "closed": Look(_DASH, "idle"),
        "cancelled": Look(_DASH, "idle"),
        "removing": Look(_HALF, "idle"),
        "removed": Look(_DASH, "idle"),
        "open": Look(_RING, "busy"),
        "holding": Look(_HALF, "busy"),
        "done": Look(_TICK, "ok"),
        "no_attempts_left": Look(_CROSS, "bad"),
        "up": Look(_TICK, "ok"),
        "down": Look(_CROSS, "bad"),
        "mumble": Look(_TRIANGLE, "warn"),
        "recovering": Look(_HALF, "warn"),
        "missing": Look(_TRIANGLE, "warn"),
        "infra_error": Look(_TRIANGLE, "warn"),
        "not_checked_yet": Look(_RING, "idle"),
        "holds": Look(_TICK, "ok"),
        "fails": Look(_CROSS, "bad"),
        "could not tell": Look(_TRIANGLE, "warn"),
        "not tested": Look(_RING, "idle"),
        "locked": Look(_DASH, "idle"),
        "overdue": Look(_CROSS, "bad"),
        "lost": Look(_CROSS, "bad"),
        "held": Look(_BARS, "warn"),
        "undecided": Look(_TRIANGLE, "warn"),
        "firing": Look(_HALF, "busy"),
        "fired": Look(_TICK, "ok"),
        "skipped": Look(_DASH, "idle"),
        "to_mark": Look(_HALF, "busy"),
        "to_moderate": Look(_TRIANGLE, "warn"),
        "decided": Look(_TICK, "ok"),
        "nothing_to_mark": Look(_DASH, "idle"),
        "marked": Look(_TICK, "ok"),
        "handed in": Look(_TICK, "busy"),
        "released": Look(_TICK, "ok"),
        "not released": Look(_RING, "idle"),
        "met": Look(_TICK, "ok"),
        "proposed": Look(_RING, "busy"),
        "approved": Look(_TICK, "ok"),
        "rejected": Look(_CROSS, "bad"),
        "withdrawn": Look(_DASH, "idle"),
        "missed": Look(_CROSS, "bad"),
    }
)
# A state that this version does not know is shown by its own word.
_UNKNOWN = Look(_RING, "idle")


def _state_look(word: str) -> Look:
    return LOOKS.get(word, _UNKNOWN)


def clock(time: timedelta) -> str:
    """Return a duration as `1:02:03`."""
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def moment(at: datetime) -> str:
    """Return a time as people of every country of the centre read it, in UTC."""
    return f"{at:%d.%m.%Y %H:%M} UTC"


def sentence(text: str) -> str:
    """Return `text` with a capital at its beginning and a stop at its end."""
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?:" else ".")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(clock=clock, moment=moment, sentence=sentence, points=spelled)
    environment.globals.update(state_look=_state_look, OVER=OVER)
    return environment


_TEMPLATES = _environment()


def page(
    request: Request, template: str, *, status: int = HTTPStatus.OK, **context: object
) -> HTMLResponse:
    """Return a page. `user` is who looks, `fresh_from` where its live parts come from."""
    context = {"user": None, "problem": None, "fresh_from": request.url.path, **context}
    text = _TEMPLATES.get_template(template).render(context)
    return HTMLResponse(text, status)


def part(template: str, macro: str, *values: object, **named: object) -> Markup:
    """Return what a macro of a template writes, as a part of a page."""
    module = _TEMPLATES.get_template(template).module
    return Markup(getattr(module, macro)(*values, **named))  # noqa: S704  # it escaped what it wrote
