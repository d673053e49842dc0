"""The scripts that enter and reap, under the shells of this machine."""

import os
import pwd
import signal
import subprocess
from pathlib import Path

import pytest

from core.ids import new_id
from orchestrator.terminal.commands import NOTHING_LEFT, login_shell, reaping, shell_command
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


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("size", [None, TerminalSize(columns=80, rows=24)])
def test_who_enters_a_host_that_forks_reads_nothing_of_slots(
    shell: str, size: TerminalSize | None
) -> None:
    ended = ran(under(shell, shell_command("echo in; echo oh >&2", size)))
    assert (ended.stdout, ended.stderr) == ("in\n", "oh\n")


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


@pytest.mark.parametrize("path", [os.defpath, "/nowhere"], ids=["grep", "no grep"])
@pytest.mark.parametrize("shell", SHELLS)
def test_reaping_ends_a_sessions_processes_and_no_others(shell: str, path: str) -> None:
    session = new_id()
    ours = [sleeper(session, ignores_hangup=polite) for polite in (True, False)]
    other = sleeper(new_id())
    try:
        said = reaped(shell, [new_id(), session], path=path)
        assert {process.wait(5) for process in ours} <= {-signal.SIGKILL, -signal.SIGHUP}
        assert said.strip() == NOTHING_LEFT
        assert other.poll() is None
    finally:
        for process in (*ours, other):
            process.kill()
            process.wait()


def test_reaping_believes_no_grep_that_finds_nothing(tmp_path: Path) -> None:
    liar = tmp_path / "grep"
    liar.write_text("#!/bin/sh\n")
    liar.chmod(0o700)
    session = new_id()
    process = sleeper(session)
    try:
        reaped("/bin/sh", [session], path=str(tmp_path))
        assert process.wait(5) in {-signal.SIGKILL, -signal.SIGHUP}
    finally:
        process.kill()
        process.wait()


def test_many_sessions_are_looked_for_as_fast_as_grep_reads(tmp_path: Path) -> None:
    """Not a byte of an environment is read by the shell, which takes one with each call."""
    trace = tmp_path / "trace"
    session = new_id()
    process = sleeper(session)
    try:
        with trace.open("wb") as stderr:
            line = reaping([session, *(new_id() for _ in range(499))])
            script = line[2].replace("exec 2>/dev/null", "set -x")
            subprocess.run(
                ["/bin/sh", "-c", script, *line[3:]],
                stdin=subprocess.DEVNULL, stderr=stderr, env={}, check=True, timeout=30,
            )  # fmt: skip
        assert process.wait(5) in {-signal.SIGHUP, -signal.SIGKILL}, "the grace is none here"
        assert "grep -lszF" in trace.read_text()
        assert "read -r variables" not in trace.read_text()
    finally:
        process.kill()
        process.wait()


def reaped(shell: str, sessions: list[str], *, path: str) -> bytes:
    """Reap, and return what was said."""
    return subprocess.run(
        under(shell, reaping(sessions)),
        stdin=subprocess.DEVNULL, env={"PATH": path}, capture_output=True, check=False, timeout=30,
    ).stdout  # fmt: skip


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
