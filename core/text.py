"""Text that people send."""

import unicodedata


def is_storable(text: str) -> bool:
    """Tell whether both databases can store a text: no zero, no half of a surrogate pair."""
    return not any(c == "\0" or unicodedata.category(c) == "Cs" for c in text)
