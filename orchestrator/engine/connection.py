"""One engine's API: a client made on first use, and a bound on the calls under way."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from docker import APIClient
from docker.utils import version_lt

from orchestrator.engine.errors import translated
from orchestrator.engine.turns import Turns
from orchestrator.ports import EngineTooOldError

_OLDEST = "1.41"  # Engine 20.10
_TIMEOUT_SECONDS = 120  # a start waits for the engine's own locks when many run at once


class EngineConnection:
    """The way to one engine, safe for many threads of one process."""

    def __init__(self, address: str, *, parallelism: int) -> None:
        self.address = address
        self.parallelism = parallelism
        self._turns = Turns(parallelism)
        self._making = threading.Lock()
        self._client: APIClient | None = None

    @contextmanager
    def call(self) -> Iterator[APIClient]:
        """Lend the API client while holding one of the places; never nest two in a thread.

        What the client raises leaves as EngineUnavailableError or EngineRefusedError.
        """
        with self._turns.place(), translated(self.address):
            yield self._connected()

    @contextmanager
    def long_call(self) -> Iterator[APIClient]:
        """Lend the API client without a place, for a call that only waits on the engine."""
        with translated(self.address):
            yield self._connected()

    def _connected(self) -> APIClient:
        with self._making:
            if self._client is None:
                client = APIClient(
                    base_url=self.address,
                    version="auto",
                    timeout=_TIMEOUT_SECONDS,
                    max_pool_size=2 * self.parallelism + 2,
                )
                _require_current(client.api_version)
                self._client = client
                # An engine is reached directly: no proxy to look up before each of many calls.
                self._client.trust_env = False
            return self._client


def _require_current(version: str) -> None:
    if version_lt(version, _OLDEST):
        raise EngineTooOldError(
            f"the Docker Engine speaks API {version}, and {_OLDEST} is the oldest that will do",
            hint="Install Docker Engine 20.10 or newer",
        )


def api_url(api: APIClient, path: str) -> str:
    """Return the full address of an API path, for the few calls that the SDK does not offer."""
    return f"{api.base_url}/v{api.api_version}{path}"
