"""Names in Cyrillic, from the Latin letters that the lists are in.

Serbian, Bosnian and Montenegrin have one letter for each (Gaj's alphabet); Macedonian names are
in the spelling of passports. Neither is exact for every word there is, but for those of the lists.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

_SHARED = dict(zip("abcdefghijklmnoprstuvz", "абцдефгхијклмнопрстувз", strict=True))
_GAJ = {"č": "ч", "ć": "ћ", "đ": "ђ", "š": "ш", "ž": "ж", "dž": "џ", "lj": "љ", "nj": "њ"}
_PASSPORT = {"ch": "ч", "gj": "ѓ", "kj": "ќ", "lj": "љ", "nj": "њ", "sh": "ш", "zh": "ж"}

ALPHABETS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "sr": _SHARED | _GAJ,
        "bs": _SHARED | _GAJ,
        "cnr": _SHARED | _GAJ,
        "mk": _SHARED | _PASSPORT,
    }
)
"""Language → Latin letter, or two that are one letter → Cyrillic letter."""


def in_cyrillic(name: str, language: str) -> str:
    """Return a name of one or more words in the Cyrillic letters of a language of ALPHABETS."""
    alphabet = ALPHABETS[language]
    longest_first = sorted(alphabet, key=len, reverse=True)
    letters = re.compile("|".join(longest_first))
    return letters.sub(lambda match: alphabet[match[0]], name.lower()).title()
