"""What a terminal session needs from a container engine, in our words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.domain.world import HostKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSize:
    """A terminal's size in characters."""

    columns: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of output; `error` tells stderr from stdout. A terminal has stdout only."""

    data: bytes
    error: bool = False


class ExecStream(Protocol):
    """A process that was started in a host, and the pipe to it."""

    async def read(self) -> Chunk | None:
        """Return the next output, at most 64 KiB, or None after the last.

        Raises EngineRefusedError, HostFullError when the process could not start after all.
        """
        ...

    async def write(self, data: bytes) -> None:
        """Hand input to the process; returns when it may be given more.

        Input for a process that has ended is dropped.
        """
        ...

    def write_eof(self) -> None:
        """End the process's stdin; its output goes on. Without a terminal only."""
        ...

    async def resize(self, size: TerminalSize) -> None:
        """Give the process's terminal this size.

        Raises EngineRefusedError while the process is not there yet (moby 31223); a retry helps.
        """
        ...

    async def exit_code(self) -> int | None:
        """Return how the process ended, or None as long as it has not.

        Also right after `close`. Raises HostGoneError when the host ended with the process inside,
        EngineUnavailableError.
        """
        ...

    def close(self) -> None:
        """Drop the pipe. The process is left alone: engines do not end it with its pipe."""
        ...


class TerminalEngine(Protocol):
    """A container engine that starts processes in hosts with a pipe to them."""

    async def open(
        self,
        host: HostKey,
        command: Sequence[str],
        *,
        account: str,
        environment: Mapping[str, str],
        size: TerminalSize | None = None,
    ) -> ExecStream:
        """Start `command` as `account`, in `/`; on a terminal of its own when `size` is given.

        Raises HostGoneError, EngineRefusedError, EngineUnavailableError.
        """
        ...
