"""What the engine counts of a container, in the words of its stats."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from orchestrator.ports import Usage

# Pages of files that the kernel drops before anything is short; cgroups 2 and 1 name them apart.
_CACHED = ("inactive_file", "total_inactive_file")


def usage_of(stats: Mapping[str, Any]) -> Usage | None:
    """Return what a container uses; `None` when it ended while the engine counted."""
    memory = stats.get("memory_stats") or {}
    if "usage" not in memory:
        return None
    details = memory.get("stats") or {}
    cached = next((details[name] for name in _CACHED if name in details), 0)
    nanoseconds = stats["cpu_stats"]["cpu_usage"]["total_usage"]
    return Usage(
        memory=max(memory["usage"] - cached, 0), cpu=timedelta(microseconds=nanoseconds // 1000)
    )
