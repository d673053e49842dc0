"""The folder of scenarios, as it is now."""

import os
from pathlib import Path

import pytest

from api.catalogue import Catalogue, ScenarioUnknownError
from core.scenario.load import ScenarioInvalidError
from core.scenario.site_policy import Grant, SitePolicy
from tests.fakes.api_site import SCENARIO


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"house": SCENARIO, "torn": "language: 2\n"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "scenario.yaml").write_text(text)
    (tmp_path / "notes").mkdir()
    return tmp_path


def test_whole_and_broken_scenarios_are_offered_and_other_folders_are_not(folder: Path) -> None:
    house, torn = Catalogue(folder).offers()
    assert (house.id, house.problems) == ("house", ())
    assert torn.loaded is None
    assert torn.problems


def test_a_scenario_is_read_once_and_again_when_a_file_of_it_changed(folder: Path) -> None:
    catalogue = Catalogue(folder)
    first = catalogue.get("house")
    assert catalogue.get("house") is first
    file = folder / "house" / "scenario.yaml"
    file.write_text(SCENARIO.replace("The house", "The barn"))
    os.utime(file, ns=(1, 1))
    assert catalogue.get("house").scenario.scenario.title == "The barn"


def test_a_broken_scenario_raises_its_own_error(folder: Path) -> None:
    with pytest.raises(ScenarioInvalidError):
        Catalogue(folder).get("torn")


def test_what_a_policy_permits_can_be_had(folder: Path) -> None:
    file = folder / "house" / "scenario.yaml"
    file.write_text(SCENARIO.replace("  desk:\n", "  desk:\n    ipc: host\n", 1))
    (refused,) = Catalogue(folder).offers()[0].problems
    assert refused.endswith("would permit it: - {host: house/desk, ipc: host}")
    policy = SitePolicy(allow={"policy.yaml:3:5": Grant(host="*/desk", ipc="host")})
    assert Catalogue(folder, policy).get("house").scenario.hosts["desk"].ipc == "host"


@pytest.mark.parametrize("name", ["barn", "../house", "notes", "", "."])
def test_what_is_not_there_is_unknown(folder: Path, name: str) -> None:
    with pytest.raises(ScenarioUnknownError):
        Catalogue(folder).get(name)


def test_a_folder_that_is_not_there_offers_nothing(tmp_path: Path) -> None:
    assert Catalogue(tmp_path / "none").offers() == ()
