"""What a solution says that a trainee moves: read strictly."""

import pytest

from api.rehearsal.lines import Moved, Unusable, lines_in
from orchestrator.terminal.book import Direction

DIGEST = "5e" * 32


def test_a_file_goes_in_or_out_with_its_digest_or_without() -> None:
    said = f"moved\tbox\tin\t/tmp/two words\nmoved\tbox\tout\t/srv/x\t{DIGEST.upper()}\n"
    assert list(lines_in(said)) == [
        Moved(host="box", direction=Direction.TO_HOST, path="/tmp/two words", sha256=""),
        Moved(host="box", direction=Direction.FROM_HOST, path="/srv/x", sha256=DIGEST),
    ]


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ("away\t/srv/x", "a host is followed by in or out, a path from / on, and its SHA-256"),
        ("in", "a host is followed by in or out"),
        ("in\tx", "a path from / on"),
        (f"in\t/srv/x\t{DIGEST}\tmore", "a host is followed by"),
        ("in\t/srv/x\t5e", "line 1 of the solution: '5e' is not a SHA-256: 64 hexadecimal digits"),
        ("", "is not three words with tabs between"),
    ],
)
def test_a_line_that_cannot_be_meant_says_why(rest: str, why: str) -> None:
    (line,) = lines_in(f"moved\tbox\t{rest}\n")
    assert isinstance(line, Unusable)
    assert why in line.why
