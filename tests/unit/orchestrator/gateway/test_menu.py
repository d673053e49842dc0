"""The menu of hosts."""

import pytest

from orchestrator.gateway.menu import Menu


class Terminal:
    """A menu, and what came of it."""

    def __init__(self) -> None:
        self.shown = ""
        self.chosen: list[tuple[str, bytes]] = []
        self.left = 0
        self.menu = Menu(
            title="The harbour · Team 1",
            hosts=("desk", "mail"),
            write=self._show,
            chosen=lambda host, rest: self.chosen.append((host, rest)),
            left=self._leave,
        )
        self.menu.show()

    def _show(self, text: str) -> None:
        self.shown += text

    def _leave(self) -> None:
        self.left += 1


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def test_the_hosts_are_listed_with_numbers(terminal: Terminal) -> None:
    assert terminal.shown == (
        "The harbour · Team 1\r\n  1  desk\r\n  2  mail\r\nWhich machine (1-2)? "
    )


@pytest.mark.parametrize("typed", [b"2\r", b"2\n", b"mail\r", b"1\x7f2\r", b"\x1b 2\r", b"\r2\r"])
def test_a_number_or_a_name_chooses(terminal: Terminal, typed: bytes) -> None:
    for key in typed:
        terminal.menu.received(bytes([key]))
    assert terminal.chosen == [("mail", b"")]


def test_what_is_typed_ahead_is_for_the_host(terminal: Terminal) -> None:
    terminal.menu.received(b"1\rls\r")
    assert terminal.chosen == [("desk", b"ls\r")]


@pytest.mark.parametrize("typed", ["0", "3", "99999999999999999999", "safe", "-1"])
def test_what_is_not_in_the_list_is_asked_again(terminal: Terminal, typed: str) -> None:
    terminal.menu.received(f"{typed}\r".encode())
    assert terminal.chosen == []
    assert f"There is no {typed} in the list.\r\nWhich machine (1-2)? " in terminal.shown


@pytest.mark.parametrize("key", [b"\x03", b"\x04"])
def test_ctrl_c_and_ctrl_d_leave(terminal: Terminal, key: bytes) -> None:
    terminal.menu.received(b"1" + key + b"\r")
    assert (terminal.left, terminal.chosen) == (1, [])


def test_nothing_typed_moves_the_cursor_or_fills_memory(terminal: Terminal) -> None:
    before = len(terminal.shown)
    terminal.menu.received(b"\x1b]0;evil\x07\x9b" + "é".encode() + b"a" * 10_000)
    shown = terminal.shown[before:]
    assert shown.isalnum()
    assert len(shown) <= 64
