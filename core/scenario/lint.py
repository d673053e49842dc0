"""What an author is told before anything is launched."""

from pathlib import Path

from core.scenario.load import Problem, ScenarioInvalidError, load


def lint(path: Path) -> tuple[Problem, ...]:
    """Return every error and warning of a scenario, sorted by file, line and column."""
    try:
        return load(path).warnings
    except ScenarioInvalidError as exc:
        return exc.problems
