"""What a run tells: a line a seed, a table at the end, everything as JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import median, quantiles
from typing import Any

from tests.benchmarks.faulting.schedule import Kind
from tests.benchmarks.faulting.seed import Outcome


def line(outcome: Outcome) -> str:
    """Return a seed in one line; a failed one with its schedule and the ends of the logs."""
    head = (
        f"seed {outcome.seed:>4}  {outcome.seconds:6.1f} s  {len(outcome.struck)} faults"
        f"  slowest back in {max(outcome.converged, default=0):5.1f} s"
    )
    if not outcome.wrong:
        return f"{head}  holds"
    logs = [f"--- {name}\n{text}" for name, text in outcome.logs.items()]
    return "\n".join(
        [f"{head}  FAILED", *map(str, outcome.faults), "---", *outcome.wrong, *logs, ""]
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the faults by kind, how soon all was well again, and what failed."""
    counts = Counter(kind for outcome in outcomes for kind in outcome.struck)
    lines = [f"  {kind:<34} {counts[kind]:>5}" for kind in Kind if counts[kind]]
    none = [kind for kind in Kind if not counts[kind]]
    failed = [outcome.seed for outcome in outcomes if outcome.wrong]
    times = summary([t for outcome in outcomes for t in outcome.converged])
    remnants = sum(outcome.remnants for outcome in outcomes)
    seeds = summary([outcome.seconds for outcome in outcomes])
    return "\n".join(
        [
            f"{len(outcomes)} seeds, {counts.total()} faults",
            *lines,
            *([f"  never struck: {', '.join(none)}"] if none else []),
            f"seconds from a fault's end to its step's goal: {times}",
            f"seconds a seed, start and end of the processes included: {seeds}",
            f"asked again for what had honestly failed: {sum(o.retries for o in outcomes)} times",
            f"left by killed processes, for the next removal or the janitor: {remnants}",
            f"failed: {', '.join(map(str, failed)) or 'none'}",
        ]
    )


def summary(values: Sequence[float]) -> str:
    """Return middle, 95th percentile and maximum."""
    if len(values) < 2:  # a percentile needs two
        return "too few to tell"
    high = quantiles(values, n=20)[-1]
    return f"p50 {median(values):.1f}, p95 {min(high, max(values)):.1f}, max {max(values):.1f}"


def as_json(outcomes: Sequence[Outcome]) -> list[Mapping[str, Any]]:
    """Return every seed with its schedule."""
    return [asdict(outcome) for outcome in outcomes]
