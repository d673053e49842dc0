"""The way to the site's learning record store, for the processes that send."""

from collections.abc import Iterator
from contextlib import contextmanager

from api.bootstrap import Services
from scoring.lrs.delivering import Delivering
from scoring.lrs.http_lrs import HttpLrs


@contextmanager
def delivering(services: Services) -> Iterator[Delivering]:
    """Lend what delivers the outbox; raises LrsNotSetError. For one thread at a time."""
    address, settings = services.outbox.destination.address, services.settings
    secret = settings.lrs_secret.get_secret_value()
    with HttpLrs(address, key=settings.lrs_key, secret=secret) as lrs:
        yield Delivering(services.database, services.clock, lrs, address=address)
