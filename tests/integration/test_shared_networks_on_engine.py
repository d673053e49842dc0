"""Teams whose hosts are on shared networks alone: the world is tested, and gets ready."""

from pathlib import Path

import docker
import pytest

from core.waiting import until
from orchestrator.domain.isolation import Question, Verdict
from tests.security.attacked_range import BLUE, IMAGE, RED, SOON, a_launched_range
from tests.security.probes import LISTEN, PORT

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

SCENARIO = f"""\
language: 1
scenario: {{id: siege, version: 1.0.0, title: A ring, kind: investigation, duration: 1h}}
roles: {{fighter: {{side: blue}}}}
networks: {{ring: {{shared: true}}}}
hosts:
  box: {{image: "{IMAGE}", networks: {{ring: {{}}}}, accounts: [{{name: ana, roles: [fighter]}}]}}
access: [{{roles: [fighter], host: box, as: ana, default: true}}]
tasks: {{one: {{ask: Which?, answer: this, points: 1}}}}
"""


def test_teams_that_share_all_their_networks_get_ready_and_meet(
    docker_client: docker.DockerClient, tmp_path: Path
) -> None:
    del docker_client  # without an engine there is none of this
    with a_launched_range(tmp_path, SCENARIO) as ring:
        for team in ring.services.exercises.get(ring.exercise).teams:
            assert team.isolation is not None
            found = {finding.question: finding.verdict for finding in team.isolation.findings}
            assert found[Question.HOST] is Verdict.HOLDS
            assert found[Question.TEAMS] in {Verdict.UNTESTED, Verdict.HOLDS}, "who else is here"
        serving = f"perl -e '{LISTEN}' >/dev/null 2>&1 &"
        assert ring.attempt("sh", "-c", serving, team=BLUE) == "done"
        theirs = ring.address("box", BLUE)
        until(lambda: ring.reaches(theirs, PORT, team=RED), what="them to meet", within=SOON)
