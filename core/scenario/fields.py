"""The field types of the scenario language: ids, durations, sizes, shares and templates."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from core.scenario.written import TEMPLATE, one_of, written

_UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:\d{1,6}d)?(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,6}s)?", re.ASCII)
_SIZE = re.compile(r"(\d{1,9})(k|m|g|KiB|MiB|GiB)", re.ASCII)
_POWERS = {"k": 10, "m": 20, "g": 30}
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)%", re.ASCII)
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
_LAST_PORT = 65_535
_LATENCY = re.compile(r"(\d{1,6})ms", re.ASCII)
_RATE = re.compile(r"([1-9]\d{0,5})(kbit|mbit|gbit)", re.ASCII)
_BITS = {"kbit": 1000, "mbit": 1000**2, "gbit": 1000**3}
_FILE_TYPE = re.compile(r"[a-z0-9]{1,10}(?:\.[a-z0-9]{1,10})?", re.ASCII)
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)
_MOMENT = re.compile(r"exercise\.(start|day)(?:\s*([+-])\s*(\S+))?", re.ASCII)


class Part(BaseModel):
    """A mapping of the language: closed, but for keys of an author's own that begin with `x-`.

    What stands under a field is what the published schema says of its key.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )

    @model_validator(mode="before")
    @classmethod
    def _without_own_keys(cls, data: Any) -> Any:  # noqa: ANN401  # whatever the YAML held
        if not isinstance(data, dict):
            return data
        return {k: v for k, v in data.items() if not (isinstance(k, str) and k.startswith("x-"))}


def is_template(text: str) -> bool:
    """Tell whether a string of the YAML file is rendered per team before it is used."""
    return "{{" in text


def spoken(name: str) -> str:
    """Return an id as people read it where it has no title: `back_door` as `back door`."""
    return name.replace("_", " ")


def parse_duration(text: object) -> timedelta:
    """Read `90s`, `40m`, `2h30m`; raise ValueError for anything else, bare numbers included."""
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not text or not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration; write it like 90s, 40m or 2h30m")
    return timedelta(seconds=sum(int(n) * _UNITS[u] for n, u in re.findall(r"(\d+)([dhms])", text)))


def parse_size(text: object) -> int:
    """Read a binary size such as `512m` or `4GiB`; return bytes; raise ValueError otherwise."""
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a size; write it like 512m, 4g or 64KiB")
    return int(match[1]) << _POWERS[match[2][0].lower()]


def parse_share(text: object) -> Fraction:
    """Read `60%`; return an exact number from 0 to 1; raise ValueError otherwise."""
    match = _SHARE.fullmatch(text) if isinstance(text, str) else None
    share = Fraction(match[1]) / 100 if match else None
    if share is None or share > 1:
        raise ValueError(f"{text!r} is not a share; write it like 60%")
    return share


def parse_latency(text: object) -> timedelta:
    """Read `200ms`, or a duration such as `2s`; raise ValueError otherwise."""
    match = _LATENCY.fullmatch(text) if isinstance(text, str) else None
    if match is not None:
        return timedelta(milliseconds=int(match[1]))
    try:
        return parse_duration(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a delay; write it like 200ms or 2s") from None


def parse_rate(text: object) -> int:
    """Read `512kbit`, `10mbit`; return bits a second; raise ValueError otherwise."""
    match = _RATE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a rate; write it like 512kbit or 10mbit")
    return int(match[1]) * _BITS[match[2]]


def _without_template(text: str) -> str:
    if is_template(text):
        raise ValueError("this is read before any team exists, so it cannot hold {{ }}")
    return text


def _harmless(text: str) -> str:
    if re.search(_OBEYED, text):
        raise ValueError("this holds a control character, which a terminal would obey")
    return text


def _long_enough(value: timedelta) -> timedelta:
    if not value:
        raise ValueError("must be longer than nothing")
    return value


def _prefix_length(text: object) -> int:
    match = re.fullmatch(r"/(\d{1,2})", text) if isinstance(text, str) else None
    if match is None or not 16 <= int(match[1]) <= 30:  # noqa: PLR2004  # the sentence says it
        raise ValueError(f"{text!r} is not a network size; write one from /16 to /30, like /28")
    return int(match[1])


def _relative_path(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in text or "\0" in text:
        raise ValueError(f"{text!r} must be a path inside the scenario's folder")
    return text


def _file_name(text: str) -> str:
    if text in {"", ".", ".."} or set("/\\") & set(text) or not text.isprintable():
        raise ValueError(f"{text!r} is not a file's name; write one like 'press release.pdf'")
    return _without_template(text)


def _file_type(text: str) -> str:
    if not _FILE_TYPE.fullmatch(text):
        raise ValueError(f"{text!r} is not a file's ending; write it like pdf, without a dot")
    return text


def _host_path(text: str) -> str:
    if not text.startswith("/") or ".." in text.split("/") or text.endswith("/") or "\0" in text:
        raise ValueError(f"{text!r} must be an absolute path of a file on the host")
    return text


def _host_place(text: str) -> str:
    return _host_path(text.removesuffix("/")) and text


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 time with a zone; return it in UTC; raise ValueError otherwise."""
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):  # the first and the last day have no place in every zone
        raise ValueError(f"{text[:40]!r} is not an instant") from None
    raise ValueError(f"{text!r} has no zone; end it with Z")


def require_sha256(text: str) -> str:
    """Return 64 hexadecimal digits in small letters; raise ValueError for anything else."""
    if not _SHA256.fullmatch(text.strip()):
        raise ValueError(f"{text[:70]!r} is not a SHA-256: 64 hexadecimal digits")
    return text.strip().lower()


def _sha256(text: str) -> str:
    return text if is_template(text) else require_sha256(text)


def _tolerance(value: object) -> float | Fraction:
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return value
    try:
        return parse_share(value)
    except ValueError:
        raise ValueError(f"{value!r} is neither a number nor a share like 5%") from None


def number_or_template(what: str, *, low: float, high: float) -> Callable[[object], object]:
    """Return a validator of whole numbers from `low` to `high` that lets templates through."""

    def check(value: object) -> object:
        if isinstance(value, str) and is_template(value):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise ValueError(f"{value!r} is not {what}")

    return check


def _amount(value: object) -> object:
    if isinstance(value, str) and is_template(value):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is not a number")


class Moment(BaseModel):
    """A time relative to the exercise: `exercise.start - 36h`, `exercise.day + 2h`.

    `day` is midnight UTC before the start: it lets an author say "in the night before", whatever
    hour the class begins.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    of_day: bool
    offset: timedelta


def parse_moment(text: object) -> Moment:
    """Read a moment; raise ValueError with an example otherwise."""
    match = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a moment; write it like exercise.start - 36h")
    offset = parse_duration(match[3]) if match[3] else timedelta()
    return Moment(of_day=match[1] == "day", offset=-offset if match[2] == "-" else offset)


def parse_ports(text: str) -> tuple[int, int]:
    """Read `443` or `1000-1010`; return first and last; raise ValueError otherwise."""
    match = _PORTS.fullmatch(text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= _LAST_PORT:
        raise ValueError(f"{text!r} is not a port; write 443 or '1000-1010'")
    return first, last


def _port_range(value: object) -> object:
    if isinstance(value, str) and not is_template(value):
        parse_ports(value)
        return value
    return number_or_template("a port", low=1, high=_LAST_PORT)(value)


ID_PATTERN = r"^[a-z][a-z0-9_-]{0,40}$"
_DURATION_FORM = rf"^(?=.){_DURATION.pattern}$"
_LONGER_FORM = rf"^(?=.*[1-9]){_DURATION.pattern}$"
_SHARE_FORM = rf"^{_SHARE.pattern}$"
_NUMBER = {"type": "number"}
_PORT = {"type": "integer", "minimum": 1, "maximum": _LAST_PORT}
_PORTS_FORM = {"type": "string", "pattern": rf"^{_PORTS.pattern}$"}
_STATUS = {"type": "integer", "minimum": 100, "maximum": 599}
_NOT_NEGATIVE = {"type": "number", "minimum": 0}
# All control characters but the tab and the line's end.
_OBEYED = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
_DURATIONS = ("90s", "40m", "2h30m")

Id = Annotated[str, Field(title="id", pattern=ID_PATTERN)]
CompetencyId = Annotated[
    str, Field(title="competency id", pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,40}$")
]
Ref = Annotated[str, Field(title="reference", pattern=ID_PATTERN)]
"""The id of something else in the same file; `references` checks that it is there."""
CompetencyRef = CompetencyId
Text = Annotated[str, Field(title="text", min_length=1, max_length=20_000)]
"""Text for people; may hold `{{ }}`."""
PlainText = Annotated[
    str,
    Field(
        title="plain text",
        min_length=1,
        max_length=20_000,
        json_schema_extra={"not": {"pattern": f"{TEMPLATE['pattern']}|{_OBEYED}"}},
    ),
    AfterValidator(_without_template),
    AfterValidator(_harmless),
]
"""Text that is shown before any team exists, so without `{{ }}`; on terminals, too."""
Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    written("duration", _DURATION_FORM, *_DURATIONS),
]
SomeTime = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    AfterValidator(_long_enough),
    written("duration above zero", _LONGER_FORM, *_DURATIONS),
]
"""A duration that is not zero."""
Latency = Annotated[
    timedelta,
    BeforeValidator(parse_latency),
    AfterValidator(_long_enough),
    written("delay", rf"^(?=.*[1-9])({_LATENCY.pattern}|{_DURATION.pattern})$", "200ms", "2s"),
]
BitRate = Annotated[
    int, BeforeValidator(parse_rate), written("rate", rf"^{_RATE.pattern}$", "512kbit", "10mbit")
]
"""Bits a second."""
ByteSize = Annotated[
    int,
    BeforeValidator(parse_size),
    written("size", rf"^{_SIZE.pattern}$", "512m", "4g", "64KiB"),
]
Share = Annotated[Fraction, BeforeValidator(parse_share), written("share", _SHARE_FORM, "60%")]
PrefixLength = Annotated[
    int,
    BeforeValidator(_prefix_length),
    written("prefix length", r"^/(1[6-9]|2[0-9]|30)$", "/27", "/28"),
]
FolderPath = Annotated[
    str,
    AfterValidator(_relative_path),
    written("path in the folder", r"^(?!/)(?!(.*/)?\.\.(/|$))[^\\]+$", "evidence/auth.log.j2"),
]
"""A file or folder of the scenario, relative to its folder."""
FileName = Annotated[
    str,
    Field(max_length=100),
    AfterValidator(_file_name),
    written("file name", r"^(?!.*\{\{)(?!\.{1,2}$)[^/\\\r\n]{1,100}$", "press release.pdf"),
]
"""What a file is called, without folders; the same for every team."""
FileType = Annotated[
    str,
    AfterValidator(_file_type),
    written("file type", rf"^{_FILE_TYPE.pattern}$", "pdf", "tar.gz"),
]
"""The ending of a file's name in small letters; what comes in may have capitals there."""
HostPath = Annotated[
    str,
    AfterValidator(_host_path),
    written("absolute path", r"^/(?!(.*/)?\.\.(/|$)).*[^/]$", "/var/log/auth.log"),
]
HostPlace = Annotated[
    str,
    AfterValidator(_host_place),
    written("absolute path", r"^/(?!(.*/)?\.\.(/|$)).*[^/]/?$", "/var/log/auth.log", "/home/ana/"),
]
"""A file on a host, or with `/` at its end a folder."""
Sha256 = Annotated[
    str,
    AfterValidator(_sha256),
    one_of("SHA-256", {"type": "string", "pattern": rf"^{_SHA256.pattern}$"}, TEMPLATE),
]
"""A digest in hexadecimal, or a template that renders to one (`require_sha256`)."""
Alias = Annotated[str, Field(title="host name", pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")]
Command = Annotated[tuple[str, ...], Field(title="command", min_length=1)]
Port = Annotated[
    int | str,
    BeforeValidator(number_or_template("a port", low=1, high=_LAST_PORT)),
    one_of("port", _PORT, TEMPLATE),
]
"""A number, or a template that renders to one (`Renderer.port`)."""
PortRange = Annotated[
    int | str, BeforeValidator(_port_range), one_of("port or ports", _PORT, _PORTS_FORM, TEMPLATE)
]
"""A port, two with a dash between, or a template of either (`Renderer.ports`)."""
HttpStatus = Annotated[
    int | str,
    BeforeValidator(number_or_template("an HTTP status", low=100, high=599)),
    one_of("HTTP status", _STATUS, TEMPLATE),
]
Amount = Annotated[int | float | str, BeforeValidator(_amount), one_of("number", _NUMBER, TEMPLATE)]
"""A number, or a template that renders to one (`Renderer.number`)."""
Instant = Annotated[str, Field(title="instant", min_length=1)]
"""ISO 8601 with a zone, usually a template (`Renderer.instant`)."""
Tolerance = Annotated[
    int | float | Fraction,
    BeforeValidator(_tolerance),
    one_of("number or share", _NOT_NEGATIVE, {"type": "string", "pattern": _SHARE_FORM}),
]
"""A number is absolute, a Fraction is a share of the right value."""
MomentField = Annotated[
    Moment,
    BeforeValidator(parse_moment),
    written("moment", rf"^{_MOMENT.pattern}$", "exercise.start - 36h", "exercise.day + 2h"),
]
