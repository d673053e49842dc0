"""The embedded queue: messages as files of a folder, each there as a whole or not at all.

kombu's filesystem transport does nearly all of it. It writes a message where others look for it
already, so that a reader may find half of one, or none of it after the disk was full; that error
ends a Celery worker. It keeps its bindings in a file, which a full disk leaves empty for good; here
a queue, its exchange and its routing key have one name, so there is nothing to keep.
"""

import os
import re
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any
from uuid import uuid4

import structlog
from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

log = structlog.get_logger()

SCHEME = "poligon-folder"
_LATE_SECONDS = 0.2


class FolderChannel(filesystem.Channel):
    """Puts and takes messages by renaming: one of several readers gets each."""

    def get_table(self, exchange: str) -> list[tuple[str, str, str]]:  # type: ignore[override]  # kombu's base says so
        """Return the one binding of an exchange: the queue of the same name.

        Its pattern lets no other routing key in: Celery's workers tell of themselves every other
        second under many, and nobody takes that out of the folder again.
        """
        return [(exchange, f"^{re.escape(exchange)}$", exchange)]

    def _queue_bind(
        self, exchange: str, routing_key: str, _pattern: str | None, queue: str
    ) -> None:
        assert exchange == routing_key == queue, "one name for all three"

    def _put(self, queue: str, message: object, **_: object) -> None:  # type: ignore[override]  # kombu's base says so
        name = f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        hidden = Path(self.data_folder_out) / f".{name}.new"
        try:
            hidden.write_text(dumps(message))
            hidden.rename(hidden.with_name(name))
        except OSError as error:
            hidden.unlink(missing_ok=True)
            raise ChannelError(f"the message {name} cannot be left: {error.strerror}") from error

    def _get(self, queue: str, _timeout: float | None = None) -> Any:  # noqa: ANN401  # whatever JSON holds
        # Looked at many times a second: a listing costs a tenth of a glob.
        for name in sorted(os.listdir(self.data_folder_in)):  # noqa: PTH208  # that is why
            if name.startswith(".") or not name.endswith(f".{queue}.msg"):
                continue
            file = Path(self.data_folder_in) / name
            taken = file.with_name(f".{name}.taken")
            try:
                file.rename(taken)
                content = taken.read_text()
                taken.unlink()
                return loads(content)
            except OSError:  # somebody else's by now, or removed
                continue
            except ValueError:  # it is gone now, and the sweep makes another one
                log.warning("job.unreadable", message=name)
        raise Empty


class FolderTransport(filesystem.Transport):
    """What Celery opens for an address that begins with SCHEME."""

    Channel = FolderChannel

    def drain_events(self, connection: Any, timeout: float | None = None, **more: Any) -> None:  # noqa: ANN401  # kombu's own
        """Wait for a message, no longer than Celery should be late to see that it is to end.

        Celery waits for two seconds at a time, and looks in between.
        """
        shorter = None if timeout is None else min(timeout, _LATE_SECONDS)
        super().drain_events(connection, timeout=shorter, **more)


def make_known() -> None:
    """Let Celery find this transport by its scheme."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:{FolderTransport.__name__}"
