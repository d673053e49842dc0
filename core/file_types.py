"""What a file is by its content, and whether that is what the ending of its name says.

A small table instead of a library: the types that people hand in, told apart by fixed bytes at the
beginning, and text by having none of the bytes that text does not have. Nothing is unpacked.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

TEXT = "text/plain"
UNKNOWN = "application/octet-stream"
_ZIP = "application/zip"
_GZIP = "application/gzip"
_PCAP = "application/vnd.tcpdump.pcap"
_PCAPNG = "application/x-pcapng"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_OFFICE = "application/vnd.openxmlformats-officedocument."

_TEXTS = (
    *("txt", "md", "csv", "tsv", "json", "yaml", "yml", "xml", "html", "log", "eml", "tex"),
    *("py", "sh", "sql", "svg", "ics"),
)
TYPES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **{ending: frozenset({TEXT}) for ending in _TEXTS},
        "pdf": frozenset({"application/pdf"}),
        "rtf": frozenset({"application/rtf"}),
        "odt": frozenset({f"{_OPEN_DOCUMENT}text"}),
        "ods": frozenset({f"{_OPEN_DOCUMENT}spreadsheet"}),
        "odp": frozenset({f"{_OPEN_DOCUMENT}presentation"}),
        "docx": frozenset({f"{_OFFICE}wordprocessingml.document"}),
        "xlsx": frozenset({f"{_OFFICE}spreadsheetml.sheet"}),
        "pptx": frozenset({f"{_OFFICE}presentationml.presentation"}),
        "png": frozenset({"image/png"}),
        "jpg": frozenset({"image/jpeg"}),
        "jpeg": frozenset({"image/jpeg"}),
        "gif": frozenset({"image/gif"}),
        "zip": frozenset({_ZIP}),
        "gz": frozenset({_GZIP}),
        "tgz": frozenset({_GZIP}),
        "tar.gz": frozenset({_GZIP}),
        "tar": frozenset({"application/x-tar"}),
        "7z": frozenset({"application/x-7z-compressed"}),
        "pcap": frozenset({_PCAP, _PCAPNG}),  # what writes them calls both so
        "pcapng": frozenset({_PCAPNG}),
    }
)
"""Ending of a name → what such a file may be. Of any other ending nobody can tell."""

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", "application/rtf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x1f\x8b", _GZIP),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    *((magic, _PCAP) for magic in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4")),
    *((magic, _PCAP) for magic in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")),
    (b"\x0a\x0d\x0d\x0a", _PCAPNG),
)
_PDF, _PDF_WITHIN = b"%PDF-", 1024  # some writers put a line before it
_TAR, _TAR_AT = b"ustar", 257
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
# OpenDocument 1.2, part 3, 3.3: the first entry is called so, and lies there as it is.
_MIMETYPE_AT, _MIMETYPE = 30, b"mimetype"
_OFFICE_MARK = b"[Content_Types].xml"
_OFFICE_FOLDERS = {
    b"word/": f"{_OFFICE}wordprocessingml.document",
    b"xl/": f"{_OFFICE}spreadsheetml.sheet",
    b"ppt/": f"{_OFFICE}presentationml.presentation",
}
_NOT_IN_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SAMPLE = 64 * 1024


class Sample:
    """What is kept of a file while it goes by: its two ends, and whether all of it is text."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = b""
        self._is_text = True

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes of the file."""
        self._head += chunk[: _SAMPLE - len(self._head)]
        self._tail = (self._tail + chunk)[-_SAMPLE:]
        if self._is_text and not self._head.startswith(_UTF_16):
            self._is_text = _NOT_IN_TEXT.search(chunk) is None

    def media_type(self) -> str:
        """Return what it is; UNKNOWN for what the table does not have."""
        head = bytes(self._head)
        if _PDF in head[:_PDF_WITHIN]:
            return "application/pdf"
        if head.startswith(_ZIPS):
            return self._zip(head)
        for beginning, media_type in _BEGINNINGS:
            if head.startswith(beginning):
                return media_type
        if head[_TAR_AT:].startswith(_TAR):
            return "application/x-tar"
        return TEXT if self._is_text else UNKNOWN

    def _zip(self, head: bytes) -> str:
        if head[_MIMETYPE_AT:].startswith(_MIMETYPE):
            told = head[_MIMETYPE_AT + len(_MIMETYPE) :]
            for ending in ("odt", "ods", "odp"):
                (media_type,) = TYPES[ending]
                if told.startswith(media_type.encode()):
                    return media_type
        # The names of its entries stand at the end of an archive, whatever their order.
        ends = head + self._tail
        if _OFFICE_MARK in ends:
            for folder, media_type in _OFFICE_FOLDERS.items():
                if folder in ends:
                    return media_type
        return _ZIP


def fits(ending: str, media_type: str) -> bool:
    """Tell whether a file of that type may have that ending; any may have one nobody knows."""
    return media_type in TYPES.get(ending, {media_type})
