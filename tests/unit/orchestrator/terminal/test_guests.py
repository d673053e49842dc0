"""Staff in somebody's terminal: said before they can type; and what staff sees of a session."""

from datetime import timedelta

import pytest

from orchestrator.terminal.answers import without_answers
from orchestrator.terminal.guest import NoTerminalError
from orchestrator.terminal.listening import Listener
from orchestrator.terminal.pulse import Pulse
from orchestrator.terminal.stream import Chunk, TerminalSize
from tests.fakes.chronicle import FakeChronicle
from tests.fakes.clock import FakeClock
from tests.fakes.terminal_stage import (
    SIZE,
    FakeClient,
    FakeEngine,
    Scene,
    a_visit,
    play,
    sessions,
    settle,
)

JOINED = b"[Eve Adler has joined your terminal and can type]"
LEFT = b"[Eve Adler has left your terminal]"


class Notes(Listener):
    """A listener that writes everything down."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, object]] = []

    def output(self, data: bytes, *, error: bool = False) -> None:
        self.heard.append(("error" if error else "output", data))

    def input(self, data: bytes) -> None:
        self.heard.append(("input", data))

    def resized(self, size: TerminalSize) -> None:
        self.heard.append(("resized", size))

    def ran(self, line: str) -> None:
        """Take no notice."""

    def marked(self, label: str) -> None:
        self.heard.append(("marked", label))

    def ended(self, code: int) -> None:
        self.heard.append(("ended", code))


def test_a_guest_types_only_after_the_trainee_and_the_recorder_were_told() -> None:
    async def story() -> None:
        notes = Notes()
        scene = Scene(size=SIZE, listeners=[notes])
        await scene.settle()
        guest = scene.session.join("Eve Adler")
        assert JOINED in scene.client.shown
        guest.type(b"ls\n")
        await scene.settle()
        assert scene.engine.stream.input == b"ls\n"
        told = notes.heard.index(("marked", JOINED.decode().strip("[]")))
        assert notes.heard[told + 1] == ("input", b"ls\n")
        scene.session.cut("enough")
        await scene.end()

    play(story())


def test_a_guest_who_left_types_no_more() -> None:
    async def story() -> None:
        scene = Scene(size=SIZE)
        guest = scene.session.join("Eve Adler")
        guest.leave()
        guest.leave()
        guest.type(b"ls\n")
        await scene.settle()
        assert scene.client.shown.count(LEFT) == 1
        assert scene.engine.stream.input == b""
        scene.session.cut("enough")
        await scene.end()

    play(story())


def test_what_has_no_terminal_is_not_joined() -> None:
    async def story() -> None:
        notes = Notes()
        scene = Scene(size=None, listeners=[notes])
        await scene.settle()
        with pytest.raises(NoTerminalError, match="no terminal that one could join"):
            scene.session.join("Eve Adler")
        assert notes.heard == []
        scene.session.cut("enough")
        await scene.end()

    play(story())


ANSWERS = [
    b"\x1b[?64;1;2c", b"\x1b[>0;276;0c", b"\x1b[=0c", b"\x1b[24;80R", b"\x1b[?24;80;1R",
    b"\x1b[0n", b"\x1b[?13n", b"\x1b[?2004;1$y", b"\x1b[4;1$y", b"\x1b[8;24;80t",
    b"\x1b[2;1;1;128;128;1;0x", b"\x1b[?0u", b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
    b"\x1b]4;1;rgb:cd00/0/0\x07", b"\x1bP1$r0m\x1b\\", b"\x1bP>|xterm(390)\x1b\\",
]  # fmt: skip
KEYS = [
    b"ls\n", "ä€\u6f22".encode(), b"\x1b", b"\x1b\x1b", b"\x1bx", b"\x1bP", b"\x1b]", b"\x1b[A",
    b"\x1bOP", b"\x1b[1;5C", b"\x1b[3~", b"\x1b[15;2~", b"\x1b[Z", b"\x1b[200~echo 1\x1b[201~",
    b"\x1b[<0;10;20M", b"\x1b[<0;10;20m", b"\x1b[M !!", b"\x1b[I", b"\x1b[O", b"\x1b[97;5u",
    b"\x1bOR",
]  # fmt: skip


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_guests_terminal_answers_nothing(answer: bytes) -> None:
    assert without_answers(answer) == b""
    assert without_answers(b"l" + answer + b"s\n") == b"ls\n"


@pytest.mark.parametrize("key", KEYS)
def test_every_key_of_a_guest_is_typed(key: bytes) -> None:
    assert without_answers(key) == key
    assert without_answers(b"x" + key + b"y") == b"x" + key + b"y"


def test_a_guest_types_without_the_answers_of_the_guests_terminal() -> None:
    async def story() -> None:
        notes = Notes()
        scene = Scene(size=SIZE, listeners=[notes])
        await scene.settle()
        guest = scene.session.join("Eve Adler")
        guest.type(b"\x1b[?1;2c")
        guest.type(b"ls\n\x1b[24;80R")
        await scene.settle()
        assert scene.engine.stream.input == b"ls\n"
        assert [what for kind, what in notes.heard if kind == "input"] == [b"ls\n"]
        scene.session.cut("enough")
        await scene.end()

    play(story())


def test_who_comes_back_to_a_terminal_is_told_of_the_guests_there() -> None:
    async def story() -> None:
        live = sessions(FakeEngine())
        hold = live.join(a_visit(), FakeClient())
        await settle()
        hold.hang_up()
        hold.session.join("Eve Adler")
        back = FakeClient()
        live.join(a_visit(), back)
        assert back.shown.rindex(JOINED) > back.shown.rindex(b"You are back")
        await live.close("over")

    play(story())


def test_nothing_in_a_name_or_a_sentence_is_obeyed_by_the_terminal() -> None:
    async def story() -> None:
        scene = Scene(size=SIZE)
        scene.session.join("Eve\x1b[2J\x07\u202e\nroot")
        scene.session.say("\x1b]0;gone\x07")
        assert b"[Eve[2Jroot has joined" in scene.client.shown
        assert b"\x1b" not in scene.client.shown
        scene.session.cut("enough")
        await scene.end()

    play(story())


def test_a_guest_cannot_fill_the_memory() -> None:
    async def story() -> None:
        scene = Scene(size=SIZE)
        scene.engine.stream.takes_input.clear()
        guest = scene.session.join("Eve Adler")
        for _ in range(100):
            guest.type(bytes(64 * 1024))
        scene.engine.stream.takes_input.set()
        await scene.settle()
        assert 0 < len(scene.engine.stream.input) < 1024 * 1024
        scene.session.cut("enough")
        await scene.end()

    play(story())


def test_listeners_hear_a_session_in_order_and_nothing_after_its_end() -> None:
    async def story() -> None:
        notes = Notes()
        scene = Scene(listeners=[notes])
        scene.attachment.received(b"in")
        scene.engine.stream.output.put_nowait(Chunk(data=b"out"))
        scene.engine.stream.output.put_nowait(Chunk(data=b"err", error=True))
        scene.engine.stream.ends(7)
        await scene.end()
        scene.session.say("too late")
        assert notes.heard == [
            ("input", b"in"),
            ("output", b"out"),
            ("error", b"err"),
            ("ended", 7),
        ]

    play(story())


def test_a_new_session_has_the_listeners_that_it_is_given() -> None:
    async def story() -> None:
        heard: dict[str, Notes] = {}
        live = sessions(
            FakeEngine(),
            chronicle=FakeChronicle(listeners=lambda visit: [heard.setdefault(visit.id, Notes())]),
        )
        hold = live.join(a_visit(), FakeClient())
        await settle()
        hold.hang_up()
        live.join(a_visit(), FakeClient())
        await live.close("over")
        [notes] = heard.values()
        labels = [what for kind, what in notes.heard if kind == "marked"]
        assert labels == ["the client left; the terminal is kept", "the client came back", "over"]
        assert notes.heard[-1] == ("ended", 255)

    play(story())


def test_staff_sees_what_passes_and_since_when_nothing_does() -> None:
    async def story() -> None:
        scene = Scene(size=SIZE)
        await scene.settle()
        scene.attachment.received(b"make\n")
        scene.clock.advance(timedelta(seconds=40))
        scene.engine.stream.output.put_nowait(Chunk(data=b"done"))
        await scene.settle()
        pulse = scene.session.pulse
        assert (pulse.bytes_typed, pulse.bytes_shown) == (5, 4)
        assert pulse.idle() == timedelta(seconds=40)
        assert pulse.last_shown - pulse.last_typed == timedelta(seconds=40)
        scene.session.cut("enough")
        await scene.end()

    play(story())


def test_typing_without_an_answer_counts_from_its_first_key() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    assert pulse.unanswered() == timedelta()
    for _ in range(3):
        pulse.typed(1)
        clock.advance(timedelta(seconds=10))
    assert pulse.unanswered() == timedelta(seconds=30)
    pulse.shown(1)
    clock.advance(timedelta(seconds=10))
    assert pulse.unanswered() == timedelta()
