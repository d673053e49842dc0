"""What launches took tells what the next one will take."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.estimate import Build, estimated
from orchestrator.domain.phases import Phase
from tests.unit.orchestrator.conftest import Site


def build(seconds: float, *, hosts: int = 4, digest: str = "a") -> Build:
    return Build(scenario_digest=digest, hosts=hosts, took=timedelta(seconds=seconds))


def test_nothing_is_promised_before_the_first_launch() -> None:
    assert estimated([], scenario_digest="a", hosts=4) is None


def test_the_same_scenario_goes_before_others_and_one_slow_launch_does_not_count() -> None:
    past = [build(8), build(4), build(400), build(1, digest="b")]
    assert estimated(past, scenario_digest="a", hosts=8) == timedelta(seconds=16)
    assert estimated(past, scenario_digest="b", hosts=4) == timedelta(seconds=1)


def test_of_a_new_scenario_the_others_tell() -> None:
    assert estimated([build(4)], scenario_digest="new", hosts=2) == timedelta(seconds=2)


BUILDS = st.lists(
    st.builds(
        Build,
        scenario_digest=st.sampled_from("ab"),
        hosts=st.integers(1, 50),
        took=st.timedeltas(timedelta(), timedelta(hours=1)),
    ),
    min_size=1,
)


@given(BUILDS, st.integers(1, 1000))
def test_more_hosts_never_take_less(past: list[Build], hosts: int) -> None:
    fewer = estimated(past, scenario_digest="a", hosts=hosts)
    more = estimated(past, scenario_digest="a", hosts=hosts + 1)
    assert fewer is not None
    assert more is not None
    assert timedelta() <= fewer <= more


def test_a_launch_knows_how_long_it_has_to_go_from_the_one_before(site: Site) -> None:
    first = site.launch(teams=2)
    assert site.exercises.ready_in(first) is None
    site.clock.advance(timedelta(seconds=8))
    site.work()
    assert site.exercises.ready_in(site.now(first)) is None, "it is there"
    second = site.launch(teams=4)
    assert site.exercises.ready_in(second) == timedelta(seconds=16)
    site.clock.advance(timedelta(seconds=10))
    assert site.exercises.ready_in(second) == timedelta(seconds=6)
    site.clock.advance(timedelta(seconds=60))
    assert site.exercises.ready_in(second) == timedelta()


def test_a_launch_that_had_to_be_retried_tells_nothing(site: Site) -> None:
    site.engine.images.clear()
    first = site.launch()
    site.work()
    site.engine.images.add("debian:bookworm-slim")
    site.clock.advance(timedelta(hours=1))
    site.exercises.retry(first.id)
    site.work()
    assert site.now(first).phase is Phase.READY
    assert site.exercises.ready_in(site.launch()) is None
