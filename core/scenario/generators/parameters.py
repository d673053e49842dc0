"""What stands below `with`: closed types whose strings may hold `{{ }}`.

They are read twice. At the desk a template passes unread and everything else must be right, in the
YAML's own types. For a team every string is rendered first and then read as its field's type.
"""

import re
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)

from core.scenario.fields import Part, Share, SomeTime, is_template, parse_instant

RENDERED = "rendered"
"""The context of the second reading."""
_LAST_PORT = 65_535
_FIRST_YEAR, _LAST_YEAR = 1981, 2100  # disks and captures cannot be dated otherwise
_SMALLEST_OFFICE = 28
_LARGEST_OFFICE = 16


def _read_later(
    value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
) -> object:
    if info.context != RENDERED and isinstance(value, str) and is_template(value):
        return value
    return handler(value)


class Parameters(Part):
    """The parameters of a generator."""

    _later = field_validator("*", mode="wrap")(_read_later)


class Kind:
    """What a field's type is called where parameters are listed."""

    def __init__(self, text: str) -> None:
        self.text = text


def _address(value: object) -> IPv4Address:
    try:
        return IPv4Address(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{value!r} is not an IPv4 address; write one like 203.0.113.7") from None


def _office_network(value: object) -> IPv4Network:
    try:
        network = IPv4Network(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{value!r} is not a network; write one like 10.20.30.0/24") from None
    if not _LARGEST_OFFICE <= network.prefixlen <= _SMALLEST_OFFICE:
        raise ValueError(f"{network} has no place for an office; it takes a /16 to a /28")
    return network


def _instant(value: object) -> datetime:
    instant = parse_instant(value if isinstance(value, str) else str(value))
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise ValueError(f"evidence is of the years {_FIRST_YEAR} to {_LAST_YEAR}, not {value!r}")
    return instant.replace(microsecond=0)


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("this must be one line, without control characters")
    return value


def _url_path(value: str) -> str:
    if not re.fullmatch(r"/[!-~]{0,200}", value) or '"' in value:
        raise ValueError(f"{value!r} is not a path of a page; write one like /upload.php")
    return value


Address = Annotated[IPv4Address, BeforeValidator(_address), Kind("IPv4 address")]
OtherAddresses = tuple[
    Annotated[
        IPv4Address,
        BeforeValidator(_address),
        WrapValidator(_read_later),  # in a list, where the class does not see to it
        Kind("IPv4 address"),
    ],
    ...,
]
OfficeNetwork = Annotated[IPv4Network, BeforeValidator(_office_network), Kind("network")]
When = Annotated[datetime, BeforeValidator(_instant), Kind("instant")]
Span = Annotated[SomeTime, Kind("duration")]
Portion = Annotated[Share, Kind("share")]
PortNumber = Annotated[int, Field(ge=1, le=_LAST_PORT)]
Login = Annotated[
    str,
    Field(pattern=r"^[a-z_][a-z0-9_.-]{0,31}$"),
    WrapValidator(_read_later),  # in a list, where the class does not see to it
    Kind("login name"),
]
Domain = Annotated[
    str,
    Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$"),
    Kind("domain"),
]
Hostname = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$")]
Mail = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._+-]{1,64}@[a-z0-9.-]{1,200}$"), Kind("mail address")
]
Line = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_one_line)]
UrlPath = Annotated[str, AfterValidator(_url_path), Kind("path of a page")]
LongText = Annotated[str, Field(max_length=100_000)]
Noise = Literal["none", "low", "medium", "high"]
"""How much of what is not the story."""


class OfficeParameters(Parameters):
    """The office that evidence is from; left out, it is invented, the same for all of a team."""

    network: OfficeNetwork | None = Field(default=None, description="where the office's people sit")
    people: tuple[Login, ...] = Field(
        default=(), max_length=50, description="who works there, by login name"
    )
    domain: Domain | None = Field(default=None, description="the office's domain")
    noise: Noise = Field(default="medium", description="how much happens besides the story")


class LogParameters(Parameters):
    """What is written for as long as its machine runs."""

    until: When | None = Field(
        default=None, description="when the machine was taken away; else the exercise's start"
    )
