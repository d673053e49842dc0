"""A launch asks the site's policy, whoever loaded the scenario; what was launched stays."""

from pathlib import Path

import pytest

from core.scenario.load import LoadedScenario, load
from core.scenario.site_policy import Grant, PolicyRefusedError, Quota, SitePolicy
from orchestrator.domain.phases import Phase
from orchestrator.library import Library
from orchestrator.service import Exercises, TeamSpec
from tests.unit.orchestrator.conftest import SCENARIO, Site

PERMITS = SitePolicy(
    allow={"policy.yaml:3:5": Grant(host="harbour/desk", cap_add=("NET_RAW",))},
    quota=Quota(teams=2),
)
TEAMS = [TeamSpec(name="Team 1"), TeamSpec(name="Team 2")]


@pytest.fixture
def asking(tmp_path: Path) -> LoadedScenario:
    """Write a scenario whose desk asks for a capability, and load it without asking anybody."""
    folder = tmp_path / "asking" / "harbour"
    folder.mkdir(parents=True)
    asks = SCENARIO.replace("  desk:\n", "  desk:\n    cap_add: [NET_RAW]\n", 1)
    (folder / "scenario.yaml").write_text(asks)
    return load(folder, policy=None)


def exercises_of(site: Site, policy: SitePolicy, folder: Path) -> Exercises:
    library = Library(site.database, site.clock, folder)
    return Exercises(site.database, site.clock, site.users, library, policy)


def test_what_the_policy_does_not_permit_is_not_launched(
    site: Site, asking: LoadedScenario
) -> None:
    with pytest.raises(PolicyRefusedError, match="does not permit that desk has cap_add"):
        site.exercises.launch(asking, teams=TEAMS, by=None)
    assert site.exercises.recent(limit=10) == ()


def test_more_than_the_quota_is_not_launched(
    site: Site, asking: LoadedScenario, tmp_path: Path
) -> None:
    exercises = exercises_of(site, PERMITS, tmp_path / "a")
    with pytest.raises(PolicyRefusedError, match="3 teams need `teams: 3`"):
        exercises.launch(asking, teams=[*TEAMS, TeamSpec(name="Team 3")], by=None)


def test_an_exercise_goes_on_when_the_policy_has_become_stricter(
    site: Site, asking: LoadedScenario, tmp_path: Path
) -> None:
    exercise = exercises_of(site, PERMITS, tmp_path / "a").launch(asking, teams=TEAMS, by=None)
    stricter = exercises_of(site, SitePolicy(), tmp_path / "b")
    pinned = stricter.scenario(stricter.get(exercise.id))
    assert pinned.digest == asking.digest
    site.work()  # by a worker whose policy permits nothing
    assert site.now(exercise).phase is Phase.READY
    raised = {
        key.host: host.plan.privileges.capabilities for key, host in site.engine.hosts.items()
    }
    assert raised == {"desk": ("NET_RAW",), "mail": ()}
    with pytest.raises(PolicyRefusedError):
        stricter.launch(asking, teams=TEAMS, by=None)
