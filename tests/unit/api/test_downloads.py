"""Names of downloads, whatever an author called a file."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.downloads import disposition, download

HEADER = re.compile(
    r'attachment; filename="(?P<plain>[\w .()-]*)"'
    r"(; filename\*=UTF-8''(?P<whole>[\w.~%-]+))?",
    re.ASCII,
)
NAMES = {
    "record.csv": 'attachment; filename="record.csv"',
    "press release (2).pdf": 'attachment; filename="press release (2).pdf"',
    'a"; filename="b.html': (
        'attachment; filename="a__ filename__b.html";'
        " filename*=UTF-8''a%22%3B%20filename%3D%22b.html"
    ),
    "a\r\nSet-Cookie: b": (
        "attachment; filename=\"a__Set-Cookie_ b\"; filename*=UTF-8''a__Set-Cookie%3A%20b"
    ),
    "Größe.pdf": "attachment; filename=\"Gro_e.pdf\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.pdf",
    "Извјештај.pdf": (
        "attachment; filename=\"_________.pdf\"; filename*=UTF-8''"
        "%D0%98%D0%B7%D0%B2%D1%98%D0%B5%D1%88%D1%82%D0%B0%D1%98.pdf"
    ),
    "../../etc/passwd": 'attachment; filename=".._.._etc_passwd"',
    "a\\b": 'attachment; filename="a_b"',
    "invoice\u202efdp.exe": 'attachment; filename="invoice_fdp.exe"',
    "\ud800": 'attachment; filename="_"',
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_safe_and_says_as_much_as_it_can(name: str) -> None:
    assert disposition(name) == NAMES[name]


@given(st.text(max_size=100))
def test_no_name_gets_out_of_its_header(name: str) -> None:
    found = HEADER.fullmatch(disposition(name))
    assert found is not None
    whole = unquote(found["whole"] or found["plain"])
    assert whole.isprintable()
    assert not set("/\\") & set(whole)


def test_a_page_among_the_files_is_bytes_to_keep() -> None:
    answer = download(b"<script>", "x.html")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
