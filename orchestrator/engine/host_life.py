"""Whether a host lives, in which of its lives, and what is said when it cannot be entered."""

from dataclasses import dataclass
from http import HTTPStatus

import structlog

from core.errors import PoligonError
from orchestrator.domain.world import HostKey
from orchestrator.engine.unix_http import Answer
from orchestrator.ports import EngineRefusedError, EngineUnavailableError, HostGoneError, full

_log = structlog.get_logger()

# Of containerd and runc, and of the Go runtime when it cannot start its threads in the host.
_ENGINES_WORDS = (
    b"OCI runtime exec failed",
    b"runtime/cgo: pthread_create failed",
    b"runtime: failed to create new OS thread",
)
_SIGNS_OF_FULL = (
    "resource temporarily unavailable",
    "pthread_create failed",
    "failed to create new os thread",
    # What the engine starts in the host died before it could say why: of its own threads there.
    "read init-p: connection reset by peer",
)
_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A host's container, and the number of its first process: a reset or restart changes one."""

    container: str
    process: int


def life_of(host: object) -> Life | None:
    """Return which life a host is in, as far as it is told; None when it does not run."""
    match host:
        case {"Id": str(container), "State": {"Running": True, **state}}:
            process = state.get("Pid")
            return Life(container=container, process=process if isinstance(process, int) else 0)
        case _:
            return None


def gone(host: HostKey) -> HostGoneError:
    """Return what is said of a host that does not run, or not the one that was entered."""
    return HostGoneError(
        f"host {host.host} of {host.world.team} is not running: it stopped, or was reset",
        hint="Log in again in a moment; if it stays away, ask an instructor",
    )


def not_started(host: HostKey, shown: bytes) -> PoligonError | None:
    """Return what it means when a process begins with this, None when it is its own to say.

    An engine that cannot start one says so where its output would be.
    """
    if not shown.startswith(_ENGINES_WORDS):
        return None
    words = shown.decode(errors="replace")
    _log.warning("exec.not_started", host=host.host, team=host.world.team, words=words[:_MOST])
    if _is_full(words):
        return full(host)
    return EngineRefusedError(
        f"the range's engine could not start a program in host {host.host}",
        hint="It may lack /bin/sh; tell an instructor",
    )


def _is_full(words: str) -> bool:
    """Tell whether an engine could not start a process, or its own threads beside it."""
    return any(sign in words.lower() for sign in _SIGNS_OF_FULL)


def refusal(host: HostKey, answer: Answer, *, refused: str) -> PoligonError:
    """Return what an answer means that is not what was asked for.

    `refused` is what the engine did about `host`, such as "refused to enter".
    """
    match answer.status:
        case HTTPStatus.NOT_FOUND | HTTPStatus.CONFLICT:
            return gone(host)
        case HTTPStatus.GATEWAY_TIMEOUT:  # only the broker says so, in a sentence of ours
            return EngineUnavailableError(answer.words, hint="Try again shortly")
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return EngineUnavailableError(
                f"the range's engine is not ready: {answer.words}", hint="Try again shortly"
            )
        case _ if _is_full(answer.words):
            return full(host)
        case _:
            return EngineRefusedError(
                f"the range's engine {refused} host {host.host}: {answer.words}",
                hint="Tell an instructor",
            )
