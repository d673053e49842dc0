"""Hosts start after those that they need are ready, and everything else at once."""

import threading
from dataclasses import replace
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import ExerciseId
from orchestrator.domain.exercise import Stage
from orchestrator.domain.needs import dependents
from orchestrator.domain.world import (
    Attachment,
    HostPlan,
    NetworkPlan,
    ReadyProbe,
    WorldKey,
    WorldPlan,
)
from orchestrator.ports import HostNotReadyError
from orchestrator.standing import Standing
from tests.fakes.fake_engine import BASE_IMAGE, FakeEngine

SUBNET = IPv4Network("10.9.0.0/24")


def world(needs: dict[str, tuple[str, ...]]) -> WorldPlan:
    """Return a world of hosts with one readiness probe each, named after the host."""
    return WorldPlan(
        key=WorldKey(exercise=ExerciseId("ex"), team="team-1"),
        networks=(NetworkPlan(network="lan", subnet=SUBNET),),
        hosts=tuple(
            HostPlan(
                host=host,
                image=BASE_IMAGE,
                attachments=(Attachment(network="lan", address=SUBNET[number]),),
                probes=(ReadyProbe(run=("ready", host)),),
                needs=needed,
            )
            for number, (host, needed) in enumerate(needs.items(), start=2)
        ),
    )


class Watched(FakeEngine):
    """An engine that notes the order in which hosts start and become ready."""

    def __init__(self, *not_ready: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.not_ready = not_ready

    def raise_host(self, world: WorldKey, plan: HostPlan) -> None:
        super().raise_host(world, plan)
        self.seen.append(f"start {plan.host}")

    def await_ready(self, world: WorldKey, plan: HostPlan) -> None:
        answer = 1 if plan.host in self.not_ready else 0
        self.answer(("ready", plan.host), exit_code=answer, output="not yet")
        super().await_ready(world, plan)
        self.seen.append(f"ready {plan.host}")


def put_up(engine: FakeEngine, plan: WorldPlan) -> list[Stage]:
    stages: list[Stage] = []
    Standing(engine).put_up(plan, reached=stages.append)
    return stages


def test_a_host_starts_after_those_that_it_needs_are_ready() -> None:
    engine = Watched()
    put_up(engine, world({"web": ("db", "mail"), "db": ("disk",), "mail": (), "disk": ()}))
    at = engine.seen.index
    assert at("ready disk") < at("start db") < at("ready db") < at("start web")
    assert at("ready mail") < at("start web")


def test_without_needs_every_host_is_started_and_asked_once() -> None:
    engine = Watched()
    stages = put_up(engine, world({"a": (), "b": (), "c": ()}))
    assert stages == [Stage.NETWORKS, Stage.HOSTS, Stage.READINESS]
    calls = ["raise_network", *["raise_host"] * 3, *["await_ready"] * 3]
    assert engine.calls == calls


def test_with_needs_no_host_is_asked_twice() -> None:
    engine = Watched()
    put_up(engine, world({"web": ("db",), "db": ()}))
    assert engine.calls.count("await_ready") == 2


def test_hosts_that_need_nothing_do_not_wait_for_the_others() -> None:
    both_start = threading.Barrier(2, timeout=5)

    class Together(FakeEngine):
        def raise_host(self, world: WorldKey, plan: HostPlan) -> None:
            both_start.wait()

        def await_ready(self, world: WorldKey, plan: HostPlan) -> None:
            pass

    put_up(Together(), world({"a": (), "b": ()}))


def test_what_waits_for_a_host_that_does_not_become_ready_is_not_started() -> None:
    engine = Watched("db")
    with pytest.raises(HostNotReadyError) as refused:
        put_up(engine, world({"web": ("app",), "app": ("db",), "db": (), "mail": ()}))
    assert refused.value.host == "db", "the cause, and not what follows from it"
    assert sorted(s for s in engine.seen if s.startswith("start")) == ["start db", "start mail"]


def test_one_look_asks_every_host_and_names_the_probe_with_its_own_time() -> None:
    engine = Watched()
    plan = world({"a": (), "b": ()})
    put_up(engine, plan)
    Standing(engine).ask_once(plan)
    engine.not_ready = ("b",)
    with pytest.raises(HostNotReadyError, match="b did not become ready within 60 s"):
        Standing(engine).ask_once(replace(plan))


GRAPHS = st.integers(1, 6).flatmap(
    lambda size: st.tuples(
        *(st.frozensets(st.integers(0, n - 1)) if n else st.just(frozenset()) for n in range(size))
    )
)


@given(GRAPHS)
def test_every_row_of_needs_is_started_in_order(graph: tuple[frozenset[int], ...]) -> None:
    needs = {f"h{n}": tuple(f"h{m}" for m in sorted(wanted)) for n, wanted in enumerate(graph)}
    engine = Watched()
    put_up(engine, world(dict(reversed(needs.items()))))
    for host, wanted in needs.items():
        for needed in wanted:
            assert engine.seen.index(f"ready {needed}") < engine.seen.index(f"start {host}")
            assert host in dependents(needs, needed)
    assert len(engine.seen) == 2 * len(needs)
