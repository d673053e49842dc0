"""The output of a command as the engine sends it: frames of two streams, in any order."""

import io
from types import SimpleNamespace
from typing import cast

import pytest
from requests import Response

from orchestrator.engine.commands import OUTPUT_BYTES, _Output


def frame(stream: int, payload: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


def out(payload: bytes) -> bytes:
    return frame(1, payload)


def err(payload: bytes) -> bytes:
    return frame(2, payload)


def read(*frames: bytes) -> tuple[str, str]:
    """Return the announced number, and the text of the rest."""
    response = SimpleNamespace(raw=io.BytesIO(b"".join(frames)))
    output = _Output(cast("Response", response))
    number = output.first_line()
    output.read_all()
    return number, output.text()


@pytest.mark.parametrize(
    ("frames", "number", "text"),
    [
        ([out(b"7\n"), out(b"ann\n"), err(b"/\n")], "7", "ann\n/\n"),
        ([err(b"/\n"), out(b"7\n"), out(b"ann\n")], "7", "/\nann\n"),
        ([err(b"no line"), out(b"7\nann\n")], "7", "no lineann\n"),
        ([out(b"1"), err(b"9\n"), out(b"2\n")], "12", "9\n"),
        ([out(b"exec failed: no sh\n")], "", "exec failed: no sh\n"),
        ([out(b"exec failed")], "", "exec failed"),
        ([err(b"only this")], "", "only this"),
        ([], "", ""),
        ([out(b"7\n"), b"\x01\0\0"], "7", ""),
    ],
)
def test_the_number_is_found_whatever_overtakes_it(
    frames: list[bytes], number: str, text: str
) -> None:
    assert read(*frames) == (number, text)


def test_no_more_is_kept_than_the_limit_whichever_stream_floods() -> None:
    flood = b"x" * OUTPUT_BYTES
    number, text = read(err(flood), out(b"7\n"), out(flood), err(flood))
    assert (number, len(text)) == ("7", OUTPUT_BYTES)
    number, text = read(out(flood), out(flood))
    assert (number, len(text)) == ("", OUTPUT_BYTES)
