"""What does not count when two texts are compared: only what the author folded away.

Each fold leaves a folded text as it is. One that would leave nothing of a text leaves it alone, so
that an answer of marks only is not the same as any other.
"""

import unicodedata
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from core.scenario.schema_answers import Fold

# Gaj's alphabet, letter by letter. Macedonian letters that it lacks are spelt as in passports, and
# their Latin letters with an acute, as scholars write them, are spelt alike.
_SMALL = dict(zip("абвгдежзијклмнопрстћуфхцчшђ", "abvgdežzijklmnoprstćufhcčšđ", strict=True))
_SMALL |= {"љ": "lj", "њ": "nj", "џ": "dž", "\N{CYRILLIC SMALL LETTER DZE}": "dz"}
_SMALL |= {"ѓ": "gj", "ќ": "kj", "ѐ": "è", "ѝ": "ì", "ǵ": "gj", "ḱ": "kj"}
_SMALL |= {"ǆ": "dž", "ǉ": "lj", "ǌ": "nj"}
_CAPITALS = {small.upper(): latin.capitalize() for small, latin in _SMALL.items()}
_TITLED = {"ǅ": "Dž", "ǈ": "Lj", "ǋ": "Nj"}
_LATIN = str.maketrans(_SMALL | _CAPITALS | _TITLED)
# What keyboards and word processors put in the place of the plain ones.
_PLAIN_QUOTES = str.maketrans(
    dict.fromkeys("“”„‟«»″", '"')
    | dict.fromkeys("‘’‚‛‹›′ʼ`´", "'")  # noqa: RUF001  # they are meant
    | dict.fromkeys("‐‑‒–—―−", "-")  # noqa: RUF001
)
# Letters with a stroke have no accent that could be taken off.
_STROKES = str.maketrans({"đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O"})


def folded(text: str, folds: AbstractSet[Fold]) -> str:
    """Return what is compared: tidied text, without the differences that `folds` name."""
    text, before = tidied(text), None
    while text != before:  # an accent taken off may leave a Cyrillic letter, й, to be spelt
        before = text
        for name, fold in _FOLDS.items():
            if name in folds:
                text = tidied(fold(text)) or text
    return text


def tidied(text: str) -> str:
    """Return the text in NFC, without white space at its ends."""
    return unicodedata.normalize("NFC", text).strip()


def _without_case(text: str) -> str:
    return text.casefold()


def _in_latin(text: str) -> str:
    return text.translate(_LATIN)


def _without_accents(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    return "".join(c for c in apart if unicodedata.category(c) != "Mn").translate(_STROKES)


def _without_punctuation(text: str) -> str:
    return "".join(c for c in text if unicodedata.category(c)[0] != "P")


def _with_plain_quotes(text: str) -> str:
    return text.translate(_PLAIN_QUOTES)


def _in_one_form(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _with_single_spaces(text: str) -> str:
    return " ".join(text.split())


_FOLDS: Mapping[Fold, Callable[[str], str]] = MappingProxyType(
    {
        "compatibility": _in_one_form,
        "quotes": _with_plain_quotes,
        "case": _without_case,
        "script": _in_latin,
        "accent": _without_accents,
        "punctuation": _without_punctuation,
        "space": _with_single_spaces,
    }
)
