"""A form with a file, read as it comes: fields in front, then the file, to wherever it is kept.

Frameworks put such a file somewhere first, before anybody was asked whether it may come at all.
"""

from collections.abc import Callable

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.errors import UploadFormError
from scoring.uploads.store import Incoming

_MOST_FIELD = 1000

Begin = Callable[[str, str], Incoming]
"""Given a file's name and its key, return where it goes; what this raises ends the reading."""


class UploadForm:
    """The fields `client_key` and `file`, in this order; `begin` is called when the file begins."""

    def __init__(self, content_type: str, begin: Begin) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise UploadFormError("this is no form with a file", hint="Reload the page")
        self._begin = begin
        self._incoming: Incoming | None = None
        self._fields: dict[str, bytes] = {}
        self._headers: dict[bytes, bytes] = {}
        self._header = [b"", b""]
        self._part = ""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Read on; raises UploadFormError, and what `begin` and writing raise."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise UploadFormError(
                "the form cannot be read", hint="Reload the page and send it again"
            ) from error

    @property
    def incoming(self) -> Incoming:
        """Return the file that came; raises UploadFormError when there was none."""
        if self._incoming is None:
            raise UploadFormError("no file was chosen", hint="Choose one and send it")
        return self._incoming

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header[0].lower()] = self._header[1]
        self._header = [b"", b""]

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._part = options.get(b"name", b"").decode(errors="replace")
        name = options.get(b"filename", b"").decode(errors="replace")
        if self._part == "file" and name and self._incoming is None:
            key = self._fields.get("client_key", b"").decode(errors="replace")
            self._incoming = self._begin(name, key)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part == "file":
            if self._incoming is not None:
                self._incoming.write(data[start:end])
            return
        field = self._fields.get(self._part, b"") + data[start:end]
        if len(field) > _MOST_FIELD or len(self._fields) > _MOST_FIELD:
            raise UploadFormError("the form has more than it should", hint="Reload the page")
        self._fields[self._part] = field
