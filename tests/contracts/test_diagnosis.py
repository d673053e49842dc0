"""An engine's facts, over the fake and over a real Docker Engine; and that they notice a change."""

from datetime import timedelta

import pytest

from orchestrator.domain.diagnosis import State, diagnose
from tests.contracts.engine_cases import DockerCase, EngineCase


def test_an_engine_tells_what_a_diagnosis_needs(case: EngineCase) -> None:
    facts = case.engine.diagnose()
    assert facts.version
    assert facts.runc
    assert facts.architecture == facts.base_architecture
    assert facts.limits
    assert 2**20 < facts.space.free < facts.space.total
    assert abs(facts.time - facts.at) < timedelta(minutes=1)
    findings = tuple(diagnose(facts, worlds_stand=False))
    assert all(f.says and (f.fix or f.state is State.OK) for f in findings)


def test_a_diagnosis_leaves_nothing(case: EngineCase) -> None:
    before = case.standing()
    case.engine.diagnose()
    assert case.standing() == before


@pytest.mark.engine
def test_the_rule_on_the_engines_host_is_seen_to_come_and_go(docker_case: DockerCase) -> None:
    docker_case.engine.protect_host()
    assert docker_case.engine.diagnose().protected
    docker_case._engine._rules.clear()
    try:
        assert not docker_case.engine.diagnose().protected
    finally:
        docker_case.engine.protect_host()
