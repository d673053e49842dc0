"""Flaws that versions of the engine and of runc are known for, and the versions that mend them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:[-~]?rc\.?(\d+))?")
# A distribution's own version has its mark behind the numbers, and mends flaws without a new one.
_UPSTREAM = re.compile(r"v?\d+\.\d+\.\d+([-~]?rc\.?\d+)?(-\d+-g[0-9a-f]+)?")
_FINAL = 10_000


class Program(StrEnum):
    """Whose flaw it is."""

    RUNC = "runc"
    ENGINE = "Docker Engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """A flaw; each of `mended_in` mends its own line (`1.2`), and the last one all after it."""

    program: Program
    cves: tuple[str, ...]
    says: str
    mended_in: tuple[str, ...]
    is_grave: bool = False
    """Whether a range is no range with it: nothing of ours helps."""

    def __str__(self) -> str:
        """Return what it is, with its numbers."""
        return f"{self.says} ({', '.join(self.cves)})"


ADVISORIES = (
    Advisory(
        program=Program.RUNC,
        cves=("CVE-2024-21626",),
        says="lets root out of a container",
        mended_in=("1.1.12",),
        is_grave=True,
    ),
    Advisory(
        program=Program.RUNC,
        cves=("CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"),
        says="has races at a container's start that lead out of it",
        mended_in=("1.2.8", "1.3.3", "1.4.0-rc.3"),
    ),
    Advisory(
        program=Program.ENGINE,
        cves=("CVE-2021-41091",),
        says="lets users of its machine into the files of containers",
        mended_in=("20.10.9",),
    ),
    Advisory(
        program=Program.ENGINE,
        cves=("CVE-2025-54410",),
        says="does not keep networks apart any more after firewalld was reloaded",
        mended_in=("25.0.13", "28.0.0"),
    ),
)
FORWARDED_NAMES = Advisory(
    program=Program.ENGINE,
    cves=("CVE-2024-29018",),
    says="asks the host's resolver for internal networks",
    mended_in=("23.0.11", "25.0.5", "26.0.0"),
)
"""Apart, because it depends on that resolver, and hosts of ranges are told another one."""


def known_flaws(program: Program, version: str) -> Iterator[Advisory]:
    """Yield what a version of a program is known for; nothing of one that cannot be read."""
    for advisory in ADVISORIES:
        if advisory.program is program and concerns(advisory, version):
            yield advisory


def concerns(advisory: Advisory, version: str) -> bool:
    """Tell whether a version is older than what mends it; not of one that cannot be read."""
    has = _numbers(version)
    mends = [_numbers(text) for text in advisory.mended_in]
    return bool(has) and has < max(mends) and not any(m[:2] == has[:2] and has >= m for m in mends)


def is_upstream(version: str) -> bool:
    """Tell whether a version is the project's own, so that its numbers say what it mends."""
    return bool(_UPSTREAM.fullmatch(version))


def _numbers(version: str) -> tuple[int, ...]:
    """Return three numbers and that of a candidate, which comes before the release."""
    found = _VERSION.match(version)
    if found is None:
        return ()
    *numbers, candidate = found.groups()
    return (*map(int, numbers), int(candidate) if candidate else _FINAL)
