"""Whoever reads gets the language that their browser asks for, as far as there is one."""

import pytest
from starlette.requests import Request

from api.languages import language_for

LANGUAGES = ("en", "fr", "sr", "sr-Cyrl", "mk")


def asked(header: str | None) -> str:
    headers = [] if header is None else [(b"accept-language", header.encode("latin-1"))]
    return language_for(Request({"type": "http", "headers": headers}), LANGUAGES)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("fr", "fr"),
        ("FR-ch", "fr"),
        ("sr-Cyrl-RS, en;q=0.5", "sr-Cyrl"),
        ("sr-Latn-RS", "sr"),
        ("de, mk;q=0.3, fr;q=0.7", "fr"),
        ("fr;q=0, mk;q=0.1", "mk"),
        ("fr;q=2, mk", "mk"),
        ("fr;q=often, mk", "mk"),
        ("*", "en"),
        ("-, ;q=1, \xff", "en"),
        ("de," * 500 + "fr", "en"),
    ],
)
def test_the_best_language_is_found(header: str | None, language: str) -> None:
    assert asked(header) == language
