"""What handouts and the survey say, in each language of the centre."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "words"
FALLBACK = "en"
LANGUAGES = ("en", "fr", "sq", "sr", "mk", "sl")
"""Those there are words in; none was checked by a native speaker yet."""

Words = Mapping[str, Mapping[str, str]]


@cache
def words(language: str) -> Words:
    """Return `handout` and `survey` → what is said; English for a language without words."""
    known = language.partition("-")[0].lower()
    found: Words = json.loads(
        (_FOLDER / f"{known if known in LANGUAGES else FALLBACK}.json").read_text("utf-8")
    )
    return found
