"""Files of pages. Those with a `.gz` beside them are sent compressed to whoever reads that."""

import os
from pathlib import Path

from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"


def has_terminals() -> bool:
    """Tell whether what draws terminals was fetched when this installation was built."""
    return (STATIC / "vendor" / "made-from").exists()


class PackedFiles(StaticFiles):
    """Static files; xterm.js weighs a quarter when it is packed."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return the file, packed where there is such a one and the reader takes it."""
        plain = super().file_response(full_path, stat_result, scope, status_code)
        packed = Path(f"{os.fspath(full_path)}.gz")
        takes = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        if not isinstance(plain, FileResponse) or not takes or not packed.exists():
            return plain
        headers = {"content-encoding": "gzip", "vary": "accept-encoding"}
        kept = {name: plain.headers[name] for name in ("etag", "last-modified")}
        return FileResponse(
            packed, status_code, headers=headers | kept, media_type=plain.media_type
        )
