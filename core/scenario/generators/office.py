"""The office that a team's evidence is from: invented once, so that all of it agrees."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import islice

from core.scenario.generators.dice import Dice
from core.scenario.words.first_names import FIRST_NAMES
from core.scenario.words.places import PLACES, SITES
from core.scenario.words.surnames import SURNAMES
from core.security import derive

_PEOPLE = 8
_SPARE = 100
# Addresses that belong to nobody, kept for documentation (RFC 5737).
_OUTSIDE = tuple(
    address
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    for address in IPv4Network(network).hosts()
)
_SERVERS = {"gateway": 1, "dns": 2, "mail": 3, "web": 4, "files": 5}
_FIRST_SITE, _FIRST_SCANNER, _FIRST_VISITOR = 10, 40, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who works there, and the address of their desk."""

    name: str
    login: str
    address: IPv4Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """People, addresses and names; `outside` are addresses of the world, each of one role."""

    domain: str
    network: IPv4Network
    people: tuple[Person, ...]
    outside: tuple[IPv4Address, ...]

    @property
    def attacker(self) -> IPv4Address:
        """Where whoever broke in comes from."""
        return self.outside[0]

    @property
    def sender(self) -> IPv4Address:
        """What hands in the mail that should not have come."""
        return self.outside[1]

    @property
    def scanners(self) -> tuple[IPv4Address, ...]:
        """Who tries every door of the internet, this one too."""
        return self.outside[_FIRST_SCANNER:_FIRST_VISITOR]

    @property
    def visitors(self) -> tuple[IPv4Address, ...]:
        """Who comes to the office's own pages."""
        return self.outside[_FIRST_VISITOR:]

    @property
    def sites(self) -> dict[str, IPv4Address]:
        """Where the office's people go."""
        return dict(zip(SITES, self.outside[_FIRST_SITE:_FIRST_SCANNER], strict=False))

    def server(self, name: str) -> IPv4Address:
        """Return the address of `gateway`, `dns`, `mail`, `web` or `files`."""
        return self.network[_SERVERS[name]]

    def others(self, login: str) -> tuple[Person, ...]:
        """Return the people but for one."""
        return tuple(person for person in self.people if person.login != login)


def invent_office(
    seed: bytes,
    *,
    avoid: frozenset[str],
    taken: frozenset[IPv4Address] = frozenset(),
    network: IPv4Network | None = None,
    people: tuple[str, ...] = (),
    domain: str | None = None,
) -> Office:
    """Return the office of a seed; what an author gives stands, the rest does not change by it.

    Nobody is called one of `avoid` and nobody outside has an address of `taken`: the scenario uses
    those for somebody else. Whom that does not concern keeps name and address.
    """
    dice = {part: Dice(derive(seed, "office", part)) for part in ("net", "people", "name", "out")}
    net = network or IPv4Network((10 << 24 | dice["net"].between(256, 65_000) << 8, 24))
    invented = _names(dice["people"], avoid)
    known = [(login.capitalize(), login) for login in people] or list(islice(invented, _PEOPLE))
    seats = (int(net.broadcast_address) - 2) - int(net.network_address) - max(_SERVERS.values())
    return Office(
        domain=domain or f"{dice['name'].pick(PLACES)}.test",
        network=net,
        people=tuple(
            # From the top downwards: the site gives its hosts addresses from the bottom.
            Person(name=name, login=login, address=net[-3 - seat % seats])
            for seat, (name, login) in enumerate(known)
        ),
        outside=_outside(dice["out"], taken),
    )


def _outside(dice: Dice, taken: frozenset[IPv4Address]) -> tuple[IPv4Address, ...]:
    order = dice.shuffled(_OUTSIDE)
    spare = (address for address in order[-_SPARE:] if address not in taken)
    given = (next(spare, None) if address in taken else address for address in order[:-_SPARE])
    return tuple(address for address in given if address is not None)


def _names(dice: Dice, avoid: frozenset[str]) -> Iterator[tuple[str, str]]:
    for surname in dice.shuffled(SURNAMES):
        first = dice.pick(FIRST_NAMES)
        login = first[0].lower() + surname
        if login not in avoid:
            yield f"{first} {surname.capitalize()}", login
