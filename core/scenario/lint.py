"""What an author is told before anything is launched."""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

from core.scenario.load import Problem, ScenarioInvalidError, load
from core.scenario.site_policy import NOTHING_PERMITTED, SitePolicy


def lint(path: Path, policy: SitePolicy = NOTHING_PERMITTED) -> tuple[Problem, ...]:
    """Return every error and warning of a scenario, sorted by file, line and column."""
    try:
        return load(path, policy).warnings
    except ScenarioInvalidError as exc:
        return exc.problems


def lint_all(
    paths: Sequence[Path], policy: SitePolicy = NOTHING_PERMITTED
) -> Iterator[tuple[Problem, ...]]:
    """Yield what `lint` returns of each, in their order; as many at a time as there are processors.

    One after another in a process that has threads: their locks would be copied as they are.
    """
    workers = min(len(paths), os.cpu_count() or 1)
    if workers < 2 or threading.active_count() > 1:  # noqa: PLR2004  # one is none beside it
        yield from map(lint, paths, repeat(policy))
        return
    context = get_context("fork" if sys.platform == "linux" else None)
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(lint, paths, repeat(policy))
