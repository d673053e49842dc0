"""How long a launch will take, from launches before it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A launch that ended with every world ready: of which scenario, how large, how long."""

    scenario_digest: str
    hosts: int
    took: timedelta


def estimated(past: Sequence[Build], *, scenario_digest: str, hosts: int) -> timedelta | None:
    """Return how long a launch of so many hosts will take; `None` when nothing is known.

    By the median time a host took in launches of the same scenario; without any, of all.
    """
    same = [build for build in past if build.scenario_digest == scenario_digest]
    known = [build for build in same or past if build.hosts]
    if not known or not hosts:
        return None
    each = median(build.took.total_seconds() / build.hosts for build in known)
    return timedelta(seconds=each * hosts)
