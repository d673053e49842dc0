"""A prober's pipe: whole answers, half ones, and an end in the middle."""

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.engine.hijacked import Hijacked
from orchestrator.engine.prober import Prober, ProberEndedError, is_whole

SOON = timedelta(seconds=5)
AT_ONCE = timedelta(milliseconds=50)


def frame(text: str, *, stream: int = 1) -> bytes:
    """Return output as the engine multiplexes it."""
    content = text.encode()
    return bytes([stream, 0, 0, 0]) + len(content).to_bytes(4, "big") + content


@pytest.fixture
def pipe() -> Iterator[tuple[Prober, socket.socket]]:
    ours, its = socket.socketpair()
    prober = Prober(Hijacked(ours))
    with its:
        yield prober, its
    prober.close()


def test_an_answer_in_pieces_is_put_together(pipe: tuple[Prober, socket.socket]) -> None:
    prober, its = pipe
    its.sendall(frame("0 1 ans") + frame("a complaint\n", stream=2) + frame("wer\n0 done\nen"))
    its.sendall(frame("d\n"))
    assert prober.ask("5|0.1|17;0", within=SOON) == "0 1 answer\n0 done\nend\n"
    assert its.recv(100) == b"5|0.1|17;0\n"
    assert not prober.has_ended()


def test_a_second_question_gets_its_own_answer(pipe: tuple[Prober, socket.socket]) -> None:
    prober, its = pipe
    for answer in ("0 done\nend\n", "1 done\nend\n"):
        its.sendall(frame(answer))
        assert prober.ask("?", within=SOON) == answer


def test_silence_ends_with_what_was_said(pipe: tuple[Prober, socket.socket]) -> None:
    prober, its = pipe
    its.sendall(frame("0 1 answer\n"))
    said = prober.ask("?", within=AT_ONCE)
    assert said == "0 1 answer\n"
    assert not is_whole(said)


def test_half_a_frame_ends_with_what_was_said(pipe: tuple[Prober, socket.socket]) -> None:
    prober, its = pipe
    its.sendall(frame("0 1 answer\n") + frame("0 done\n")[:-3])
    assert prober.ask("?", within=AT_ONCE) == "0 1 answer\n"


def test_one_that_talks_without_end_is_cut(pipe: tuple[Prober, socket.socket]) -> None:
    prober, its = pipe

    def flood() -> None:
        try:
            while True:
                its.sendall(frame("x" * 60_000))
        except OSError:
            return

    talker = threading.Thread(target=flood)
    talker.start()
    try:
        assert 1 << 20 <= len(prober.ask("?", within=SOON)) < 2 << 20
    finally:
        prober.close()
        talker.join()


@pytest.mark.parametrize("before", [b"", frame("0 1 answer\n"), frame("0 1 answer\n")[:5]])
def test_an_end_in_the_middle_is_told(pipe: tuple[Prober, socket.socket], before: bytes) -> None:
    prober, its = pipe
    its.sendall(before)
    its.shutdown(socket.SHUT_WR)
    with pytest.raises(ProberEndedError):
        prober.ask("?", within=SOON)


def test_an_idle_prober_that_ended_is_seen(pipe: tuple[Prober, socket.socket]) -> None:
    prober, its = pipe
    its.close()
    assert prober.has_ended()
