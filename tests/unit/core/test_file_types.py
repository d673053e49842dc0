"""What a file is, by its content and not by its name."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping

import pytest

from core.file_types import TEXT, TYPES, UNKNOWN, Sample, fits


def sniffed(content: bytes, chunk: int = 1 << 16) -> str:
    sample = Sample()
    for at in range(0, len(content), chunk):
        sample.feed(content[at : at + chunk])
    return sample.media_type()


def zipped(entries: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def open_document(kind: str) -> bytes:
    media_type = f"application/vnd.oasis.opendocument.{kind}".encode()
    return zipped({"mimetype": media_type, "content.xml": b"<office/>"})


def office(folder: str) -> bytes:
    # A long entry first: the names that tell come after the sample of the beginning.
    return zipped(
        {"media/a.bin": bytes(100_000), "[Content_Types].xml": b"<Types/>", f"{folder}/a.xml": b""}
    )


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return file.getvalue()


FILES: dict[str, bytes] = {
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "rtf": b"{\\rtf1 a}",
    "odt": open_document("text"),
    "ods": open_document("spreadsheet"),
    "odp": open_document("presentation"),
    "docx": office("word"),
    "xlsx": office("xl"),
    "pptx": office("ppt"),
    "png": b"\x89PNG\r\n\x1a\n\0\0",
    "jpg": b"\xff\xd8\xff\xe0",
    "jpeg": b"\xff\xd8\xff\xe1",
    "gif": b"GIF89a\1\0",
    "zip": zipped({"a": b"x"}),
    "gz": gzip.compress(b"x"),
    "tgz": gzip.compress(tarred()),
    "tar.gz": gzip.compress(tarred()),
    "tar": tarred(),
    "7z": b"7z\xbc\xaf\x27\x1c\0\4",
    "pcap": b"\xd4\xc3\xb2\xa1\2\0\4\0",
    "pcapng": b"\x0a\x0d\x0d\x0a\x1c\0\0\0",
    "md": "# Извештај\n".encode(),
    "txt": "Përmbledhje\r\n".encode("cp1250"),
    "csv": "ö;1\n".encode("utf-16"),
}


@pytest.mark.parametrize("ending", FILES)
@pytest.mark.parametrize("chunk", [97, 1 << 20])
def test_a_file_is_what_its_ending_says(ending: str, chunk: int) -> None:
    assert fits(ending, sniffed(FILES[ending][:300_000], chunk))


def test_every_type_of_the_table_has_a_file_here_or_is_text() -> None:
    assert {e for e, types in TYPES.items() if types != {TEXT}} <= FILES.keys()


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        ("pdf", b"MZ\x90\0\3\0\0\0"),
        ("pdf", b"<html><script>alert(1)</script>"),
        ("md", b"\x7fELF\2\1\1\0"),
        ("txt", b"%PDF-1.7\n"),
        ("txt", b"a\0b"),
        ("csv", b"PK\x03\x04\0\0"),
        ("odt", FILES["docx"]),
        ("docx", FILES["odt"]),
        ("docx", FILES["zip"]),
        ("xlsx", FILES["docx"]),
        ("png", FILES["jpg"]),
        ("pcapng", FILES["pcap"]),
    ],
)
def test_a_file_that_is_something_else_does_not_fit(ending: str, content: bytes) -> None:
    assert not fits(ending, sniffed(content))


def test_text_is_text_to_its_end() -> None:
    assert sniffed(b"a" * 200_000) == TEXT
    assert sniffed(b"a" * 200_000 + b"\0") == UNKNOWN


def test_of_an_ending_that_nobody_knows_nobody_can_tell() -> None:
    assert fits("key", UNKNOWN)
    assert fits("key", TEXT)
