"""The command lines that bring somebody into a host as a login would.

They need nothing in the host but a POSIX `sh`, and no process beside it: a host that is out of
process slots can still be entered.
"""

from orchestrator.terminal.files.program import OWN_SCP, OWN_SFTP, SERVE
from orchestrator.terminal.stream import TerminalSize

NO_SLOTS = (
    "This host has no free process slot: end some processes, or ask for a reset."
    " In a shell, kill -9 NUMBER needs none."
)
"""What somebody reads who enters a host in which nothing more can be started."""

# The engine sets HOME at most; shell and home are the account's own, as sshd has them. A shell that
# is not there would leave the trainee with the engine's words about it.
_AS_A_LOGIN = """
home= shell=
while IFS=: read -r name _ _ _ _ h s; do
  if [ "$name" = "$USER" ]; then home=$h shell=$s; break; fi
done </etc/passwd
[ -x "$shell" ] || shell=/bin/sh
export HOME="${home:-/}" SHELL="$shell"
cd "$HOME" 2>/dev/null || cd /
rows=$1 columns=$2 command=$3
"""

# Below API 1.42 a terminal starts with 0 rows and the engine's resize comes too late for what asks
# at once. `stty` is a process: where it cannot be forked, the shell gives up, which is where the
# trap takes over. Without a terminal an empty process shows whether one can be.
_SIZED = f"""
enter_full_or_not() {{
  exec 2>&3 3>&-
  [ -z "$full" ] || echo '{NO_SLOTS}' >&2
  enter
}}
trap enter_full_or_not EXIT
exec 3>&2 2>/dev/null
full=yes
if [ -n "$rows" ]; then stty rows "$rows" cols "$columns"; else (:); fi
full=
exit
"""

RSYNC = "rsync --server "
"""How the command begins that an rsync client asks for."""

_RSYNC = """
if ! command -v rsync >/dev/null; then
  echo 'This host has no rsync; scp and sftp work here.' >&2
  exit 127
fi
"""

# stdin is the timer: the caller ends it when the polite signal had its time. `sleep` would be
# another process.
#
# `grep` looks through hundreds of environments at once, and is a process, too: where it cannot be
# forked the shell gives up, which is where the trap takes over; where it does not find the ids in
# this shell's own command line, it is missing or another program. The loop that is left needs
# nothing and reads a byte at a time. There NULs vanish, so an id is known by its length.
_REAP = """
exec 2>/dev/null
id=$1
shift
newline='
'
IFS=$newline
marks=$* lines=$newline$*$newline
by_grep() {
  listed=$(grep -lszF -e "$marks" "/proc/$$/cmdline" /proc/[0-9]*/environ)
  case $listed in
    */cmdline*) ;;
    *) exit ;;
  esac
  found=1
  for place in $listed; do
    process=${place#/proc/}
    case $process in
      */environ) kill -"$1" "${process%/environ}"; found=0 ;;
    esac
  done
  return $found
}
by_reading() {
  found=1
  for process in /proc/[0-9]*; do
    [ -r "$process/environ" ] || continue
    while IFS= read -r variables || [ -n "$variables" ]; do
      after=${variables#*POLIGON_SESSION=}
      [ "$after" = "$variables" ] && continue
      case $lines in
        *"${newline}POLIGON_SESSION=${after%"${after#$id}"}$newline"*)
          kill -"$1" "${process#/proc/}"; found=0; break ;;
      esac
    done <"$process/environ"
  done
  return $found
}
reap() {
  if $1 HUP; then
    read -r _
    passes=0
    while $1 KILL; do
      passes=$((passes + 1))
      [ $passes -lt 20 ] || return
    done
  fi
  echo nothing left
}
trap 'trap - EXIT; reap by_reading' EXIT
reap by_grep
trap - EXIT
"""

NOTHING_LEFT = b"nothing left"
"""What reaping says when it saw no process of the sessions any more."""


def login_shell(size: TerminalSize | None) -> tuple[str, ...]:
    """Return the command line of the account's login shell, in its home."""
    return _on_a_terminal('enter() { exec "$SHELL" -l; }', size, "")


def shell_command(command: str, size: TerminalSize | None) -> tuple[str, ...]:
    """Return the command line that has the account's shell run `command`, in its home."""
    return _on_a_terminal('enter() { exec "$SHELL" -c "$command"; }', size, command)


def rsync(command: str, size: TerminalSize | None) -> tuple[str, ...]:
    """Return the command line of the host's rsync, as the rsync client asked for it.

    Where the host has none: 127 and a sentence.
    """
    return _on_a_terminal(f'enter() {{ {_RSYNC} exec "$SHELL" -c "$command"; }}', size, command)


def sftp_server(_size: TerminalSize | None = None) -> tuple[str, ...]:
    """Return the command line of the host's own sftp-server, or of what stands in for it."""
    return _entering(f"{OWN_SFTP}{SERVE}", None, "")


def scp_server(command: str, path: str, _size: TerminalSize | None = None) -> tuple[str, ...]:
    """Return the command line of the host's own scp, or of what stands in for it.

    `path` is the one that the command is about.
    """
    return (*_entering(f"{OWN_SCP}{SERVE}", None, command), path)


def reaping(sessions: list[str]) -> tuple[str, ...]:
    """Return the command line that ends every process of these sessions, whose ids are as long.

    It must run as the account that runs them: without CAP_SYS_PTRACE not even root may read another
    account's `environ`. Hang-up first, then, once its stdin ends, kill; then `NOTHING_LEFT`.
    """
    marks = (f"POLIGON_SESSION={session}" for session in sessions)
    return ("/bin/sh", "-c", _REAP, "sh", "?" * len(sessions[0]), *marks)


def _on_a_terminal(enter: str, size: TerminalSize | None, command: str) -> tuple[str, ...]:
    return _entering(f"{enter}\n{_SIZED}", size, command)


def _entering(script: str, size: TerminalSize | None, command: str) -> tuple[str, ...]:
    rows, columns = (str(size.rows), str(size.columns)) if size else ("", "")
    return ("/bin/sh", "-c", f"{_AS_A_LOGIN}{script}", "sh", rows, columns, command)
