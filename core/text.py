"""Text that people send."""

import re

_NOT_STORABLE = re.compile(r"[\0\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Tell whether both databases can store a text: no zero, no half of a surrogate pair."""
    return _NOT_STORABLE.search(text) is None
