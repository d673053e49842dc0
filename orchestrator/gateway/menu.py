"""A choice of hosts on a terminal, by number: works with every client."""

from collections.abc import Callable, Sequence

_END_OF_LINE = b"\r\n"
_BACKSPACES = b"\x7f\x08"
_LEAVING = b"\x03\x04"
_LONGEST = 64


class Menu:
    """Shows hosts and takes a number or a name; input after the choice is for the host."""

    def __init__(
        self,
        *,
        title: str,
        hosts: Sequence[str],
        write: Callable[[str], None],
        chosen: Callable[[str, bytes], None],
        left: Callable[[], None],
    ) -> None:
        """Call `chosen` with a host and what was typed ahead, or `left` after Ctrl-C and Ctrl-D."""
        self._title = title
        self._hosts = tuple(hosts)
        self._write = write
        self._chosen = chosen
        self._left = left
        self._typed = b""

    def show(self) -> None:
        """Show the list and ask."""
        listed = "".join(f"  {n}  {host}\r\n" for n, host in enumerate(self._hosts, start=1))
        self._write(f"{self._title}\r\n{listed}")
        self._ask()

    def received(self, data: bytes) -> None:
        """Take what was typed, with an echo."""
        for at in range(len(data)):
            key = data[at : at + 1]
            if key in _LEAVING:
                self._write("\r\n")
                self._left()
                return
            if key in _END_OF_LINE:
                if self._choose(data[at + 1 :]):
                    return
            elif key in _BACKSPACES:
                self._rub_out()
            elif key.isalnum() or key in b"-_":
                self._take(key)

    def _choose(self, rest: bytes) -> bool:
        typed, self._typed = self._typed.decode(), b""
        self._write("\r\n")
        host = self._host(typed)
        if host is None:
            if typed:
                self._write(f"There is no {typed} in the list.\r\n")
            self._ask()
            return False
        self._chosen(host, rest)
        return True

    def _host(self, typed: str) -> str | None:
        if typed in self._hosts:
            return typed
        number = int(typed) if typed.isdecimal() else 0
        return self._hosts[number - 1] if 1 <= number <= len(self._hosts) else None

    def _take(self, key: bytes) -> None:
        if len(self._typed) < _LONGEST:
            self._typed += key
            self._write(key.decode())

    def _rub_out(self) -> None:
        if self._typed:
            self._typed = self._typed[:-1]
            self._write("\b \b")

    def _ask(self) -> None:
        self._write(f"Which machine (1-{len(self._hosts)})? ")
