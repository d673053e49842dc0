from collections.abc import Callable
from pathlib import Path

import pytest

from core.scenario.importing.importer import Imported
from core.scenario.schema import Scenario

Bring = Callable[[str], tuple[Scenario, Imported]]
Reasons = Callable[[str], list[str]]


def test_each_link_is_a_network_and_a_bridge_is_one(bring: Bring) -> None:
    scenario, _ = bring("two.clab.yml")
    assert {name: list(host.networks) for name, host in scenario.hosts.items()} == {
        "edge": ["mgmt", "edge-inner"],
        "inner": ["mgmt", "edge-inner", "sw"],
        "far": ["mgmt", "sw"],
        "desk": ["mgmt"],
    }
    assert scenario.scenario.title == "two-sites"


def test_nodes_inherit_and_are_what_they_say(bring: Bring, tmp_path: Path) -> None:
    scenario, _ = bring("two.clab.yml")
    edge, inner, far = (scenario.hosts[name] for name in ("edge", "inner", "far"))
    assert (edge.image, far.image) == ("nginx:1", "alpine:3")
    assert (edge.env, far.env) == ({"SITE": "main", "ROLE": "edge"}, {"SITE": "main"})
    assert [file.to for file in edge.files] == ["/etc/nginx/conf.d/site.conf"]
    assert [probe.tcp for probe in edge.ready] == [80]
    assert (inner.limits.memory, inner.limits.cpus) == (64 << 20, 0.5)
    dockerfile = (tmp_path / "draft/images/inner/Dockerfile").read_text()
    assert dockerfile == 'FROM alpine:3\nCMD ["sleep", "1d"]\n'


def test_commands_run_at_the_beginning_but_addresses_are_the_sites(
    bring: Bring, tmp_path: Path
) -> None:
    scenario, imported = bring("two.clab.yml")
    assert scenario.injects["edge-2"].run == ("touch", "/tmp/ready", "now")
    told = "\n".join(map(str, imported.notes))
    assert "dropped topology.nodes.edge.exec.0: addresses and routes are the site's" in told
    text = (tmp_path / "draft/scenario.yaml").read_text()
    assert "# TODO: it ran ip addr add 10.0.0.1/24 dev eth1" in text


REFUSED = {
    "device": ("kind: nokia_srlinux", "3:9", "nodes.a.kind: the kind nokia_srlinux: only Linux"),
    "no kind": ("image: x", "3:8", "nodes.a.kind: it has no kind"),
    "no image": ("kind: linux", "3:8", "nodes.a.image: it has no image"),
    "sysctls": (
        "kind: linux, image: x, sysctls: {net.ipv4.ip_forward: 1}",
        "3:32",
        "nodes.a.sysctls: it changes the kernel",
    ),
    "namespace": (
        "kind: linux, image: x, network-mode: 'container:b'",
        "3:32",
        "which network a host shares is the site's decision",
    ),
    "outside": ("kind: linux, image: x, binds: [../x:/x]", "3:40", "../x: it lies outside"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_not_be_the_same_is_refused(reasons: Reasons, case: str) -> None:
    node, where, reason = REFUSED[case]
    (told,) = reasons(f"topology:\n  nodes:\n    a: {{{node}}}\n")
    assert told.startswith(f"{where}: error: topology.")
    assert reason in told


LINKS = {
    "to the engine's host": "endpoints: ['a:eth1', 'host:veth1']",
    "of another type": "type: vxlan, endpoint: {node: a, interface: eth1}",
    "with one end": "endpoints: ['a:eth1']",
}


@pytest.mark.parametrize("case", LINKS)
def test_a_link_that_leaves_the_lab_is_refused(reasons: Reasons, case: str) -> None:
    text = (
        "topology:\n  nodes: {a: {kind: linux, image: x}}\n  links:\n    - {" + LINKS[case] + "}\n"
    )
    (told,) = reasons(text)
    assert told.startswith("4:7: error: topology.links.0: ")
