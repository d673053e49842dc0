"""What a plan says of a site that cannot do everything."""

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from api.cli.planning import Forecast, ImageState, forecast
from core.scenario.load import load
from core.scenario.site_policy import NOTHING_PERMITTED, Grant, SitePolicy
from core.settings import Settings
from orchestrator.domain.engine_facts import Space
from tests.fakes.api_site import SCENARIO
from tests.fakes.fake_engine import WELL, FakeEngine
from tests.fakes.inject_site import HEAD

POOL = IPv4Network("10.213.0.0/22")
STORY = """\
  note: {at: 1m, script: Note.}
  lag: {manual: true, link: {network: office, delay: 200ms}}
  cut: {manual: true, link: {network: office, down: true}}
"""


@pytest.mark.parametrize("kernel_delays", [True, False])
def test_a_delay_that_the_kernel_cannot_do_is_named(tmp_path: Path, *, kernel_delays: bool) -> None:
    folder = tmp_path / "harbour"
    folder.mkdir()
    (folder / "scenario.yaml").write_text(HEAD + STORY)
    engine = FakeEngine()
    engine.kernel_delays = kernel_delays
    settings = Settings(home=tmp_path, address_pool=(IPv4Network("10.213.0.0/24"),))
    remarks = forecast(load(folder), settings, engine, teams=1).remarks
    named = [
        remark for remark in remarks if remark.startswith("Not enforced here: the delay of lag")
    ]
    assert len(named) == (not kernel_delays)


def planned(
    tmp_path: Path,
    engine: FakeEngine,
    *,
    teams: int,
    image: str = "",
    more: str = "",
    policy: SitePolicy = NOTHING_PERMITTED,
) -> Forecast:
    folder = tmp_path / "house"
    folder.mkdir(exist_ok=True)
    text = SCENARIO.replace('image: "debian:bookworm-slim"', image) if image else SCENARIO
    (folder / "scenario.yaml").write_text(text.replace("access:", f"{more}access:", 1))
    settings = Settings(home=tmp_path, installation="test", address_pool=(POOL,), internet_pool=())
    return forecast(load(folder, policy), settings, engine, teams=teams, policy=policy)


def test_what_is_asked_for_is_held_against_what_the_site_has(tmp_path: Path) -> None:
    shown = planned(tmp_path, FakeEngine(), teams=20)
    assert (shown.memory, shown.cpus, shown.pids) == (20 * 512 * 1024**2, 20, 20 * 256)
    assert (shown.networks, shown.addresses, shown.pool) == (20, 320, 1024)
    assert shown.site is not None
    assert (shown.site.memory, shown.site.cpus) == (8 * 1024**3, 2)
    assert shown.site.disk == WELL.space
    assert shown.short == (
        "The hosts may use 10240 MiB of memory together, and the engine has 8192 MiB",
        "The hosts may use 20 CPUs together, and the engine has 2",
    )


@pytest.mark.parametrize("has_quotas", [True, False])
def test_disks_of_hosts_are_added_up_and_told_where_nobody_keeps_to_them(
    tmp_path: Path, *, has_quotas: bool
) -> None:
    engine = FakeEngine()
    engine.facts = replace(WELL, space=Space(free=7 * 2**30, total=2**37), limits_disk=has_quotas)
    limited = 'image: "debian:bookworm-slim"\n    limits: {disk: 4g}'
    shown = planned(tmp_path, engine, teams=2, image=limited)
    assert [host.disk for team in shown.teams for host in team.hosts] == [4 * 2**30] * 2
    assert shown.short == (
        (
            "The hosts that have a limit may write 8192 MiB together, and the engine's disk has"
            " 7168 MiB free"
        ),
    )
    told = "Not enforced here: the limit of the disk of desk; the engine has no quotas"
    assert (told in shown.remarks) == (not has_quotas)


@pytest.mark.parametrize(("runtime", "is_there"), [("runsc", False), ("runc", True)])
def test_a_runtime_that_the_engine_lacks_is_told_of_the_host(
    tmp_path: Path, runtime: str, *, is_there: bool
) -> None:
    grant = Grant.model_validate({"host": "*/*", "runtime": runtime})
    asking = f'image: "debian:bookworm-slim"\n    runtime: {runtime}'
    shown = planned(
        tmp_path, FakeEngine(), teams=1, image=asking, policy=SitePolicy(allow={"here": grant})
    )
    assert shown.may_be_launched, "the policy permits it"
    told = f"The engine has no runtime {runtime}, which desk asks for"
    assert (told not in shown.short) == is_there


@pytest.mark.parametrize(
    ("key", "mode", "told"),
    [
        ("network_mode", "none", None),
        ("network_mode", "host", "Not isolated, and not asked by the self-test: lone; the network"),
        ("pid", "host", "Not isolated: lone; the processes are the machine's"),
    ],
)
def test_a_host_that_shares_with_the_machine_is_told_to_be_without_isolation(
    tmp_path: Path, key: str, mode: str, told: str | None
) -> None:
    grant = Grant.model_validate({"host": "house/lone", key: mode})
    place = "" if key == "network_mode" else "networks: {office: {}}, "
    lone = f"  lone: {{{key}: {mode}, {place}image: debian:bookworm-slim}}\n"
    policy = SitePolicy(allow={"here": grant})
    shown = planned(tmp_path, FakeEngine(), teams=2, more=lone, policy=policy)
    assert shown.permitted == (f"lone has {key}: {mode}, as here permits",)
    remarks = [remark for remark in shown.remarks if remark.startswith("Not isolated")]
    assert len(remarks) == (told is not None)
    assert all(told and remark.startswith(told) for remark in remarks)


def test_a_full_disk_of_the_engine_is_told(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.facts = replace(WELL, space=Space(free=2**27, total=2**37))
    assert planned(tmp_path, engine, teams=1).short == (
        "The engine's data has 0.1 GiB free; nothing is launched like that",
    )


@pytest.mark.parametrize(
    ("image", "state", "size"),
    [
        ("", ImageState.THERE, 75 * 1024**2),
        ("image: nobody/has", ImageState.MISSING, None),
        ("build: {context: images}", ImageState.TO_BUILD, None),
    ],
)
def test_each_image_is_there_built_or_missing(
    tmp_path: Path, image: str, state: ImageState, size: int | None
) -> None:
    (tmp_path / "house" / "images").mkdir(parents=True)
    (tmp_path / "house" / "images" / "Dockerfile").write_text("FROM debian:bookworm-slim\n")
    engine = FakeEngine()
    shown = planned(tmp_path, engine, teams=1, image=image)
    (found,) = shown.images
    assert (found.hosts, found.state, found.bytes) == (("desk",), state, size)
    missing = "The image nobody/has is not on the engine; docker pull nobody/has"
    assert (missing in shown.short) == (state is ImageState.MISSING)
    assert "build_image" not in engine.calls


def test_an_image_for_another_processor_is_told(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.foreign_images.add("debian:bookworm-slim")
    shown = planned(tmp_path, engine, teams=1)
    assert shown.images[0].state is ImageState.FOREIGN
    assert "is for another processor" in shown.short[0]


def test_services_are_shown_and_the_images_of_their_checkers_are_counted(tmp_path: Path) -> None:
    (tmp_path / "house" / "checkers").mkdir(parents=True)
    (tmp_path / "house" / "checkers" / "Dockerfile").write_text("FROM debian:bookworm-slim\n")
    text = SCENARIO.replace("networks: {office: {}}", "networks: {office: {}, arena: {}}")
    text = text.replace("office: {size: /28}}", "office: {size: /28}, arena: {shared: true}}")
    asked = "host: desk, network: arena, checker: {build: {context: checkers}, run: [ask]}"
    services = f"  one: {{port: 1, {asked}}}\n  two: {{port: 2, {asked}}}\n"
    (tmp_path / "house" / "scenario.yaml").write_text(
        f"{text}rounds: {{every: 2m}}\nservices:\n{services}"
    )
    settings = Settings(home=tmp_path, installation="test", address_pool=(POOL,), internet_pool=())
    shown = forecast(load(tmp_path / "house"), settings, FakeEngine(), teams=2)
    assert shown.round_seconds == 120
    assert [(s.service, s.host, s.network, s.port) for s in shown.services] == [
        ("one", "desk", "arena", 1),
        ("two", "desk", "arena", 2),
    ]
    _, checker = shown.images
    assert (checker.hosts, checker.services) == ((), ("one", "two"))
    assert checker.state is ImageState.TO_BUILD
    assert {service.checker for service in shown.services} == {checker.image}
