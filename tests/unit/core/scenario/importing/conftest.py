from collections.abc import Callable
from pathlib import Path

import pytest

from core.scenario.importing.errors import ImportRefusedError
from core.scenario.importing.importer import Imported, import_file
from core.scenario.load import load
from core.scenario.schema import Scenario
from tests.unit.core.scenario.importing.foreign import lay_out


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Make the folder of the invented files."""
    return lay_out(tmp_path / "source")


@pytest.fixture
def bring(source: Path, tmp_path: Path) -> Callable[[str], tuple[Scenario, Imported]]:
    """Bring in a file of that folder; return the draft as it loads, and the report."""

    def bring_it(name: str) -> tuple[Scenario, Imported]:
        imported = import_file(source / name, tmp_path / "draft")
        assert imported.warnings == ()
        return load(tmp_path / "draft").scenario, imported

    return bring_it


@pytest.fixture
def reasons(source: Path, tmp_path: Path) -> Callable[[str], list[str]]:
    """Bring in a text that is refused; return the reasons as `line:col: reason`."""

    def refuse_it(text: str) -> list[str]:
        file, draft = source / "given.yml", tmp_path / "refused"
        file.write_text(text)
        with pytest.raises(ImportRefusedError) as refused:
            import_file(file, draft)
        assert not draft.exists()
        return [str(p).removeprefix(f"{file}:") for p in refused.value.problems]

    return refuse_it
