"""The Redis at which the gateways of an installation meet, and what things are called there.

Nothing is stored but each gateway's presence, which expires. Channels are called by chance, but
whoever may use this Redis can read the presences, so it is as good as the gateways' folder.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from core.errors import Fault, PoligonError

_CONNECT_SECONDS = 3
_ANSWER_SECONDS = 3
_LOOK_SECONDS = 1  # a login waits for it

# What a Redis that is away, hangs or refuses us raises.
REDIS_FAILS = (RedisError, OSError, TimeoutError)


class RedisAwayError(PoligonError):
    """The site's Redis does not answer."""

    code = "redis.away"
    fault = Fault.UPSTREAM


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisPlace:
    """Where gateways of an installation meet."""

    url: str = field(repr=False)
    installation: str

    def client(self) -> Redis:
        """Return a client that tries once: who lost Redis begins anew, and nobody waits for it."""
        return Redis.from_url(
            self.url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=_ANSWER_SECONDS,
        )

    def presence(self, gateway: str) -> str:
        """Return the key that is there as long as a gateway is; its value names its bell."""
        return f"poligon:{self.installation}:gateway:{gateway}"

    async def presences(self) -> Mapping[str, str]:
        """Return the bell of every gateway that is there, by name; raises RedisAwayError."""
        try:
            async with asyncio.timeout(_LOOK_SECONDS), self.client() as redis:
                found = redis.scan_iter(match=self.presence("*"), count=1000)
                keys = sorted([_text(key) async for key in found])
                bells = await redis.mget(keys) if keys else []
        except REDIS_FAILS as error:
            raise RedisAwayError(
                f"Redis does not answer, so other machines are out of reach: {_reason(error)}",
                hint="Start it; until then each machine is on its own, and jobs wait for sweeps",
            ) from error
        return {
            key.rpartition(":")[2]: _text(bell)
            for key, bell in zip(keys, bells, strict=True)
            if bell is not None
        }

    def bell(self) -> str:
        """Return a new channel on which a gateway is called."""
        return f"poligon:{self.installation}:bell:{secrets.token_urlsafe(24)}"

    def line(self) -> str:
        """Return the name of a new line between two processes."""
        return f"poligon:{self.installation}:line:{secrets.token_urlsafe(24)}"


def _text(told: bytes | str) -> str:
    return told.decode() if isinstance(told, bytes) else told


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
