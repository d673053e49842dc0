"""Every host that does not do what it should is named with its cause, and no other."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from core.ids import ExerciseId
from orchestrator.domain.health import Ailing, Ailment, ObservedHost, diagnose
from orchestrator.domain.world import HostKey, WorldKey

LAN = frozenset({"lan"})
NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def key(host: str, team: str = "team-1") -> HostKey:
    return HostKey(world=WorldKey(exercise=ExerciseId("ex"), team=team), host=host)


def runs(host: str) -> ObservedHost:
    return ObservedHost(key=key(host), running=True, networks=LAN)


def ended(host: str, code: int = 1, *, out_of_memory: bool = False) -> ObservedHost:
    return ObservedHost(
        key=key(host), running=False, exit_code=code, out_of_memory=out_of_memory, ended_at=NOON
    )


def only(*observed: ObservedHost) -> Ailing:
    """Return the one finding of an exercise that should have desk and mail."""
    (found,) = diagnose({key("desk"): LAN, key("mail"): LAN}, observed)
    return found


def test_a_host_whose_own_process_ended_is_told_with_its_code_and_time() -> None:
    found = only(runs("desk"), ended("mail", 3))
    assert (found.key, found.exit_code, found.since) == (key("mail"), 3, NOON)
    assert found.from_inside
    assert str(found) == "the own process of mail ended with code 3"


def test_a_host_that_ran_out_of_memory_is_told_as_such() -> None:
    found = only(runs("desk"), ended("mail", 137, out_of_memory=True))
    assert str(found) == "mail ran out of memory and was killed"
    assert found.from_inside


def test_a_host_that_was_removed_is_nobodys_inside() -> None:
    found = only(runs("desk"))
    assert str(found) == "mail is gone: it was removed from the engine"
    assert not found.from_inside


def test_a_host_that_was_never_started_is_nobodys_inside() -> None:
    found = only(runs("desk"), ObservedHost(key=key("mail"), running=False, started=False))
    assert found.ailment is Ailment.NEVER_STARTED
    assert not found.from_inside


def test_a_host_without_one_of_its_networks_is_told_which() -> None:
    found = only(runs("desk"), ObservedHost(key=key("mail"), running=True))
    assert str(found) == "mail lost its network lan"
    assert not found.from_inside


def test_when_nothing_runs_any_more_no_host_is_to_blame() -> None:
    found = diagnose({key("desk"): LAN, key("mail"): LAN}, [ended("desk"), ended("mail")])
    assert [ailing.ailment for ailing in found] == [Ailment.OUTAGE] * 2
    assert not any(ailing.from_inside for ailing in found)


HOSTS = st.sampled_from("abcd")
OBSERVED = st.builds(
    ObservedHost,
    key=HOSTS.map(key),
    running=st.booleans(),
    started=st.booleans(),
    exit_code=st.just(1),
    out_of_memory=st.booleans(),
    networks=st.frozensets(st.sampled_from(["lan", "dmz"])),
)
SEEN = st.lists(OBSERVED, unique_by=lambda host: host.key)
WANTED = st.dictionaries(HOSTS.map(key), st.frozensets(st.sampled_from(["lan", "dmz"])))


@given(WANTED, SEEN)
def test_exactly_the_wanted_hosts_that_do_not_run_on_all_their_networks_are_named(
    wanted: dict[HostKey, frozenset[str]], seen: list[ObservedHost]
) -> None:
    well = {
        host.key for host in seen if host.running and wanted.get(host.key, LAN) <= host.networks
    }
    assert [ailing.key for ailing in diagnose(wanted, seen)] == [k for k in wanted if k not in well]


@given(WANTED, SEEN)
def test_a_host_is_blamed_only_while_another_runs(
    wanted: dict[HostKey, frozenset[str]], seen: list[ObservedHost]
) -> None:
    any_runs = any(host.running for host in seen)
    for ailing in diagnose(wanted, seen):
        if ailing.from_inside:
            assert any_runs
        if ailing.ailment is Ailment.OUTAGE:
            assert not any_runs


@given(WANTED, SEEN, st.randoms())
def test_the_order_in_which_hosts_are_listed_changes_nothing(
    wanted: dict[HostKey, frozenset[str]], seen: list[ObservedHost], random: object
) -> None:
    shuffled = sorted(seen, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert diagnose(wanted, shuffled) == diagnose(wanted, seen)
