"""What an author is told before anything is launched."""

from pathlib import Path

from core.scenario.load import Problem, ScenarioInvalidError, load
from core.scenario.site_policy import NOTHING_PERMITTED, SitePolicy


def lint(path: Path, policy: SitePolicy = NOTHING_PERMITTED) -> tuple[Problem, ...]:
    """Return every error and warning of a scenario, sorted by file, line and column."""
    try:
        return load(path, policy).warnings
    except ScenarioInvalidError as exc:
        return exc.problems
