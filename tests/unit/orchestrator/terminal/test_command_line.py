"""Commands are read off a terminal: what was echoed after the prompt, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.terminal.command_line import CommandLine
from orchestrator.terminal.stream import TerminalSize

PROMPT = "ana@desk:~$ "


class Terminal:
    """Somebody at a shell: `types` is what they press and what the terminal shows for it."""

    def __init__(self, *, columns: int = 80, rows: int = 24) -> None:
        self.commands: list[str] = []
        self.line = CommandLine(TerminalSize(columns=columns, rows=rows), self.commands.append)
        self.shows(PROMPT)

    def shows(self, text: str) -> None:
        self.line.shown(text.encode())

    def types(self, keys: str, shown: str | None = None) -> None:
        self.line.typed(keys.encode())
        self.shows(keys if shown is None else shown)

    def enters(self, output: str = "", *, echo: str = "\r\n") -> None:
        self.types("\r", echo)
        self.shows(output + PROMPT)


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def test_a_line_without_its_prompt_is_a_command(terminal: Terminal) -> None:
    terminal.types("ls -l")
    terminal.enters("total 0\r\n")
    terminal.types("id")
    terminal.enters("uid=0\r\n")
    assert terminal.commands == ["ls -l", "id"]


def test_a_password_is_not_echoed_and_so_not_seen(terminal: Terminal) -> None:
    terminal.types("sudo -i")
    terminal.types("\r", "\r\n[sudo] password for ana: ")
    terminal.types("hunter2", "")
    terminal.types("\r", "\r\n# ")
    terminal.types("id")
    terminal.enters()
    assert terminal.commands == ["sudo -i", "id"]


def test_stars_for_a_password_are_no_command(terminal: Terminal) -> None:
    terminal.types("hunter2", "*******")
    terminal.enters()
    assert not terminal.commands


def test_a_password_that_is_taken_without_a_line_feed_does_not_swallow_the_next_command(
    terminal: Terminal,
) -> None:
    terminal.types("hunter2", "")
    terminal.types("\r", PROMPT)
    terminal.types("id")
    terminal.enters()
    assert terminal.commands == ["id"]


def test_backspace_and_insertion_leave_the_line_as_it_was_entered(terminal: Terminal) -> None:
    terminal.types("cat mid")
    terminal.types("\x7f", "\b\x1b[K")
    terminal.types("\x1b[D\x1b[D", "\b\b")
    terminal.types("x", "\x1b[1@x")
    terminal.enters()
    assert terminal.commands == ["cat xmi"]


def test_a_line_from_the_history_is_seen_though_nobody_typed_it(terminal: Terminal) -> None:
    terminal.types("\x1b[A", "make test")
    terminal.types("\x1b[A", "\b\b\b\b\x1b[1Prun")
    terminal.enters()
    assert terminal.commands == ["make run"]


def test_a_reverse_search_ends_in_the_found_line(terminal: Terminal) -> None:
    terminal.types("\x12", "\r(reverse-i-search)`': \b\b\b")
    terminal.types("t", "t': cat notes\x1b[5D")
    terminal.types("\r", f"\r\x1b[K{PROMPT}cat notes\r\n")
    assert terminal.commands == ["cat notes"]


def test_completions_below_the_line_are_no_part_of_it(terminal: Terminal) -> None:
    terminal.types("ls /etc/host")
    terminal.types("\t\t", f"\r\nhost.conf hostname\r\n{PROMPT}ls /etc/host")
    terminal.types("name")
    terminal.enters()
    assert terminal.commands == ["ls /etc/hostname"]


def test_a_cleared_screen_keeps_the_line(terminal: Terminal) -> None:
    terminal.types("echo cle")
    terminal.types("\x0c", f"\x1b[H\x1b[2J{PROMPT}echo cle")
    terminal.types("ared")
    terminal.enters()
    assert terminal.commands == ["echo cleared"]


def test_an_abandoned_line_is_no_command(terminal: Terminal) -> None:
    terminal.types("rm -rf /")
    terminal.types("\x03", f"^C\r\n{PROMPT}")
    terminal.enters()
    assert not terminal.commands


def test_a_pasted_command_of_several_lines_is_one(terminal: Terminal) -> None:
    terminal.types("\x1b[200~for i in 1\ndo id\ndone\x1b[201~", "for i in 1\r\ndo id\r\ndone")
    terminal.types("\r", "\x1b[2A\rfor\r\n\r\n\r\n")
    assert terminal.commands == ["for i in 1\ndo id\ndone"]


def test_lines_sent_at_once_are_told_apart_from_what_they_print(terminal: Terminal) -> None:
    terminal.types("echo a\recho b\r", "echo a\r\n")
    terminal.shows(f"a\r\n{PROMPT}echo b\r\nb\r\n{PROMPT}")
    assert terminal.commands == ["echo a", "echo b"]


def test_what_is_typed_in_a_full_screen_program_is_no_command(terminal: Terminal) -> None:
    terminal.types("vi notes")
    terminal.types("\r", "\r\n\x1b[?1049h\x1b[H")
    terminal.types("secret words")
    terminal.types("\r", "\r\n")
    terminal.types(":wq\r", f"\x1b[?1049l\r\n{PROMPT}")
    terminal.types("id")
    terminal.enters()
    assert terminal.commands == ["vi notes", "id"]


def test_what_a_terminal_answers_by_itself_begins_no_line() -> None:
    terminal = Terminal()
    terminal.shows("\r\n")
    terminal.types("\x1b[24;1R\x1b[I", PROMPT)
    terminal.types("id")
    terminal.enters()
    assert terminal.commands == ["id"]


def test_a_flood_between_two_commands_loses_neither(terminal: Terminal) -> None:
    terminal.types("yes")
    terminal.enters("y\r\n" * 100_000 + f"^C\r\n{PROMPT}")
    terminal.types("id")
    terminal.enters()
    assert terminal.commands == ["yes", "id"]


def test_a_full_screen_program_is_noticed_in_a_flood(terminal: Terminal) -> None:
    terminal.types("run")
    terminal.enters("y\r\n" * 30_000 + "\x1b[?1049h" + "y\r\n" * 30_000)
    terminal.types("secret")
    terminal.enters()
    assert terminal.commands == ["run"]


@given(
    command=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=300)
    .map(lambda text: text.replace("*", "x"))
    .filter(lambda text: text.strip(" •")),
    columns=st.integers(4, 120),
)
def test_a_line_of_any_length_is_whole_at_any_width(command: str, columns: int) -> None:
    terminal = Terminal(columns=columns, rows=400)
    for character in command:
        terminal.types(character)
    terminal.enters()
    assert terminal.commands == [command]


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=60)), max_size=40))
def test_no_output_and_no_input_breaks_the_log(pieces: list[tuple[bool, bytes]]) -> None:
    terminal = Terminal(columns=20, rows=4)
    for is_typed, data in pieces:
        (terminal.line.typed if is_typed else terminal.line.shown)(data)
    terminal.line.resized(TerminalSize(columns=10, rows=2))
    assert all(command == command.strip("\r") for command in terminal.commands)


_PIECES = ["a", "é", "日", "\n", "\r", "\b", "\t", "\x1b", "[", "]", "H", "K", "A", "5", ";", "?"]


@given(st.lists(st.sampled_from([*_PIECES, "\x1b[9999C", "\x1b[A", "\x1b[J", "\x1b[P"])))
def test_control_sequences_in_any_order_and_in_any_pieces_show_the_same(parts: list[str]) -> None:
    whole, apart = Terminal(columns=7, rows=3), Terminal(columns=7, rows=3)
    whole.line.typed(b"x")
    apart.line.typed(b"x")
    whole.shows("".join(parts))
    for character in "".join(parts):
        apart.shows(character)
    for terminal in (whole, apart):
        terminal.types("\r", "\r\n" * 3)
    assert whole.commands == apart.commands


def test_what_a_running_command_prints_is_no_part_of_a_line_typed_meanwhile(
    terminal: Terminal,
) -> None:
    terminal.types("make")
    terminal.types("\r", "\r\ncompiling\r\n")
    terminal.types("id")
    terminal.shows(f"done\r\n{PROMPT}id")
    terminal.types("\r", "\r\n")
    assert len(terminal.commands) == 2
    assert "done" not in terminal.commands[1]


def test_a_line_that_just_fills_its_row_ends_there() -> None:
    terminal = Terminal(columns=len(PROMPT) + 4)
    terminal.types("echo", "echo \r")
    terminal.enters("\r\n", echo="\x1b[A\x1b[15Co\r\n")
    assert terminal.commands == ["echo"]


def test_keys_that_come_before_enter_is_echoed_lose_no_command(terminal: Terminal) -> None:
    terminal.types("echo a\x01\r", "echo a\r")
    terminal.types("i", "")
    terminal.shows(f"{PROMPT}echo a\r\na\r\n{PROMPT}i")
    terminal.types("d")
    terminal.enters()
    assert terminal.commands == ["echo a", "id"]


def test_a_password_that_comes_before_its_prompt_does_not_swallow_the_next_command(
    terminal: Terminal,
) -> None:
    terminal.types("read -s\x05\r", "read -s")
    terminal.types("hunter2\r", "")
    terminal.shows(f"\r\n{PROMPT}")
    terminal.types("id")
    terminal.enters()
    assert terminal.commands == ["read -s", "id"]
