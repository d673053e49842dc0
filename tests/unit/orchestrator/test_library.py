"""The pinned copies of scenarios on the site's own disk."""

from pathlib import Path

import pytest

from core.errors import Fault
from orchestrator.library import Library, ScenarioNotUnpackedError
from tests.unit.orchestrator.conftest import Site


def test_a_disk_that_takes_no_files_is_named_and_tried_again(site: Site, tmp_path: Path) -> None:
    digest = site.launch().scenario_digest
    folder = tmp_path / "other"
    library = Library(site.database, site.clock, folder)
    folder.write_text("in the way")
    with pytest.raises(ScenarioNotUnpackedError, match=str(folder)) as refusal:
        library.scenario(digest)
    assert refusal.value.fault is Fault.UPSTREAM
    folder.unlink()
    assert library.scenario(digest).digest == digest
