"""The scenario that a new one begins with."""

from pathlib import Path

import pytest

from api.cli.starter import ScenarioExistsError, ScenarioNameError, write_starter
from core.scenario.lint import lint
from core.scenario.load import load


def test_it_lints_without_a_warning_and_bears_its_name(tmp_path: Path) -> None:
    folder = write_starter(tmp_path / "my-case")
    assert lint(folder) == ()
    head = load(folder).scenario.scenario
    assert (head.id, head.title) == ("my-case", "My case")


def test_nothing_is_written_over(tmp_path: Path) -> None:
    write_starter(tmp_path / "my-case")
    with pytest.raises(ScenarioExistsError):
        write_starter(tmp_path / "my-case")


@pytest.mark.parametrize("name", ["My-case", "1case", "a" * 42, "ä"])
def test_a_name_that_is_no_id_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ScenarioNameError):
        write_starter(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ScenarioNameError, match="cannot be written"):
        write_starter(tmp_path / "file" / "my-case")
