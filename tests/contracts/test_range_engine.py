"""What every RangeEngine does, one sentence each; over the fake and over a real Docker Engine."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from core.ids import ExerciseId, new_id
from core.waiting import until
from orchestrator.domain.changes import Change, ChangeKind
from orchestrator.domain.health import ObservedHost
from orchestrator.domain.world import (
    AccountPlan,
    Attachment,
    FilePlan,
    HostKey,
    HostPlan,
    ImageBuild,
    Limits,
    NetworkPlan,
    ReadyProbe,
    WorldKey,
)
from orchestrator.engine.accounts import UnknownOwnerError
from orchestrator.engine.files import UnusableFilePathError
from orchestrator.ports import (
    EngineRefusedError,
    HostGoneError,
    ImageBuildFailedError,
    Removed,
    SubnetTakenError,
    UnknownImageError,
)
from tests.addresses import fresh_subnet
from tests.contracts.engine_cases import FIRST_LOOK, MARK, EngineCase

SOON = timedelta(seconds=60)
THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def lan(subnet: IPv4Network) -> NetworkPlan:
    return NetworkPlan(network="lan", subnet=subnet)


def desk(case: EngineCase, subnet: IPv4Network, host: str = "desk") -> HostPlan:
    address = subnet[10 + sum(host.encode()) % 100]
    place = Attachment(network="lan", address=address)
    return HostPlan(host=host, image=case.image, attachments=(place,))


def key(world: WorldKey, host: str = "desk") -> HostKey:
    return HostKey(world=world, host=host)


@pytest.fixture
def raised(case: EngineCase, world: WorldKey, subnet: IPv4Network) -> HostPlan:
    """Raise a network and one plain host on it."""
    plan = desk(case, subnet)
    case.engine.raise_network(world, lan(subnet))
    case.engine.raise_host(world, plan)
    return plan


def test_an_engine_tells_its_version_and_size(case: EngineCase) -> None:
    info = case.engine.info()
    assert info.version
    assert tuple(map(int, info.api_version.split("."))) >= (1, 41)
    assert info.cpus >= 1
    assert info.memory > 2**28


def test_a_raised_network_takes_its_subnet(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    assert subnet not in case.engine.taken_subnets()
    case.engine.raise_network(world, lan(subnet))
    assert subnet in case.engine.taken_subnets()
    assert IPv4Network("0.0.0.0/0") not in case.engine.taken_subnets()


def test_raising_a_network_again_changes_nothing(
    case: EngineCase, world: WorldKey, raised: HostPlan, subnet: IPv4Network
) -> None:
    before = case.standing()
    case.engine.raise_network(world, lan(subnet))
    assert case.standing() == before
    assert case.engine.run(key(world), ("true",), timeout=SOON).ok


def test_an_empty_network_with_another_subnet_is_replaced(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    first, second = subnet.subnets()
    case.engine.raise_network(world, lan(first))
    case.engine.raise_network(world, lan(second))
    assert second in case.engine.taken_subnets()
    assert first not in case.engine.taken_subnets()


def test_a_network_that_hosts_are_on_keeps_its_subnet(
    case: EngineCase, world: WorldKey, raised: HostPlan, subnet: IPv4Network
) -> None:
    elsewhere = fresh_subnet()
    with pytest.raises(EngineRefusedError, match="hosts on it"):
        case.engine.raise_network(world, lan(elsewhere))
    assert subnet in case.engine.taken_subnets()


def test_a_subnet_that_something_else_holds_is_refused(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    with case.occupied(subnet), pytest.raises(SubnetTakenError, match=str(subnet)):
        case.engine.raise_network(world, lan(subnet))
    case.engine.raise_network(world, lan(subnet))


def test_a_raised_host_runs_and_is_observed(
    case: EngineCase, world: WorldKey, raised: HostPlan
) -> None:
    seen = case.engine.observe(world.exercise)
    assert seen == (ObservedHost(key=key(world), running=True, networks=frozenset({"lan"})),)
    assert case.engine.running(world.exercise) == {key(world)}


def test_an_exercise_that_nobody_raised_has_no_hosts(case: EngineCase) -> None:
    assert case.engine.observe(ExerciseId(new_id())) == ()
    assert case.engine.running(ExerciseId(new_id())) == frozenset()


def test_a_host_that_runs_from_the_same_plan_is_left_alone(
    case: EngineCase, world: WorldKey, raised: HostPlan
) -> None:
    before = case.identity(key(world))
    case.engine.raise_host(world, raised)
    assert case.identity(key(world)) == before


def test_a_host_from_another_plan_is_replaced(
    case: EngineCase, world: WorldKey, raised: HostPlan
) -> None:
    before = case.identity(key(world))
    case.engine.raise_host(world, replace(raised, environment={"MOTTO": "new"}))
    assert case.identity(key(world)) != before
    assert len(case.engine.observe(world.exercise)) == 1


def test_other_probes_alone_replace_no_host(
    case: EngineCase, world: WorldKey, raised: HostPlan
) -> None:
    before = case.identity(key(world))
    case.engine.raise_host(world, replace(raised, probes=(ReadyProbe(run=("true",)),)))
    assert case.identity(key(world)) == before


def test_a_host_on_a_network_that_is_not_there_is_refused_and_can_be_raised_later(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    with pytest.raises(EngineRefusedError, match="not found"):
        case.engine.raise_host(world, desk(case, subnet))
    case.engine.raise_network(world, lan(subnet))
    case.engine.raise_host(world, desk(case, subnet))
    assert case.engine.run(key(world), ("true",), timeout=SOON).ok


def test_a_host_that_a_crash_left_created_is_filled_and_started(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    side = fresh_subnet()
    plan = replace(
        desk(case, subnet),
        files=(FilePlan(path="/srv/note", content=b"here\n"),),
        attachments=(
            Attachment(network="lan", address=subnet[9]),
            Attachment(network="side", address=side[9]),
        ),
    )
    case.engine.raise_network(world, lan(subnet))
    case.engine.raise_network(world, NetworkPlan(network="side", subnet=side))
    case.leave_created(world, plan)
    (left,) = case.engine.observe(world.exercise)
    assert (left.key, left.running, left.started) == (key(world), False, False)
    assert (left.exit_code, left.ended_at) == (None, None)
    before = case.identity(key(world))
    case.engine.raise_host(world, plan)
    assert case.identity(key(world)) == before
    assert case.engine.run(key(world), ("cat", "/srv/note"), timeout=SOON).output == "here\n"


def test_a_host_that_a_crash_left_created_from_another_plan_is_replaced(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    case.engine.raise_network(world, lan(subnet))
    case.leave_created(world, desk(case, subnet))
    before = case.identity(key(world))
    case.engine.raise_host(world, replace(desk(case, subnet), environment={"MOTTO": "new"}))
    assert case.identity(key(world)) != before


def test_a_host_that_ended_is_seen_with_its_exit_code_and_starts_again(
    case: EngineCase, world: WorldKey, raised: HostPlan
) -> None:
    before = case.identity(key(world))
    case.end(key(world))
    (ended,) = case.engine.observe(world.exercise)
    assert (ended.running, ended.started, ended.exit_code) == (False, True, 137)
    assert not ended.out_of_memory
    assert ended.ended_at is not None
    assert abs(ended.ended_at - datetime.now(UTC)) < SOON
    assert case.engine.running(world.exercise) == frozenset()
    case.engine.raise_host(world, raised)
    assert case.identity(key(world)) == before
    assert case.engine.observe(world.exercise)[0].running


def test_a_host_that_ended_finds_its_way_to_a_network_that_was_made_again(
    case: EngineCase, world: WorldKey, raised: HostPlan, subnet: IPv4Network
) -> None:
    case.end(key(world))
    case.lose_network(world, "lan")
    with pytest.raises(EngineRefusedError, match="not found"):
        case.engine.raise_host(world, raised)
    case.engine.raise_network(world, lan(subnet))
    case.engine.raise_host(world, raised)
    assert case.engine.run(key(world), ("true",), timeout=SOON).ok


def test_a_host_that_ran_out_of_memory_is_seen_to_have(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    plan = replace(desk(case, subnet), limits=Limits(memory=16 * 1024**2))
    case.engine.raise_network(world, lan(subnet))
    case.engine.raise_host(world, plan)
    case.exhaust_memory(key(world))
    (ended,) = case.engine.observe(world.exercise)
    assert (ended.running, ended.exit_code, ended.out_of_memory) == (False, 137, True)


def test_a_running_host_that_lost_its_network_is_put_back_and_stays_itself(
    case: EngineCase, world: WorldKey, raised: HostPlan, subnet: IPv4Network
) -> None:
    before = case.identity(key(world))
    case.lose_network(world, "lan")
    assert case.engine.observe(world.exercise)[0].networks == frozenset()
    with pytest.raises(EngineRefusedError, match="not found"):
        case.engine.raise_host(world, raised)
    case.engine.raise_network(world, lan(subnet))
    case.engine.raise_host(world, raised)
    assert case.engine.observe(world.exercise)[0].networks == {"lan"}
    assert case.identity(key(world)) == before


def test_a_removed_host_is_gone_and_its_peers_are_not(
    case: EngineCase, world: WorldKey, raised: HostPlan, subnet: IPv4Network
) -> None:
    case.engine.raise_host(world, desk(case, subnet, host="mail"))
    case.engine.remove_host(key(world))
    case.engine.remove_host(key(world))
    assert [seen.key.host for seen in case.engine.observe(world.exercise)] == ["mail"]
    case.engine.raise_host(world, raised)
    assert case.engine.run(key(world), ("true",), timeout=SOON).ok


def test_many_who_raise_the_same_host_get_one(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    plan = replace(desk(case, subnet), files=(FilePlan(path="/srv/note", content=b"here\n"),))
    case.engine.raise_network(world, lan(subnet))
    with ThreadPoolExecutor(4) as pool:
        raising = [pool.submit(case.engine.raise_host, world, plan) for _ in range(4)]
    assert [raised.exception() for raised in raising] == [None] * 4
    assert case.standing()[0] == 1
    assert case.engine.run(key(world), ("cat", "/srv/note"), timeout=SOON).output == "here\n"


def test_accounts_are_there_with_home_password_and_sudo(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    accounts = (
        AccountPlan(name="alice", password="open sesame", sudo=True),
        AccountPlan(name="bob"),
        AccountPlan(name="games", password="play"),
    )
    case.engine.raise_network(world, lan(subnet))
    case.engine.raise_host(world, replace(desk(case, subnet), accounts=accounts))

    passwd = _lines(case, world, "/etc/passwd")
    shadow = {line.split(":")[0]: line.split(":")[1] for line in _lines(case, world, "/etc/shadow")}
    assert "alice:x:1000:1000::/home/alice:/bin/bash" in passwd
    assert "bob:x:1001:1001::/home/bob:/bin/bash" in passwd
    assert shadow["alice"].startswith("$6$")
    assert shadow["bob"] == "!"
    assert shadow["games"].startswith("$6$")
    assert any(line.startswith("games:x:5:60:") for line in passwd)

    home = case.file(key(world), "/home/alice")
    skeleton = case.file(key(world), "/home/alice/.bashrc")
    sudo = case.file(key(world), "/etc/sudoers.d/alice")
    assert home is not None
    assert (home.uid, home.gid, home.mode) == (1000, 1000, 0o700)
    assert skeleton is not None
    assert skeleton.uid == 1000
    assert sudo is not None
    assert (sudo.content, sudo.mode) == (b"alice ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    assert case.file(key(world), "/etc/sudoers.d/bob") is None


def _lines(case: EngineCase, world: WorldKey, path: str) -> list[str]:
    seen = case.file(key(world), path)
    assert seen is not None
    return seen.content.decode().splitlines()


def test_a_file_has_its_owner_mode_and_time_and_folders_that_people_can_enter(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    file = FilePlan(
        path="/srv/deep/down/log", content=b"x\0y", owner="alice:games", mode=0o640, mtime=THEN
    )
    plan = replace(desk(case, subnet), accounts=(AccountPlan(name="alice"),), files=(file,))
    case.engine.raise_network(world, lan(subnet))
    case.engine.raise_host(world, plan)
    seen = case.file(key(world), "/srv/deep/down/log")
    folder = case.file(key(world), "/srv/deep")
    assert seen is not None
    assert (seen.content, seen.uid, seen.gid, seen.mode) == (b"x\0y", 1000, 60, 0o640)
    assert seen.mtime == THEN
    assert folder is not None
    assert (folder.uid, folder.gid, folder.mode) == (0, 0, 0o755)


def test_a_home_full_of_dated_files_is_its_owners_and_dated_as_planned(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    older, home = THEN - timedelta(days=3), "/home/alice"
    own = FilePlan(path=home, content=b"", owner="alice:alice", mode=0o750, mtime=THEN, folder=True)
    files = (
        own,
        replace(own, path=f"{home}/Documents", mtime=older),
        replace(own, path=f"{home}/Documents/a", content=b"a", mode=0o640, folder=False),
        replace(own, path=f"{home}/Documents/b", content=b"b", mtime=older, folder=False),
    )
    plan = replace(desk(case, subnet), accounts=(AccountPlan(name="alice"),), files=files)
    case.engine.raise_network(world, lan(subnet))
    case.engine.raise_host(world, plan)
    folder = case.file(key(world), f"{home}/Documents")
    first, second = (case.file(key(world), f"{home}/Documents/{name}") for name in "ab")
    assert folder is not None
    assert (folder.uid, folder.gid, folder.mode, folder.mtime) == (1000, 1000, 0o750, older)
    assert first is not None
    assert (first.content, first.uid, first.mode, first.mtime) == (b"a", 1000, 0o640, THEN)
    assert second is not None
    assert second.mtime == older


def test_files_stand_before_the_images_own_process_starts(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    plan = replace(
        desk(case, subnet),
        image=case.looking_image,
        files=(FilePlan(path=MARK, content=b"in time"),),
    )
    case.engine.raise_network(world, lan(subnet))
    case.engine.raise_host(world, plan)
    until(
        lambda: (
            (seen := case.file(key(world), FIRST_LOOK)) is not None and seen.content == b"in time"
        ),
        what="the process to have seen the file",
        within=SOON,
    )


@pytest.mark.parametrize("owner", ["nobody-here", "root:nobody-here"])
def test_a_file_of_an_unknown_owner_is_refused(
    case: EngineCase, world: WorldKey, subnet: IPv4Network, owner: str
) -> None:
    file = FilePlan(path="/srv/x", content=b"", owner=owner)
    case.engine.raise_network(world, lan(subnet))
    with pytest.raises(UnknownOwnerError, match="nobody-here"):
        case.engine.raise_host(world, replace(desk(case, subnet), files=(file,)))
    assert not any(host.running for host in case.engine.observe(world.exercise))


@pytest.mark.parametrize("path", ["srv/x", "/srv/../etc/x", "/", "/srv/"])
def test_a_file_without_one_place_is_refused(
    case: EngineCase, world: WorldKey, subnet: IPv4Network, path: str
) -> None:
    file = FilePlan(path=path, content=b"")
    case.engine.raise_network(world, lan(subnet))
    with pytest.raises(UnusableFilePathError):
        case.engine.raise_host(world, replace(desk(case, subnet), files=(file,)))


def test_a_command_tells_its_output_and_how_it_ended(
    case: EngineCase, world: WorldKey, raised: HostPlan
) -> None:
    said = case.engine.run(key(world), ("echo", "two  words"), timeout=SOON)
    assert (said.exit_code, said.output) == (0, "two  words\n")
    assert case.engine.run(key(world), ("false",), timeout=SOON).exit_code == 1
    assert case.engine.run(key(world), ("no-such-program",), timeout=SOON).exit_code == 127


def test_a_command_that_outlives_its_time_is_ended_with_124(
    case: EngineCase, world: WorldKey, raised: HostPlan
) -> None:
    ended = case.engine.run(key(world), ("sleep", "3600"), timeout=timedelta(seconds=0.5))
    assert ended.exit_code == 124


def test_a_host_that_is_not_there_runs_nothing(case: EngineCase, world: WorldKey) -> None:
    with pytest.raises(HostGoneError):
        case.engine.run(key(world), ("true",), timeout=SOON)
    with pytest.raises(HostGoneError):
        case.engine.accepts_tcp(key(world), 80)
    with pytest.raises(HostGoneError):
        case.engine.probe(key(world), ("true",), timeout=SOON)


def test_a_host_that_ended_runs_nothing(
    case: EngineCase, world: WorldKey, raised: HostPlan
) -> None:
    case.end(key(world))
    with pytest.raises(HostGoneError):
        case.engine.run(key(world), ("true",), timeout=SOON)
    with pytest.raises(HostGoneError):
        case.engine.probe(key(world), ("true",), timeout=SOON)


def test_a_port_accepts_once_something_listens_even_on_loopback_alone(
    case: EngineCase, world: WorldKey, raised: HostPlan
) -> None:
    assert not case.engine.accepts_tcp(key(world), 8080)
    case.listen(key(world), 8080)
    assert case.engine.accepts_tcp(key(world), 8080)
    assert not case.engine.accepts_tcp(key(world), 808)


def test_a_probe_tells_its_output_and_how_it_ended(
    case: EngineCase, world: WorldKey, raised: HostPlan
) -> None:
    said = case.engine.probe(key(world), ("echo", "hello"), timeout=SOON)
    assert (said.exit_code, said.output) == (0, "hello\n")
    assert case.engine.probe(key(world), ("false",), timeout=SOON).exit_code == 1
    long = case.engine.probe(key(world), ("sleep", "3600"), timeout=timedelta(seconds=1))
    assert long.exit_code == 124
    assert case.standing()[0] == 1


def test_an_image_that_is_not_there_is_named(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    case.engine.require_image(case.image)
    with pytest.raises(UnknownImageError, match="no/such:image"):
        case.engine.require_image("no/such:image")
    with pytest.raises(UnknownImageError, match="no/such:image"):
        case.engine.raise_host(world, replace(desk(case, subnet), image="no/such:image"))
    assert case.engine.observe(world.exercise) == ()


def test_a_dockerfile_that_does_not_build_says_where(case: EngineCase, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {case.image}\nRUN false\n")
    build = ImageBuild(reference=f"broken-{new_id(8)}:1", context=tmp_path, host="desk")
    with pytest.raises(ImageBuildFailedError, match=r"host desk .*RUN false") as refusal:
        case.engine.build_image(build)
    assert "RUN false" in refusal.value.hint
    with pytest.raises(UnknownImageError):
        case.engine.require_image(build.reference)


def test_a_folder_without_a_dockerfile_does_not_build(case: EngineCase, tmp_path: Path) -> None:
    build = ImageBuild(reference=f"empty-{new_id(8)}:1", context=tmp_path, host="desk")
    with pytest.raises(ImageBuildFailedError, match="host desk"):
        case.engine.build_image(build)


def test_an_image_that_is_there_is_not_built_again(case: EngineCase, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {case.image}\nENV COLOUR=blue\n")
    build = ImageBuild(reference=f"built-{new_id(8)}:1", context=tmp_path, host="desk")
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(case.engine.build_image, [build, build])) == [None, None]
    (tmp_path / "Dockerfile").write_text("this does not build\n")
    case.engine.build_image(build)
    case.engine.require_image(build.reference)


def test_removing_a_world_leaves_other_teams_alone_and_may_be_repeated(
    case: EngineCase, world: WorldKey, raised: HostPlan, subnet: IPv4Network
) -> None:
    other = replace(world, team="team-2")
    theirs = fresh_subnet()
    case.engine.raise_network(other, lan(theirs))
    case.engine.raise_host(other, desk(case, theirs))
    assert case.engine.remove_world(world) == Removed(containers=1, networks=1)
    assert [seen.key.world for seen in case.engine.observe(world.exercise)] == [other]
    assert case.engine.remove_world(world) == Removed()


def test_removing_an_exercise_takes_every_team_and_what_is_half_made(
    case: EngineCase, world: WorldKey, raised: HostPlan, subnet: IPv4Network
) -> None:
    case.leave_created(world, desk(case, subnet, host="half"))
    case.engine.raise_network(
        replace(world, team="team-2"),
        lan(fresh_subnet()),
    )
    assert case.engine.remove_exercise(world.exercise) == Removed(containers=2, networks=2)
    assert case.engine.observe(world.exercise) == ()
    assert case.standing() == (0, 0)


@contextmanager
def watched(
    case: EngineCase, look: Callable[[Change], None] = lambda _: None
) -> Iterator[list[Change]]:
    """Lend what the engine tells while the block runs, once it is known to tell.

    `look` is called with each change when it is told.
    """
    told: list[Change] = []
    stop, tells = threading.Event(), threading.Event()
    other = WorldKey(exercise=ExerciseId(new_id()), team="team-1")

    def tell(change: Change) -> None:
        if change.exercise == other.exercise:
            tells.set()
            return
        told.append(change)
        look(change)

    def is_heard() -> bool:
        case.engine.raise_network(other, lan(fresh_subnet()))
        case.lose_network(other, "lan")
        return tells.wait(0.5)

    watching = threading.Thread(target=case.engine.watch, args=(tell, stop))
    watching.start()
    try:
        until(is_heard, what="the engine to tell anything", within=SOON)
        yield told
    finally:
        stop.set()
        watching.join(SOON.total_seconds())
        assert not watching.is_alive()


FALLS: dict[ChangeKind, Callable[[EngineCase, HostKey], None]] = {
    ChangeKind.ENDED: lambda case, host: case.end(host),
    ChangeKind.GONE: lambda case, host: case.lose(host),
    ChangeKind.OUT_OF_MEMORY: lambda case, host: case.kill_for_memory(host),
}


@pytest.mark.parametrize("kind", FALLS)
def test_what_happens_to_a_host_is_told_within_seconds(
    case: EngineCase, world: WorldKey, subnet: IPv4Network, kind: ChangeKind
) -> None:
    case.engine.raise_network(world, lan(subnet))
    small = replace(desk(case, subnet), limits=Limits(memory=16 * 1024**2))
    case.engine.raise_host(world, small)
    what = Change(exercise=world.exercise, kind=kind, host=key(world))
    with watched(case) as told:
        FALLS[kind](case, key(world))
        until(lambda: what in told, what="the engine to tell", within=SOON)
    (seen,) = case.engine.observe(world.exercise) or (None,)
    runs_on = kind is ChangeKind.OUT_OF_MEMORY
    assert (seen is not None and seen.running) == runs_on


def test_whose_end_is_told_is_seen_to_have_ended_at_once(
    case: EngineCase, world: WorldKey, raised: HostPlan
) -> None:
    seen: list[bool] = []

    def look(_: Change) -> None:
        seen.extend(host.running for host in case.engine.observe(world.exercise))

    with watched(case, look):
        case.end(key(world))
        until(lambda: bool(seen), what="the engine to tell", within=SOON)
    assert seen == [False]


def test_a_network_that_goes_is_told(case: EngineCase, world: WorldKey, raised: HostPlan) -> None:
    with watched(case) as told:
        case.lose_network(world, "lan")
        gone = Change(exercise=world.exercise, kind=ChangeKind.GONE)
        until(lambda: gone in told, what="the engine to tell", within=SOON)


def test_nothing_is_told_of_probes_that_come_and_go(
    case: EngineCase, world: WorldKey, raised: HostPlan
) -> None:
    with watched(case) as told:
        case.engine.probe(key(world), ("true",), timeout=SOON)
        case.end(key(world))
        until(lambda: bool(told), what="the engine to tell", within=SOON)
    assert told == [Change(exercise=world.exercise, kind=ChangeKind.ENDED, host=key(world))]


def test_the_host_may_be_protected_again_and_again(case: EngineCase) -> None:
    case.engine.protect_host()

    def tells_what_is_taken() -> bool:
        before = case.engine.taken_subnets()
        told = case.engine.protect_host().taken
        after = case.engine.taken_subnets()
        return {*before} & {*after} <= {*told} <= {*before} | {*after}

    # Others who use this engine make and remove networks meanwhile, some within a moment.
    until(tells_what_is_taken, what="the subnets that are taken to be told", within=SOON)
    space, looked_at = case.engine.protect_host().space, case.engine.diagnose().space
    assert space.total == looked_at.total
    assert space.free == pytest.approx(looked_at.free, rel=0.2)


def test_what_stands_is_told_by_its_labels_and_removed_alone(
    case: EngineCase, world: WorldKey, raised: HostPlan
) -> None:
    ours = [thing for thing in case.engine.standing() if thing.exercise == world.exercise]
    assert sorted(thing.is_network for thing in ours) == [False, True]
    assert {thing.team for thing in ours} == {world.team}
    assert not any(thing.throwaway for thing in ours)
    (host,) = (thing for thing in ours if not thing.is_network)
    assert case.engine.remove_standing([host]) == Removed(containers=1)
    assert case.engine.observe(world.exercise) == ()
    assert case.engine.remove_standing([host]) == Removed(), "it is gone already"
    assert case.engine.remove_standing(ours) == Removed(networks=1)
