"""Which of a scenario's languages somebody reads: the `Accept-Language` of their browser says."""

from collections.abc import Iterator, Sequence

from fastapi import Request

_MOST = 20


def language_for(request: Request, languages: Sequence[str]) -> str:
    """Return the reader's best one of `languages`, by lookup (RFC 4647, 3.4); else the first.

    `sr-Latn-RS` finds `sr-Latn`, then `sr`. What cannot be read in the header counts for nothing.
    """
    known = {language.lower(): language for language in languages}
    for wanted in _wanted(request.headers.get("accept-language", "")):
        parts = wanted.lower().split("-")
        for length in range(len(parts), 0, -1):
            found = known.get("-".join(parts[:length]))
            if found is not None:
                return found
    return languages[0]


def _wanted(header: str) -> Iterator[str]:
    """Yield language ranges, the most wanted first; those with q=0 are not wanted."""
    ranges: list[tuple[float, str]] = []
    for part in header.split(",")[:_MOST]:
        name, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if name.strip() and 0 < quality <= 1:
            ranges.append((quality, name.strip()))
    ranges.sort(key=lambda one: -one[0])
    yield from (name for _, name in ranges)
