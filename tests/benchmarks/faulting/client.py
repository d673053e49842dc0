"""Somebody who calls the interface and does not give up: the same write again, under the same key.

What may be tried again: no connection, 409 while the first one is under way, 429, 503. Anything
else that is not a success is a failure of the run, 500 above all.
"""

import time
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx

from core.waiting import pause, until

PATIENCE = timedelta(seconds=75)
_AGAIN_S = 0.25
_UNDER_WAY = "idempotency.under_way"
_TRY_AGAIN = frozenset({429, 503})
_LONGEST_WAIT_S = 3.0


class Refused(AssertionError):  # noqa: N818  # a failure of the run
    """An answer that no client should get."""

    def __init__(self, response: httpx.Response) -> None:
        request = response.request
        super().__init__(f"{request.method} {request.url}: {response.status_code} {response.text}")


class Client:
    """Somebody who is logged in."""

    def __init__(self, base_url: str, name: str, password: str) -> None:
        self._http = httpx.Client(base_url=f"{base_url}/api/v1", timeout=30)
        token = self.post("/login", {"name": name, "password": password})["token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str) -> Any:  # noqa: ANN401  # whatever JSON holds
        """Return a document, however often it must be asked for."""
        return self._insist(lambda: self._http.get(path))

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        is_done: Callable[[], Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever JSON holds
        """Write once, however often it must be sent; return the answer.

        `is_done` is asked before it is sent again: a truthy answer means that it was carried out
        although nobody could tell us, and is returned.
        """
        headers = {"Idempotency-Key": str(uuid4())}
        return self._insist(
            lambda: self._http.post(path, json=body or {}, headers=headers), is_done=is_done
        )

    def post_keyed(self, path: str, body: Mapping[str, Any], *, key: str) -> Any:  # noqa: ANN401  # JSON
        """Write once under a key that the caller remembers."""
        headers = {"Idempotency-Key": key}
        return self._insist(lambda: self._http.post(path, json=body, headers=headers))

    def move(self, exercise: str, move: str, *, into: Collection[str]) -> None:
        """Move an exercise; one that is there already, because a lost answer did it, is fine."""

        def there() -> bool:
            return self.get(f"/exercises/{exercise}")["phase"] in into

        self.post(f"/exercises/{exercise}/{move}", is_done=there)

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def _insist(
        self,
        send: Callable[[], httpx.Response],
        *,
        is_done: Callable[[], Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever JSON holds
        answer: list[Any] = []
        tries = 0

        def is_through() -> bool:
            nonlocal tries
            tries += 1
            if tries > 1 and is_done is not None and (done := is_done()):
                answer.append(done)
                return True
            response = _attempt(send)
            if response is None:
                return False
            answer.append(response.json())
            return True

        until(
            is_through,
            what="the interface to answer",
            within=PATIENCE,
            every=timedelta(seconds=_AGAIN_S),
        )
        return answer[0]


def _attempt(send: Callable[[], httpx.Response]) -> httpx.Response | None:
    """Return an answer of success, `None` when it may be sent again; raises Refused."""
    try:
        response = send()
    except httpx.TransportError:
        return None
    if response.is_success:
        return response
    if response.status_code in _TRY_AGAIN or _code(response) == _UNDER_WAY:
        pause(min(float(response.headers.get("Retry-After", 0)), _LONGEST_WAIT_S))
        return None
    raise Refused(response)


def _code(response: httpx.Response) -> str:
    try:
        return str(response.json().get("code", ""))
    except ValueError:
        return ""


def now() -> float:
    """Return monotonic seconds, which no wall clock moves."""
    return time.monotonic()
