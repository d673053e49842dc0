"""asciicast v2: a terminal as lines of JSON that a player shows again.

Whatever a terminal showed, the lines are ASCII: reading one does nothing to the reader's terminal.
"""

import codecs
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.terminal.printable import printable
from orchestrator.terminal.stream import TerminalSize

_MOST_LABEL = 200
_MILLISECOND = timedelta(milliseconds=1)


class Event(StrEnum):
    """What a line of a cast tells."""

    OUTPUT = "o"
    INPUT = "i"
    RESIZE = "r"
    MARKER = "m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What the first line of a cast says. `elapsed` is the team's clock at `at`."""

    session: str
    exercise: str
    team: str
    host: str
    login: str
    title: str
    size: TerminalSize
    at: datetime
    elapsed: timedelta
    terminal: str


def heading_line(heading: Heading) -> bytes:
    """Return the first line; what asciicast does not know is under `poligon`."""
    return _line(
        {
            "version": 2,
            "width": heading.size.columns,
            "height": heading.size.rows,
            "timestamp": int(heading.at.timestamp()),
            "title": printable(heading.title, most=_MOST_LABEL),
            "env": {"TERM": heading.terminal},
            "poligon": {
                "session": heading.session,
                "exercise": heading.exercise,
                "team": heading.team,
                "host": heading.host,
                "login": printable(heading.login, most=_MOST_LABEL),
                "exercise_ms": heading.elapsed // _MILLISECOND,
            },
        }
    )


class CastLines:
    """Turns what happens on a terminal into lines, each at its seconds since the begin.

    A character whose bytes come apart is whole in the later line; bytes that are no UTF-8 are
    replaced by U+FFFD.
    """

    def __init__(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {Event.OUTPUT: decoder("replace"), Event.INPUT: decoder("replace")}

    def stream(self, event: Event, seconds: float, data: bytes, *, last: bool = False) -> bytes:
        """Return the line of some output or input; nothing while a character is incomplete."""
        text = self._decoders[event].decode(data, last)
        return _line([round(seconds, 6), event, text]) if text else b""

    def resize(self, seconds: float, size: TerminalSize) -> bytes:
        """Return the line of a new size."""
        return _line([round(seconds, 6), Event.RESIZE, f"{size.columns}x{size.rows}"])

    def marker(self, seconds: float, label: str) -> bytes:
        """Return the line of a marker; what cannot be shown of its label is escaped."""
        return _line([round(seconds, 6), Event.MARKER, printable(label, most=_MOST_LABEL)])


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
