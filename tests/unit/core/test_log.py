"""Lines of the log: whole, and never the reason why something else fails."""

import io
import json
import sys

import pytest
import structlog

from core.log import configure_logging


class Broken(io.StringIO):
    """Stderr whose reader is gone."""

    def write(self, _text: str, /) -> int:
        raise BrokenPipeError


def test_a_line_has_its_keys_its_level_and_what_went_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(json=True)
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        structlog.get_logger().exception("thing.happened", exercise="night-shift")
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"], told["exercise"]) == (
        *("thing.happened", "error", "night-shift"),
    )
    assert "ZeroDivisionError" in told["exception"]


@pytest.mark.parametrize("gone", ["closed", "broken"])
def test_a_line_that_cannot_be_written_breaks_nothing(
    gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_logging(json=True)
    stderr = Broken() if gone == "broken" else io.StringIO()
    if gone == "closed":
        stderr.close()
    monkeypatch.setattr(sys, "stderr", stderr)
    structlog.get_logger().warning("thing.happened")
