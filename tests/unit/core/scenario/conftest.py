from collections.abc import Callable
from pathlib import Path

import pytest

from core.scenario.lint import lint


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Make an empty folder named as the scenarios of these tests are."""
    folder = tmp_path / "small"
    folder.mkdir()
    return folder


@pytest.fixture
def lint_text(small: Path) -> Callable[[str], list[str]]:
    """Lint a scenario given as text; problems come as `line:col: severity: message`."""

    def lint_it(text: str) -> list[str]:
        (small / "scenario.yaml").write_text(text)
        prefix = f"{small}/scenario.yaml:"
        return [str(problem).removeprefix(prefix) for problem in lint(small)]

    return lint_it
