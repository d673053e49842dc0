"""A way to the real engine that a test can cut, as when the engine is stopped under us."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Detour:
    """Listens on a socket of its own and passes every connection on to `engine`."""

    def __init__(self, place: Path, engine: Path) -> None:
        self.place = place
        self._engine = engine
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._held = b""
        self._is_cut = threading.Event()
        self._listener: socket.socket | None = None
        self.mend()

    def mend(self) -> None:
        """Let connections through (again), and everything that is said."""
        self._held = b""
        self._is_cut.clear()
        self.place.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.place))
        listener.listen(64)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def hold(self, words: bytes) -> None:
        """Have whoever says these words wait until the way is cut."""
        self._held = words

    def cut(self) -> None:
        """End every connection under way and take no more."""
        with self._lock:
            listener, self._listener = self._listener, None
            connections, self._open = self._open, set()
        self._is_cut.set()
        if listener is not None:
            self._shut(listener)
        for connection in connections:
            self._shut(connection)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            try:
                engine.connect(str(self._engine))
            except OSError:  # it is down: whoever called is told so, and the next one asks again
                self._shut(client)
                engine.close()
                continue
            with self._lock:
                is_cut = self._listener is not listener
                self._open |= set() if is_cut else {client, engine}
            if is_cut:  # while it was taken
                self._shut(client)
                self._shut(engine)
                return
            for source, sink in ((client, engine), (engine, client)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if self._held and self._held in data:
                    self._is_cut.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
            return
        self._shut(source)
        self._shut(sink)

    def _shut(self, connection: socket.socket) -> None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


@contextmanager
def detour(place: Path, engine: Path = Path("/var/run/docker.sock")) -> Iterator[Detour]:
    """Lend a detour; nothing of it is open afterwards."""
    way = Detour(place, engine)
    try:
        yield way
    finally:
        way.cut()
        place.unlink(missing_ok=True)
