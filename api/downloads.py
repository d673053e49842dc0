"""Files that a client keeps: saved under a safe name, never shown as a page of ours."""

import re
import unicodedata
from urllib.parse import quote

from fastapi.responses import Response

BYTES = "application/octet-stream"


def download(content: bytes | str, name: str, *, media_type: str = BYTES) -> Response:
    """Return an answer that a browser saves under `name`, whatever that holds."""
    headers = {"Content-Disposition": disposition(name), "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=media_type, headers=headers)


def disposition(name: str) -> str:
    """Return the header's value for a name (RFC 6266): in ASCII, and whole when that says less.

    What ends a line, turns the writing's direction or leads to another folder is `_` in both.
    """
    whole = "".join(c if c.isprintable() and c not in "/\\" else "_" for c in name)
    letters = "".join(
        c for c in unicodedata.normalize("NFKD", whole) if not unicodedata.combining(c)
    )
    plain = re.sub(r"[^\w .()-]", "_", letters, flags=re.ASCII)
    encoded = "" if plain == whole else f"; filename*=UTF-8''{quote(whole, safe='')}"
    return f'attachment; filename="{plain}"{encoded}'
