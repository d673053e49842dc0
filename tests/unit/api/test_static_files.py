"""Files of pages, packed for those who read that."""

import asyncio
import gzip
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api.web.static_files import PackedFiles


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    (tmp_path / "big.mjs").write_text("plain")
    (tmp_path / "big.mjs.gz").write_bytes(gzip.compress(b"plain"))
    (tmp_path / "small.css").write_text("body {}")
    app = FastAPI()
    app.mount("/static", PackedFiles(directory=tmp_path))
    return app


def get(app: FastAPI, path: str, **headers: str) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://range.test") as client:
            return await client.get(f"/static/{path}", headers=headers)

    return asyncio.run(asked())


def test_a_file_is_sent_packed_to_who_reads_that(app: FastAPI) -> None:
    answer = get(app, "big.mjs", **{"Accept-Encoding": "gzip, br"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.text == "plain"
    again = get(app, "big.mjs", **{"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("path", "encodings", "text"),
    [("big.mjs", "identity", "plain"), ("small.css", "gzip", "body {}")],
)
def test_everything_else_is_sent_as_it_is(
    app: FastAPI, path: str, encodings: str, text: str
) -> None:
    answer = get(app, path, **{"Accept-Encoding": encodings})
    assert "content-encoding" not in answer.headers
    assert answer.text == text
