"""What bash itself says it runs, where a host's scenario asks for it.

The hook is a variable of the environment: no file and no process of its own. When a line was read
(`PS0`) and its first command is about to run (`DEBUG`), bash prints that command and its newest
line of history between two marks with the session's id, which are taken out of what is shown.
"""

import re

# A subshell has no DEBUG trap: such a line is told by this guard, at the next prompt.
_GUARD = "[[ ${_poligon-} == $$ ]]"
_HOOK = (
    _GUARD + r" || { _poligon=$$; { printf '\e]7337;%(session)s;\037'; HISTTIMEFORMAT= history 1;"
    r" printf '\e]7337;%(session)s\a'; } 2>/dev/null >/dev/tty;"
    r" trap 'if [[ ${_poligon_read-} ]]; then _poligon_last=$_ _poligon_read=;"
    r' { printf "\e]7337;%(session)s;%%s\037" "$BASH_COMMAND"; HISTTIMEFORMAT= history 1;'
    r' printf "\e]7337;%(session)s\a"; } >/dev/tty; : "$_poligon_last"; fi 2>/dev/null'
    r"' DEBUG; PS0+='${_poligon:$((_poligon_read=1)):0}'; }"
)
_HISTORY = re.compile(r" *(\d+)[* ] (.*?)\n?", re.DOTALL)
_MOST_HELD = 64 * 1024


def hook(session: str) -> str:
    """Return the `PROMPT_COMMAND` that has bash tell what it runs."""
    return _HOOK % {"session": session}


class HookReader:
    """Takes what the hook says out of a terminal's output."""

    def __init__(self, session: str) -> None:
        self._begin = f"\x1b]7337;{session};".encode()
        self._end = f"\x1b]7337;{session}\a".encode()
        self._held = b""
        self._newest = ""

    def take(self, data: bytes) -> list[bytes | str]:
        """Return in order what is to be shown, and as `str` the lines that were run.

        An incomplete message is held back, up to 64 KiB.
        """
        data, self._held = self._held + data, b""
        pieces: list[bytes | str] = []
        while (at := data.find(self._begin)) >= 0:
            end = data.find(self._end, at)
            if end < 0:
                break
            pieces.append(data[:at])
            pieces.append(self._line(data[at + len(self._begin) : end]))
            data = data[end + len(self._end) :]
        at = at if at >= 0 else self._partial(data)
        if len(data) - at <= _MOST_HELD:
            data, self._held = data[:at], data[at:]
        return [piece for piece in (*pieces, data) if piece]

    def rest(self) -> bytes:
        """Return what is held back, at the end."""
        held, self._held = self._held, b""
        return held

    def _partial(self, data: bytes) -> int:
        """Return where the beginning of a mark stands at the end of the data, or its length."""
        for length in range(min(len(self._begin), len(data)), 0, -1):
            if self._begin.startswith(data[-length:]):
                return len(data) - length
        return len(data)

    def _line(self, message: bytes) -> str:
        """Return the line that was run: of the history, unless that did not take it."""
        said = message.decode(errors="replace").replace("\r\n", "\n")
        command, _, newest = said.partition("\x1f")
        before, self._newest = self._newest, newest
        if not command:
            return ""
        found = _HISTORY.fullmatch(newest)
        line = found[2] if found else ""
        is_told = newest != before or command == _GUARD or line.startswith(command)
        return line if line and is_told else command.removeprefix(_GUARD)
