"""A TCP connection from inside a host's network, joined with a socket of ours.

netcat makes the connection in a throw-away toolbox; the engine's attach carries it to us and back.
"""

import math
import socket
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address

from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.hijacked import Hijacked
from orchestrator.engine.toolbox import Toolbox
from orchestrator.ports import EngineRefusedError, RelayEnd

_MOST_BYTES = 4 * 1024**2
_PIECE = 64 * 1024
_CONNECTED = b"succeeded!"  # what netcat says on stderr once it is connected
_ENDS = frozenset({0, 1})  # netcat's: the other side closed, or was never there
_END_WITHIN_SECONDS = 10
_SPARE_SECONDS = 5  # netcat ends by itself, should we be gone, but not before us
_ATTACH = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Where a connection leads."""

    address: IPv4Address
    port: int


class Relays:
    """Connects from inside networks of one engine."""

    def __init__(self, connection: EngineConnection, toolbox: Toolbox) -> None:
        self._connection = connection
        self._toolbox = toolbox

    def join(
        self,
        network_mode: str,
        labels: Mapping[str, str],
        goal: Goal,
        end: socket.socket,
        *,
        timeout: timedelta,
    ) -> RelayEnd:
        """Hand on what either side says, until one of them closes; see the port."""
        seconds = str(math.ceil(timeout.total_seconds()) + _SPARE_SECONDS)
        command = ("nc", "-n", "-v", "-w", seconds, str(goal.address), str(goal.port))
        with end, self._toolbox.made(command, network_mode=network_mode, labels=labels) as made:
            with self._connection.call() as api:
                pipe = Hijacked(api.attach_socket(made, _ATTACH))
                pipe.wire.settimeout(None)
                api.start(made)
            with closing(pipe):
                relay = _Relay(pipe, end, timeout)
                how = relay.run()
            if relay.ended:
                self._require_end(made)
            return how

    def _require_end(self, container: str) -> None:
        """Raise unless the prober ended, and because of the other side: the engine may be gone."""
        with self._connection.long_call() as api:
            code = int(api.wait(container, timeout=_END_WITHIN_SECONDS)["StatusCode"])
        if code not in _ENDS:
            raise EngineRefusedError(f"the prober ended with {code}", hint="Look again")


class _Relay:
    """Both directions: what comes is read in a thread, what goes in the caller's."""

    def __init__(self, pipe: Hijacked, end: socket.socket, timeout: timedelta) -> None:
        self._pipe = pipe
        self._end = end
        # A side that reads no more would hold a sender for ever: whoever waits is cut off.
        self._alarm = threading.Timer(timeout.total_seconds(), self._cut)
        self._alarm.daemon = True
        self._connected = False
        self._left = _MOST_BYTES
        self._is_late = False
        self._is_over = False
        self.ended = False
        """Whether the prober ended before we did."""

    def run(self) -> RelayEnd:
        reader = threading.Thread(target=self._hand_on, daemon=True)
        reader.start()
        self._alarm.start()
        self._send()
        self._alarm.cancel()
        self.ended = self._is_over and not self._is_late
        self._shut()
        reader.join()
        if not self._connected:
            return RelayEnd.NO_ANSWER
        if self._left < 0:
            return RelayEnd.FLOODED
        return RelayEnd.LATE if self._is_late else RelayEnd.CLOSED

    def _cut(self) -> None:
        self._is_late = True
        self._shut()

    def _shut(self) -> None:
        for way in (self._end, self._pipe.wire):
            with suppress(OSError):
                way.shutdown(socket.SHUT_RDWR)

    def _send(self) -> None:
        """Hand on what `end` says until it is closed."""
        with suppress(OSError):
            while piece := self._end.recv(_PIECE):
                with suppress(OSError):  # the prober has ended; what it said may not be read yet
                    self._pipe.wire.sendall(piece)

    def _hand_on(self) -> None:
        """Hand on what comes; runs in a thread of its own, until the wire is closed."""
        try:
            is_heard = True
            while is_heard and self._left >= 0:
                is_heard = self._take(*self._pipe.frame())
        except (OSError, EOFError):
            self._is_over = True
        # Who was never connected, or says too much, is not waited for.
        gone = socket.SHUT_WR if self._connected and self._left >= 0 else socket.SHUT_RDWR
        with suppress(OSError):
            self._end.shutdown(gone)

    def _take(self, is_error: bool, piece: bytes) -> bool:  # noqa: FBT001  # of a frame
        """Hand on a piece; tell whether somebody still listens."""
        if is_error:
            self._connected |= _CONNECTED in piece
            return True
        self._connected = True
        self._left -= len(piece)
        try:
            if self._left >= 0:
                self._end.sendall(piece)
        except OSError:
            return False
        return True
