"""The last screen of a terminal: what shows it again, and what gives a terminal back tidy.

Not an emulator: the last output from a place between two characters or sequences on, after the
modes that held there. Modes as in XTerm Control Sequences (Dickey), "DEC Private Mode Set".
"""

import re

_KEPT_BYTES = 64 * 1024
_SEQUENCE = re.compile(
    rb"\x1b(?:"
    rb"\[[0-?]*[ -/]*[@-~]"
    rb"|[\]PX^_][^\x07\x18\x1a\x1b]*(?:[\x07\x18\x1a]|\x1b\\|(?=\x1b))"  # any ESC ends a string
    rb"|[ -/]*[0-OQ-WYZ\\`-~]"
    rb")"
)
# Shown again, the client's terminal would answer them, and the shell would take that for typing.
_QUERY = re.compile(
    rb"\x1b\[[>=?]?[0-9;]*[cn]"  # attributes, status
    rb"|\x1b\[[0-9;]*[tx]"  # the window, parameters
    rb"|\x1b\[\??[0-9;]*\$p"  # a mode
    rb"|\x1b\[>[0-9]*q|\x1b\[\?u"  # version, keyboard
    rb"|\x1b\][^\x07\x18\x1a\x1b]*\?(?:\x07|\x1b\\)"  # colours, clipboard
    rb"|\x1bP[$+]q[^\x07\x18\x1a\x1b]*\x1b\\"  # settings, terminfo
    rb"|\x1bZ|\x05"
)
_MODE = re.compile(rb"\x1b(?:\[\?([0-9;]*)([hl])|([=>c]))")
_KEYPAD = 66
_ALTERNATE_SCREENS = frozenset({47, 1047, 1049})
_MICE = frozenset({9, *range(1000, 1008), 1015, 1016})
_CURSOR, _WRAP, _CURSOR_KEYS, _BRACKETED_PASTE = 25, 7, 1, 2004
_USUALLY_ON = frozenset({_CURSOR, _WRAP})
_REMEMBERED = _USUALLY_ON | _ALTERNATE_SCREENS | _MICE | {_KEYPAD, _CURSOR_KEYS, _BRACKETED_PASTE}
_PLAIN = b"\x1b[0m\x0f\x1b(B"  # no colour, no line drawing
_WHOLE_SCROLLS = b"\x1b7\x1b[r\x1b8"


class Screen:
    """Remembers some of the last output of one terminal."""

    def __init__(self, *, keeps: int = _KEPT_BYTES) -> None:
        self._keeps = keeps
        self._shown = bytearray()
        self._before: frozenset[int] = frozenset()

    def show(self, data: bytes) -> None:
        """Remember output; what is older than `keeps` to twice as many bytes is forgotten."""
        self._shown += data
        if len(self._shown) > 2 * self._keeps:
            cut = safe_cut(self._shown, len(self._shown) - self._keeps)
            self._before = modes_after(self._before, self._shown[:cut])
            del self._shown[:cut]

    def again(self) -> bytes:
        """Return what brings a fresh terminal to this screen and its modes."""
        return _PLAIN + _switching(self._before, on=True) + _QUERY.sub(b"", self._shown)

    def tidied(self) -> bytes:
        """Return what gives a terminal back as shells expect it; nothing when it is so."""
        unusual = modes_after(self._before, self._shown)
        return _WHOLE_SCROLLS + _switching(unusual, on=False) + _PLAIN if unusual else b""

    @property
    def is_alternate(self) -> bool:
        """Whether a program has the whole screen to itself."""
        return bool(modes_after(self._before, self._shown) & _ALTERNATE_SCREENS)


def safe_cut(shown: bytes | bytearray, least: int) -> int:
    """Return a place from `least` on that is inside no character and no sequence.

    After a line's end where there is one in the same run of text. `shown` begins at such a place.
    """
    place, run_ends = 0, len(shown)
    for found in _SEQUENCE.finditer(shown):
        if found.start() >= least:
            run_ends = found.start()
            break
        place = found.end()
        if place >= least:
            return place
    line_end = shown.find(b"\n", least, run_ends)
    if line_end >= 0:
        return line_end + 1
    cut = least
    while cut < run_ends and shown[cut] & 0xC0 == 0x80:  # noqa: PLR2004  # inside UTF-8
        cut += 1
    return cut


def modes_after(unusual: frozenset[int], shown: bytes | bytearray) -> frozenset[int]:
    """Return which remembered modes are other than usual after this output."""
    modes = set(unusual)
    for found in _MODE.finditer(shown):
        numbers, switch, short = found.groups()
        if short == b"c":
            modes.clear()
        elif short:
            _switch(modes, _KEYPAD, on=short == b"=")
        else:
            for number in numbers.split(b";"):
                _switch(modes, int(number[:9] or 0), on=switch == b"h")
    return frozenset(modes)


def _switch(unusual: set[int], mode: int, *, on: bool) -> None:
    if mode not in _REMEMBERED:
        return
    if on == (mode in _USUALLY_ON):
        unusual.discard(mode)
    else:
        unusual.add(mode)


def _switching(unusual: frozenset[int], *, on: bool) -> bytes:
    """Return what makes these modes unusual, or usual again. Alternate screens come first."""
    return b"".join(
        _switched(mode, on=on != (mode in _USUALLY_ON))
        for mode in sorted(unusual, key=lambda mode: (mode not in _ALTERNATE_SCREENS, mode))
    )


def _switched(mode: int, *, on: bool) -> bytes:
    if mode == _KEYPAD:
        return b"\x1b=" if on else b"\x1b>"
    return b"\x1b[?%d%c" % (mode, b"h" if on else b"l")
