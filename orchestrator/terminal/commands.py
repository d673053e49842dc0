"""The command lines that bring somebody into a host as a login would.

They need nothing in the host but a POSIX `sh`, and no process beside it: a host that is out of
process slots can still be entered.
"""

from orchestrator.terminal.stream import TerminalSize

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
# at once. `stty` is a process: where it is missing or cannot be forked, the shell gives up, which
# is where the trap takes over.
_SIZED = """
trap enter EXIT
[ -z "$rows" ] || stty rows "$rows" cols "$columns" 2>/dev/null
exit
"""

_SFTP_SERVERS = (
    "/usr/lib/openssh/sftp-server "  # Debian, Ubuntu
    "/usr/libexec/openssh/sftp-server "  # Fedora
    "/usr/lib/ssh/sftp-server "  # Alpine, Arch
    "/usr/libexec/sftp-server"  # built from source
)
_SFTP = f"""
for server in {_SFTP_SERVERS}; do
  if [ -x "$server" ]; then exec "$server"; fi
done
echo 'This host has no sftp-server, so scp and sftp cannot work here.' >&2
echo 'Send a file with: ssh ... "cat > NAME" < FILE' >&2
exit 127
"""

# stdin is the timer: the caller ends it when the polite signal had its time. `sleep` would be
# another process. NULs between the variables vanish in `read`, so a marker is found wherever it is.
_REAP = """
exec 2>/dev/null
each() {
  signal=$1 found=1
  shift
  for process in /proc/[0-9]*; do
    [ -r "$process/environ" ] || continue
    while IFS= read -r variables || [ -n "$variables" ]; do
      for session; do
        case $variables in
          *"POLIGON_SESSION=$session"*) kill -"$signal" "${process#/proc/}"; found=0; break 2 ;;
        esac
      done
    done <"$process/environ"
  done
  return $found
}
each HUP "$@" || exit 0
read -r _
passes=0
while each KILL "$@" && [ $passes -lt 20 ]; do passes=$((passes + 1)); done
"""


def login_shell(size: TerminalSize | None) -> tuple[str, ...]:
    """Return the command line of the account's login shell, in its home."""
    return _entering('enter() { exec "$SHELL" -l; }', size, "")


def shell_command(command: str, size: TerminalSize | None) -> tuple[str, ...]:
    """Return the command line that has the account's shell run `command`, in its home."""
    return _entering('enter() { exec "$SHELL" -c "$command"; }', size, command)


def sftp_server(_size: TerminalSize | None = None) -> tuple[str, ...]:
    """Return the command line of the host's own sftp-server; 127 and a sentence without one."""
    return ("/bin/sh", "-c", f"{_AS_A_LOGIN}{_SFTP}")


def reaping(sessions: list[str]) -> tuple[str, ...]:
    """Return the command line that ends every process of these sessions.

    It must run as the account that runs them: without CAP_SYS_PTRACE not even root may read another
    account's `environ`. Hang-up first, then, once its stdin ends, kill.
    """
    return ("/bin/sh", "-c", _REAP, "sh", *sessions)


def _entering(enter: str, size: TerminalSize | None, command: str) -> tuple[str, ...]:
    rows, columns = (str(size.rows), str(size.columns)) if size else ("", "")
    script = f"{_AS_A_LOGIN}{enter}\n{_SIZED}"
    return ("/bin/sh", "-c", script, "sh", rows, columns, command)
