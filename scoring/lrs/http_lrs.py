"""An LRS over HTTP. However slowly or much it answers, a call ends in time and is small."""

import asyncio
import ssl
from collections.abc import Sequence
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Self

import httpx

from scoring.lrs.lrs import Answer, LrsAwayError, in_short

VERSION = "1.0.3"
"""Of xAPI. What is sent is right by 2.0, too."""
_WITHIN = timedelta(seconds=10)
_AT_ONCE = 8
_MOST_READ = 256 * 1024
_HEADERS = {
    "X-Experience-API-Version": VERSION,
    "Content-Type": "application/json",
    "Accept": "application/json",
    # What is packed small may be large.
    "Accept-Encoding": "identity",
}


class HttpLrs:
    """The LRS at an address such as `https://lrs.example/xapi`, with a key and its secret.

    Its calls are for one thread at a time. They follow no redirection: the key is for this host.
    """

    def __init__(self, address: str, *, key: str, secret: str, within: timedelta = _WITHIN) -> None:
        self._url = f"{address.rstrip('/')}/statements"
        self._within = within.total_seconds()
        self._auth = httpx.BasicAuth(key, secret) if key else None
        # Only a loop gives a call, with all of its parts, one time to end.
        self._loop = asyncio.Runner()
        self._client: httpx.AsyncClient | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give its connections back."""
        if self._client is not None:
            self._loop.run(self._client.aclose())
        self._loop.close()

    def post(self, statements: Sequence[str]) -> Answer:
        """Store some statements, all or none."""
        return self._called("POST", {}, f"[{','.join(statements)}]")

    def put(self, id_: str, statement: str) -> Answer:
        """Store a statement."""
        return self._called("PUT", {"statementId": id_}, statement)

    def get(self, ids: Sequence[str], *, voided: bool = False) -> Sequence[Answer | LrsAwayError]:
        """Read statements, each by a call of its own; with `voided` those that were taken back."""
        parameter = "voidedStatementId" if voided else "statementId"
        return self._loop.run(self._each([{parameter: id_} for id_ in ids]))

    async def _each(self, asked: Sequence[dict[str, str]]) -> Sequence[Answer | LrsAwayError]:
        return await asyncio.gather(*map(self._read, asked))

    async def _read(self, parameters: dict[str, str]) -> Answer | LrsAwayError:
        try:
            return await self._call("GET", parameters, b"")
        except LrsAwayError as error:
            return error

    def _called(self, method: str, parameters: dict[str, str], body: str) -> Answer:
        return self._loop.run(self._call(method, parameters, body.encode()))

    async def _call(self, method: str, parameters: dict[str, str], body: bytes) -> Answer:
        if self._client is None:
            self._client = httpx.AsyncClient(
                auth=self._auth,
                headers=_HEADERS,
                timeout=self._within,
                limits=httpx.Limits(max_connections=_AT_ONCE),
                # The machine's authorities, a centre's own among them; httpx brings others.
                verify=ssl.create_default_context(),
            )
        try:
            request = self._client.build_request(
                method, self._url, params=parameters, content=body or None
            )
            async with asyncio.timeout(self._within):
                answer = await self._client.send(request, stream=True)
                try:
                    return await _answered(answer)
                finally:
                    await answer.aclose()
        except TimeoutError as error:
            raise LrsAwayError(f"it did not answer within {self._within:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            says = in_short(str(error)) or type(error).__name__
            raise LrsAwayError(f"it is not reached: {says}", brief=True) from error


async def _answered(answer: httpx.Response) -> Answer:
    body = b""
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > _MOST_READ:
            raise LrsAwayError(f"its answer {answer.status_code} has more than {_MOST_READ} bytes")
    return Answer(
        status=answer.status_code,
        body=body,
        retry_after=_asked(answer.headers),
    )


def _asked(headers: httpx.Headers) -> timedelta | None:
    """Return how long a `Retry-After` asks for: in seconds, or until a time of the LRS's clock."""
    says = headers.get("Retry-After", "").strip()
    if says.isascii() and says.isdigit() and len(says) < len("1000000"):
        return timedelta(seconds=int(says))
    try:
        wait = parsedate_to_datetime(says) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    return max(wait, timedelta())
