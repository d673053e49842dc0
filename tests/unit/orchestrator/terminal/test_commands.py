"""The scripts that enter and reap, under the shells of this machine."""

import os
import pwd
import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from core import waiting
from core.ids import new_id
from orchestrator.terminal.commands import login_shell, reaping, shell_command
from orchestrator.terminal.stream import TerminalSize

ME = pwd.getpwuid(os.getuid())
SHELLS = [shell for shell in ("/bin/dash", "/bin/bash", "/bin/busybox") if Path(shell).exists()]


def under(shell: str, line: tuple[str, ...]) -> list[str]:
    """Return a command line whose `/bin/sh` is another shell."""
    assert line[0] == "/bin/sh"
    return [shell, *(["sh"] if shell.endswith("busybox") else []), *line[1:]]


def ran(line: list[str], *, user: str = ME.pw_name) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        line, env={"USER": user, "PATH": os.defpath}, capture_output=True, text=True, check=False,
        timeout=10,
    )  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_runs_in_the_accounts_home_and_shell(shell: str) -> None:
    line = under(shell, shell_command('echo "$HOME $SHELL $(pwd)"; exit 5', None))
    ended = ran(line)
    assert ended.stdout == f"{ME.pw_dir} {ME.pw_shell} {ME.pw_dir}\n"
    assert ended.returncode == 5


@pytest.mark.parametrize("shell", SHELLS)
def test_an_account_that_nobody_listed_gets_sh_in_the_root(shell: str) -> None:
    assert ran(under(shell, shell_command("echo $SHELL $PWD", None)), user="no").stdout == (
        "/bin/sh /\n"
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_a_terminal_without_stty_is_entered_all_the_same(shell: str) -> None:
    size = TerminalSize(columns=80, rows=24)
    assert ran(under(shell, shell_command("echo in", size))).stdout == "in\n"


@pytest.mark.parametrize(
    "command", ["echo '$1'", 'echo "a  b"', "echo \\'; echo $(echo x)", "# no"]
)
def test_a_command_reaches_the_shell_as_it_was_typed(command: str) -> None:
    typed = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ran(list(shell_command(command, None))).stdout == typed.stdout


def test_the_login_shell_is_one() -> None:
    ended = subprocess.run(
        login_shell(None), env={"USER": ME.pw_name, "PATH": os.defpath}, input="echo $0 $-\n",
        capture_output=True, text=True, check=False, timeout=10,
    )  # fmt: skip
    assert ended.returncode == 0


@pytest.mark.parametrize("shell", SHELLS)
def test_reaping_ends_a_sessions_processes_and_no_others(shell: str) -> None:
    session = new_id()
    ours = [sleeper(session, ignores_hangup=polite) for polite in (True, False)]
    other = sleeper(new_id())
    try:
        subprocess.run(
            under(shell, reaping([new_id(), session])),
            stdin=subprocess.DEVNULL, env={}, check=False, timeout=30,
        )  # fmt: skip
        waiting.until(
            lambda: all(process.poll() for process in ours),
            what="the end of the session's processes",
            within=timedelta(seconds=5),
        )
        assert {process.returncode for process in ours} <= {-signal.SIGKILL, -signal.SIGHUP}
        assert other.poll() is None
    finally:
        for process in (*ours, other):
            process.kill()
            process.wait()


def sleeper(session: str, *, ignores_hangup: bool = False) -> "subprocess.Popen[bytes]":
    """Start a process of a session; the newlines before the marker are a trap for line readers."""
    process = subprocess.Popen(
        ["sh", "-c", f"{'trap : HUP; ' if ignores_hangup else ''}echo up; exec sleep 100"],
        env={"PATH": os.defpath, "A": "1\n2\n", "POLIGON_SESSION": session},
        start_new_session=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    return process
