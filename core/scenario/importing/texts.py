"""Foreign text as text of the language: names, titles, and strings that are no templates."""

import re
from collections.abc import Collection

_NOT_IN_IDS = re.compile(r"[^a-z0-9_-]+")
_ALIAS = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
_NOT_IN_FILES = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_ID = 41
_LONGEST_FILE = 60
_BRACES = re.compile(r"\{{2,}|\{(?=%)")
_DOUBLE = re.compile(r"\{(?=\{)")
_LONGEST_TITLE = 200


def id_of(name: str, taken: Collection[str] = (), *, otherwise: str = "x") -> str:
    """Return an id that looks like a name and is not taken."""
    clean = _NOT_IN_IDS.sub("-", name.lower()).strip("-_") or otherwise
    if not clean[0].isalpha():
        clean = f"{otherwise}-{clean}"
    clean = clean[:_LONGEST_ID].rstrip("-_")
    result, number = clean, 1
    while result in taken:
        number += 1
        end = f"-{number}"
        result = clean[: _LONGEST_ID - len(end)] + end
    return result


def alias_of(name: str) -> str | None:
    """Return a name as one that a host can have in a network; None when it cannot be one."""
    lower = name.lower()
    return lower if _ALIAS.fullmatch(lower) else None


def file_name(path: str) -> str:
    """Return what a file of the draft is called, after a path of the source."""
    return _NOT_IN_FILES.sub("-", path.rstrip("/").rpartition("/")[2])[-_LONGEST_FILE:] or "file"


def literal(text: str) -> str:
    """Return a string of the language that renders to `text`, whatever is in it."""
    return _BRACES.sub(lambda braces: "{{ '" + braces[0] + "' }}", text)


def plain(text: str) -> str:
    """Return a text that is shown before any team exists, in which `{{` cannot stand."""
    return _DOUBLE.sub("{ ", text)


def has_controls(text: str) -> bool:
    """Tell whether a text holds what is no text."""
    return any((char < " " and char not in "\t\n\r") or "\x7f" <= char <= "\x9f" for char in text)


def title(text: str, *, otherwise: str) -> str:
    """Return a text as a title of one line."""
    line = plain(" ".join(text.split()))[:_LONGEST_TITLE]
    return line or otherwise
