"""What only a site decides: refused with the line that permits it, and permitted by that line."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.scenario.lint import lint
from core.scenario.load import Problem, ScenarioInvalidError, load
from core.scenario.policy_file import PolicyInvalidError, read_policy
from core.scenario.schema_site import NEVER, SiteOptions
from core.scenario.site_policy import (
    Grant,
    PolicyRefusedError,
    Quota,
    SitePolicy,
    Wish,
    policy_findings,
)
from core.scenario.yaml_reader import read
from tests.unit.core.scenario.texts import WITH_HOSTS

# What is written at the host, and what each value of it is refused with.
ASKED: Mapping[str, tuple[str, ...]] = {
    "privileged: true": ("privileged: true",),
    "cap_add: [NET_RAW, SYS_PTRACE]": ("cap_add: [NET_RAW]", "cap_add: [SYS_PTRACE]"),
    "devices: [/dev/net/tun, '/dev/kvm:/dev/kvm:rw']": (
        "devices: [/dev/net/tun]",
        'devices: ["/dev/kvm:/dev/kvm:rw"]',
    ),
    "volumes: ['/srv/a b:/data', '/srv/out:/out:rw']": (
        'volumes: ["/srv/a b:/data"]',
        'volumes: ["/srv/out:/out:rw"]',
    ),
    "sysctls: {net.ipv4.ip_forward: 1, net.core.somaxconn: '4096'}": (
        'sysctls: {net.ipv4.ip_forward: "1"}',
        'sysctls: {net.core.somaxconn: "4096"}',
    ),
    "extra_hosts: {old.test: 192.0.2.7, self.test: '{{ hosts.box.ip }}'}": (
        'extra_hosts: {old.test: "192.0.2.7"}',
        'extra_hosts: {self.test: "{{ hosts.box.ip }}"}',
    ),
    "security_opt: ['seccomp:unconfined']": ('security_opt: ["seccomp:unconfined"]',),
    "runtime: runsc": ("runtime: runsc",),
    "ipc: host": ("ipc: host",),
    "userns: host": ("userns: host",),
    "pid: host": ("pid: host",),
    "uts: host": ("uts: host",),
    "network_mode: none": ("network_mode: none",),
    "network_mode: host": ("network_mode: host",),
}
OWN = "    networks: {lan: {}}\n    accounts"
ON_A_NETWORK = tuple(asked for asked in ASKED if not asked.startswith("network_mode"))


def asking(small: Path, *more: str) -> Path:
    lines = "".join(f"\n    {line}" for line in more)
    text = WITH_HOSTS.replace("title: A box", f"title: A box{lines}")
    if "network_mode" in lines:
        text = text.replace("\nnetworks:", "\nx-networks:").replace(OWN, "    accounts")
    (small / "scenario.yaml").write_text(text)
    return small


def policy_of(folder: Path, *lines: str, quota: str = "{}") -> SitePolicy:
    file = folder / "policy.yaml"
    allow = "".join(f"\n  {line}" for line in lines) or " []"
    file.write_text(f"policy: 1\nquota: {quota}\nallow:{allow}\n")
    return read_policy(file)


def errors(folder: Path, policy: SitePolicy | None = None) -> tuple[Problem, ...]:
    return lint(folder, policy or SitePolicy())


def test_every_key_that_the_site_decides_is_tried_here() -> None:
    assert {line.split(":")[0] for line in ASKED} == set(SiteOptions.model_fields)


@pytest.mark.parametrize("asked", ASKED)
def test_each_value_is_refused_at_its_place_with_the_line_that_permits_it(
    small: Path, tmp_path: Path, asked: str
) -> None:
    problems = errors(asking(small, asked))
    lines = [problem.message.rpartition(" would permit it: ")[2] for problem in problems]
    assert lines == [f"- {{host: small/box, {value}}}" for value in ASKED[asked]]
    assert {problem.line for problem in problems} == {12}
    assert errors(small, policy_of(tmp_path, *lines)) == ()
    if len(lines) > 1:
        assert len(errors(small, policy_of(tmp_path, *lines[1:]))) == 1


def test_all_of_them_are_refused_and_permitted_together(small: Path, tmp_path: Path) -> None:
    problems = errors(asking(small, *ON_A_NETWORK))
    lines = [problem.message.rpartition(" would permit it: ")[2] for problem in problems]
    assert len(lines) == sum(len(ASKED[asked]) for asked in ON_A_NETWORK)
    assert errors(small, policy_of(tmp_path, *lines)) == ()


@pytest.mark.parametrize(
    "line",
    [
        "- {host: small/other, cap_add: [NET_RAW]}",
        "- {host: other/box, cap_add: [NET_RAW]}",
        "- {host: '*/other', cap_add: [NET_RAW]}",
        "- {host: small/box, cap_add: [NET_ADMIN]}",
        "- {host: small/box, privileged: true, pid: host, network_mode: none}",
        '- {host: small/box, volumes: ["/srv/x:/x:rw"]}',
    ],
)
def test_a_line_for_something_else_permits_nothing(small: Path, tmp_path: Path, line: str) -> None:
    asking(small, "cap_add: [NET_RAW]", "volumes: ['/srv/x:/x']", "network_mode: host")
    assert len(errors(small, policy_of(tmp_path, line))) == 3


@pytest.mark.parametrize("hosts", ["small/box", "small/*", "*/box", "*/*"])
def test_a_star_stands_for_every_scenario_or_every_host(
    small: Path, tmp_path: Path, hosts: str
) -> None:
    asking(small, "cap_add: [NET_RAW]")
    policy = policy_of(tmp_path, f"- {{host: '{hosts}', cap_add: [NET_RAW, NET_ADMIN]}}")
    assert errors(small, policy) == ()


def test_a_key_that_asks_for_nothing_needs_no_permission(small: Path) -> None:
    assert errors(asking(small, "privileged: false", "cap_add: []", "sysctls: {}")) == ()


@pytest.mark.parametrize("key", sorted(NEVER))
def test_what_no_engine_could_do_is_refused_with_the_reason(
    small: Path, tmp_path: Path, key: str
) -> None:
    permissive = policy_of(tmp_path, "- {host: '*/*', privileged: true}")
    (problem,) = errors(asking(small, f"{key}: host"), permissive)
    assert (problem.line, problem.column) == (12, 5)
    assert problem.message == f"{key} is not for a scenario to ask: {NEVER[key]}"
    with pytest.raises(PolicyInvalidError, match=f"{key} is not for a scenario to ask"):
        policy_of(tmp_path, f"- {{host: '*/*', {key}: host}}")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("cap_add: [CAP_NET_RAW]", "(did you mean NET_RAW?)"),
        ("cap_add: [ALL]", "'ALL' is not one of "),
        ("devices: [/etc/passwd]", "'/etc/passwd' is not a device"),
        ("devices: [/dev/../etc/passwd]", "is not a device"),
        ("devices: ['/dev/kvm:/dev/kvm:']", "is not a device"),
        ("volumes: ['/srv/../etc:/x']", "is not a place of the machine and one of the host"),
        ("volumes: ['/srv:/x:z']", "is not a place of the machine and one of the host"),
        ('volumes: ["/srv\\u2028:/x"]', "is not a place of the machine and one of the host"),
        ("volumes: ['srv:/x']", "is not a place of the machine and one of the host"),
        ("volumes: ['/srv/{{ team }}:/x']", "is not a place of the machine and one of the host"),
        ("sysctls: {kernel.panic: 1}", "'kernel.panic' does not have the form"),
        ("extra_hosts: {old.test: host-gateway}", "'host-gateway' is not an address"),
        ("extra_hosts: {old.test: '{{ team.name }}'}", "this template fails"),
        ("security_opt: ['label:disable']", "'label:disable' is not one of "),
        ("runtime: '-x'", "'-x' is not the name of a runtime"),
        ("ipc: shareable", "'shareable' is not one of host"),
        ("pid: 'container:x'", "'container:x' is not one of host"),
        ("uts: private", "'private' is not one of host"),
        ("network_mode: bridge", "'bridge' is not one of none, host"),
    ],
)
def test_what_cannot_be_is_said_whatever_the_policy(small: Path, asked: str, sentence: str) -> None:
    found = [problem.message for problem in errors(asking(small, asked))]
    assert [message for message in found if sentence in message], found


OFF_THE_NETWORKS = {
    "networks: {lan: {}}": "with network_mode: host a host is on no network of the exercise;",
    "sysctls: {net.core.somaxconn: 1}": "with network_mode: host the sysctls would be the machine",
    "env: {ADDRESS: '{{ hosts.box.ip }}'}": "box is on no network of the exercise, so it has no",
}


@pytest.mark.parametrize("line", OFF_THE_NETWORKS)
def test_a_host_that_is_on_no_network_has_nothing_of_one(
    small: Path, tmp_path: Path, line: str
) -> None:
    permissive = policy_of(
        tmp_path,
        "- {host: '*/*', network_mode: host, sysctls: {net.core.somaxconn: '1'}}",
    )
    assert errors(asking(small, "network_mode: host"), permissive) == ()
    (problem,) = errors(asking(small, "network_mode: host", line), permissive)
    assert problem.message.startswith(OFF_THE_NETWORKS[line])


def test_nobody_meets_a_host_that_is_on_no_network(small: Path, tmp_path: Path) -> None:
    permissive = policy_of(tmp_path, "- {host: '*/*', network_mode: none}")
    text = WITH_HOSTS.replace(
        "access:",
        """  lone: {image: "debian:bookworm-slim", network_mode: none}
injects:
  cut: {manual: true, link: {host: lone, down: true}}
flows: [{from: lan/box, to: lan/lone, tcp: [80]}]
access:""",
    ).replace(
        "  up: {host: box, tcp: 80}",
        """  up: {host: box, tcp: 80}
  peer: {from: box, tcp: {host: lone, port: 80}}
  names: {from: box, dns: {server: lone, name: a.test}}
  keys: {from: box, ssh: {host: lone}}""",
    )
    (small / "scenario.yaml").write_text(text)
    assert sorted(problem.message for problem in errors(small, permissive)) == [
        "lone is not on lan, but on none",
        "lone is on no network of the exercise, and is met on none",
        "lone is on no network of the exercise, and is met on none",
        "lone is on no network of the exercise, and is met on none",
        "lone is on no network of the exercise, so it has no link",
    ]


def test_a_host_is_on_a_network_unless_the_site_is_asked(small: Path) -> None:
    (small / "scenario.yaml").write_text(WITH_HOSTS.replace("    networks:", "    x-was:"))
    assert "networks is missing" in [problem.message for problem in errors(small)]


def test_errors_elsewhere_hide_no_refusal(small: Path) -> None:
    asking(small, "cap_add: [NET_RAW]")
    file = small / "scenario.yaml"
    text = file.read_text()
    file.write_text(text.replace("type: flag", "type: flga"))
    assert [p.line for p in errors(small)] == [6, 12]
    # Without its id no line could name the scenario.
    file.write_text(text.replace("id: small", "id: Small!"))
    assert [p.line for p in errors(small)] == [2]


def test_a_scenario_that_was_admitted_before_is_not_asked_again(small: Path) -> None:
    asking(small, "cap_add: [NET_RAW]")
    with pytest.raises(ScenarioInvalidError, match="for the site to decide"):
        load(small)
    admitted = load(small, policy=None)
    with pytest.raises(PolicyRefusedError, match="box has cap_add") as refused:
        SitePolicy().require(admitted.scenario, teams=1)
    assert refused.value.hint.endswith("\n- {host: small/box, cap_add: [NET_RAW]}")


def test_lint_warns_when_one_team_is_more_than_an_exercise_may_be(
    small: Path, tmp_path: Path
) -> None:
    asking(small, "limits: {memory: 3g}")
    assert errors(small, policy_of(tmp_path, quota="{memory: 3g, hosts: 1, cpus: 1}")) == ()
    found = errors(small, policy_of(tmp_path, quota="{memory: 2g, hosts: 1, cpus: 0.5}"))
    quota = "and the site's quota of an exercise is"
    assert [str(p).partition("scenario.yaml:")[2] for p in found] == [
        f"9:1: warning: one team needs `cpus: 1`, {quota} `cpus: 0.5`",
        f"9:1: warning: one team needs `memory: 3072m`, {quota} `memory: 2048m`",
    ]


def test_an_exercise_that_fills_its_quota_may_be_launched(small: Path, tmp_path: Path) -> None:
    scenario = load(asking(small)).scenario
    policy = policy_of(tmp_path, quota="{teams: 4, hosts: 4, memory: 2g, cpus: 4}")
    policy.require(scenario, teams=4)
    with pytest.raises(PolicyRefusedError) as refused:
        policy.require(scenario, teams=5)
    for needed in ("teams: 5", "hosts: 5", "memory: 2560m", "cpus: 5"):
        assert f"5 teams need `{needed}`" in refused.value.message


BROKEN: Mapping[str, str] = {
    "": "1:1: error: the file is empty",
    "- x\n": "1:1: error: a mapping is wanted here, not a list",
    "allow: []\n": "1:1: error: policy is missing",
    "policy: 2\n": "1:9: error: 2 is not one of 1",
    "policy: 1\nallow: [small/box.privileged]\n": "2:9: error: a mapping is wanted here",
    "policy: 1\nallow:\n- {host: small/box}\n": "3:3: error: this permits small/box nothing",
    "policy: 1\nallow:\n- {host: box, ipc: host}\n": "3:10: error: 'box' is no host of a scenario",
    "policy: 1\nallow:\n- {host: a/b, cap_ad: [X]}\n": "3:15: error: unknown key 'cap_ad' (did you",
    "policy: 1\nquota: {memory: 12}\n": "2:17: error: 12 is not a size",
    "policy: 1\npolicy: 1\n": "2:1: error: the key 'policy' stands twice",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_policy_that_is_wrong_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    with pytest.raises(PolicyInvalidError) as refused:
        read_policy(file)
    assert f"{file}:{BROKEN[text]}" in refused.value.message


def test_every_error_of_a_policy_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("policy: 1\nquota: {teams: 0}\nallow: 3\n")
    with pytest.raises(PolicyInvalidError) as refused:
        read_policy(tmp_path / "policy.yaml")
    assert [problem.line for problem in refused.value.problems] == [2, 3]


def test_a_policy_that_is_not_there_is_refused_and_none_is_none(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalidError, match="it cannot be read: No such file"):
        read_policy(tmp_path / "gone.yaml")
    assert read_policy(None) == SitePolicy()


ODD = st.text(st.characters().filter(str.isprintable), max_size=20) | st.sampled_from(
    ["true", "null", "1", "0x1f", "1e3", ".5", "~", "a: b", "- a", "#", "*", "&a", "{", "{{ x }}"]
)


@given(value=st.booleans() | ODD | st.dictionaries(ODD, ODD, min_size=1) | st.tuples(ODD, ODD))
def test_the_line_of_a_refusal_reads_back_as_what_was_asked_for(
    *,
    value: bool | str | tuple[str, ...] | dict[str, str],
) -> None:
    wish = Wish(scenario="small", host="box", key="k", value=value, place=())
    document = read(wish.line.encode())
    assert document.findings == []
    assert document.data == ({"host": "small/box", "k": value},)


def test_the_place_that_permits_is_named(tmp_path: Path, small: Path) -> None:
    policy = policy_of(
        tmp_path, "- {host: a/b, ipc: host}", "- {host: small/box, ipc: host, userns: host}"
    )
    assert list(policy.allow) == ["policy.yaml:4:5", "policy.yaml:5:5"]
    wish = Wish(scenario="small", host="box", key="userns", value="host", place=())
    assert policy.permission(wish) == "policy.yaml:5:5"
    assert isinstance(policy.allow["policy.yaml:5:5"], Grant)
    assert policy.quota == Quota()
    assert list(policy_findings(load(asking(small)).scenario, policy)) == []


def test_no_line_is_too_long_to_be_told_whole(small: Path, tmp_path: Path) -> None:
    long = "a" * 99
    asking(
        small,
        f"volumes: ['/{long}:/{long[1:]}']",
        f"sysctls: {{net.{long[4:]}: '{long}'}}",
        f"extra_hosts: {{{long[:63]}: '{{{{ hosts[\"box\"].ip }}}}'}}",
    )
    lines = [p.message.rpartition(" would permit it: ")[2] for p in errors(small)]
    assert len(lines) == 3
    assert errors(small, policy_of(tmp_path, *lines)) == ()
