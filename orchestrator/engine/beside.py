"""A toolbox beside a host: where its network is, and what the engine says when it is not there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus

from docker.errors import APIError

from orchestrator.domain.world import HostKey
from orchestrator.engine.errors import is_status
from orchestrator.engine.labels import Labels
from orchestrator.engine.names import container_name
from orchestrator.engine.toolbox import Toolbox
from orchestrator.ports import EngineRefusedError, HostGoneError, RunResult


def network_of(installation: str, host: HostKey) -> str:
    """Return the engine's word for "in the network namespace of that host"."""
    return f"container:{container_name(installation, host)}"


@contextmanager
def needing(host: HostKey) -> Iterator[None]:
    """Turn the engine's refusal to join a network namespace that is gone into HostGoneError."""
    try:
        yield
    except EngineRefusedError as error:
        if not _lacks_namespace(error.__cause__):
            raise
        raise HostGoneError(
            f"host {host.host} of {host.world.team} does not run", hint="Raise its world again"
        ) from error


def configure_network(
    toolbox: Toolbox, labels: Labels, host: HostKey, command: Sequence[str], *, within: timedelta
) -> RunResult:
    """Change a host's network from beside it, as root of that network. Raises HostGoneError."""
    with needing(host):
        return toolbox.run(
            command,
            network_mode=network_of(labels.installation, host),
            labels=labels.probe(host),
            timeout=within,
            capabilities=("NET_ADMIN",),
        )


def _lacks_namespace(error: BaseException | None) -> bool:
    return isinstance(error, APIError) and (
        is_status(error, HTTPStatus.NOT_FOUND) or is_status(error, HTTPStatus.CONFLICT)
    )
