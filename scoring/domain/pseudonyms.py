"""Names for teams that are not to be known: the same ones for as long as an exercise is kept."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from core.ids import TeamId

_COLOURS = (
    *("Amber", "Azure", "Black", "Blue", "Bronze", "Brown", "Copper", "Coral", "Crimson", "Cyan"),
    *("Ebony", "Emerald", "Golden", "Green", "Grey", "Indigo", "Ivory", "Jade", "Lilac", "Lime"),
    *("Maroon", "Mint", "Ochre", "Olive", "Orange", "Pink", "Plum", "Purple", "Red", "Ruby"),
    *("Rusty", "Sandy", "Scarlet", "Silver", "Teal", "Turquoise", "Violet", "White", "Yellow"),
)
_ANIMALS = (
    *("Badger", "Bear", "Beaver", "Bison", "Chamois", "Crane", "Deer", "Dolphin", "Eagle"),
    *("Falcon", "Ferret", "Fox", "Goat", "Hare", "Hawk", "Hedgehog", "Heron", "Horse", "Ibex"),
    *("Lark", "Lynx", "Marten", "Mole", "Newt", "Otter", "Owl", "Pelican", "Raven", "Robin"),
    *("Seal", "Sparrow", "Squirrel", "Stork", "Swallow", "Swan", "Trout", "Turtle", "Wolf"),
)


def pseudonyms(teams: Sequence[TeamId], key: bytes) -> Mapping[TeamId, str]:
    """Return a name of its own for each team, such as `Amber Otter`; there are 1,482.

    They follow from `key` and the teams' ids, and tell neither a team's number nor its place.
    """

    def drawn(text: str) -> bytes:
        return hmac.new(key, f"pseudonym:{text}".encode(), hashlib.sha256).digest()

    names = [f"{colour} {animal}" for colour in _COLOURS for animal in _ANIMALS]
    return dict(zip(sorted(teams, key=drawn), sorted(names, key=drawn), strict=False))
