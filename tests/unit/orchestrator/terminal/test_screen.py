"""The last screen: where it is cut, and which modes it carries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.terminal.screen import Screen, modes_after, safe_cut

MODES = [1, 7, 25, 47, 1000, 1006, 1047, 1049, 2004]
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x1b"), max_size=30).map(str.encode)
SWITCHES = st.builds(
    lambda mode, on: b"\x1b[?%d%c" % (mode, on),
    st.sampled_from(MODES),
    st.sampled_from([b"h", b"l"]),
)
SEQUENCES = st.sampled_from(
    [
        b"\x1b[31;1m",
        b"\x1b[2J",
        b"\x1b]0;a title\x07",
        b"\x1b]8;;http://x\x1b\\",
        b"\x1bPq#0\n#1\x1b\\",
        b"\x1b(0",
        b"\x1b=",
        b"\x1b>",
        b"\x1bc",
        b"\x1b7",
    ]
)
PIECES = st.lists(TEXT | SWITCHES | SEQUENCES, max_size=60)


@given(PIECES, st.data())
def test_a_cut_is_inside_no_character_and_no_sequence(
    pieces: list[bytes], data: st.DataObject
) -> None:
    shown = b"".join(pieces)
    least = data.draw(st.integers(0, len(shown)))
    cut = safe_cut(shown, least)
    assert least <= cut <= len(shown)
    begin = 0
    for piece in pieces:
        inside = cut - begin
        if 0 < inside < len(piece):
            assert not piece.startswith(b"\x1b"), "it is in a sequence"
            piece[inside:].decode()
        begin += len(piece)


@given(PIECES, st.integers(1, 40))
def test_a_screen_is_bounded_and_its_replay_ends_in_the_right_modes(
    pieces: list[bytes], keeps: int
) -> None:
    screen = Screen(keeps=keeps)
    shown = b"".join(pieces)
    for piece in pieces:
        screen.show(piece)
        assert len(screen._shown) <= 2 * keeps
    assert modes_after(frozenset(), screen.again()) == modes_after(frozenset(), shown)
    assert shown.endswith(bytes(screen._shown))


@given(PIECES)
def test_a_tidied_terminal_has_the_usual_modes(pieces: list[bytes]) -> None:
    screen = Screen()
    for piece in pieces:
        screen.show(piece)
    shown = b"".join(pieces)
    assert modes_after(modes_after(frozenset(), shown), screen.tidied()) == frozenset()


@given(PIECES, st.integers(1, 7))
def test_modes_are_known_however_the_output_was_cut_up(pieces: list[bytes], size: int) -> None:
    shown = b"".join(pieces)
    screen = Screen()
    for start in range(0, len(shown), size):
        screen.show(shown[start : start + size])
    assert screen.is_alternate == bool(modes_after(frozenset(), shown) & {47, 1047, 1049})


def test_a_cut_is_after_a_lines_end_where_there_is_one() -> None:
    assert safe_cut(b"one\ntwo\nthree", 5) == len(b"one\ntwo\n")


def test_usual_modes_need_no_tidying() -> None:
    screen = Screen()
    screen.show(b"\x1b[?2004h$ ls\r\n\x1b[?2004lfile\r\n")
    assert screen.tidied() == b""


@pytest.mark.parametrize(
    "query",
    [
        b"\x1b[c",
        b"\x1b[>0c",
        b"\x1b[6n",
        b"\x1b[?6n",
        b"\x1b[?2004$p",
        b"\x1b[14t",
        b"\x1b[>q",
        b"\x1b]11;?\x07",
        b"\x1b]52;c;?\x1b\\",
        b"\x1bP+q544e\x1b\\",
        b"\x1bZ",
        b"\x05",
    ],
)
def test_a_question_to_the_terminal_is_not_asked_again(query: bytes) -> None:
    """Its answer would be typed into the shell."""
    screen = Screen()
    screen.show(b"a" + query + b"b\x1b[1m")
    assert screen.again().endswith(b"ab\x1b[1m")
