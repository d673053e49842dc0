"""Text that strangers chose, made harmless for a terminal, a log and a database."""


def printable(text: str, *, most: int) -> str:
    r"""Return at most `most` characters, what cannot be shown written as Python does (`\x1b`)."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:most])
    return shown if len(shown) <= most and len(text) <= most else f"{shown[: most - 1]}…"


def bare(text: str) -> str:
    """Return the text without what cannot be shown: for a line between others on a terminal."""
    return "".join(character for character in text if character.isprintable())
