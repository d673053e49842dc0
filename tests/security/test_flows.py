"""What a scenario's flows let pass, and that nothing else does: packets on the real engine.

A world of three networks for each of two teams, and one that both share, from the scenario's text
to the wire. Each host
serves the same ports and asks every question at once. What must not be answered was answered in the
same minute to somebody who may ask: a deaf server cannot pass for a good router.
"""

import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import docker
import pytest

from core.ids import ExerciseId, new_id
from core.scenario.load import load
from core.scenario.render import TeamFacts
from core.settings import read_settings
from core.waiting import until
from orchestrator.domain.addresses import host_addresses
from orchestrator.domain.plan import plan_world
from orchestrator.domain.world import HostKey, WorldKey, WorldPlan
from orchestrator.engine.names import (
    bridge_prefix,
    container_name,
    router_name,
    shared_network_name,
)
from orchestrator.engine.runtime import DockerEngine
from tests.addresses import fresh_subnet
from tests.security.attacked_range import IMAGE, ordinary
from tests.security.probes import ASK, SERVE

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

SOON = timedelta(seconds=60)

SCENARIO = """\
language: 1
scenario: {id: flows, version: 1.0.0, title: Flows, kind: investigation, duration: 1h}
roles: {solver: {side: blue}}
values: {beacon: {type: port, min: 9000, max: 9000}}
networks: {office: {size: /28}, dmz: {size: /28}, outer: {size: /28}, arena: {shared: true}}
flows:
  - {from: office, to: dmz/mail, tcp: [8080, "9001-9002"]}
  - {from: office/pc, to: outer/c2, udp: ["{{ values.beacon }}"], icmp: true}
  - {from: outer/gate, to: dmz/web, tcp: [8080]}
  - {from: dmz/mail, to: outer/gate, tcp: [9003]}
hosts:
  pc: {image: "IMAGE", networks: {office: {}}}
  gate: {image: "IMAGE", networks: {office: {}, outer: {}}}
  mail: {image: "IMAGE", networks: {dmz: {alias: mail.test}}}
  web: {image: "IMAGE", networks: {dmz: {}, arena: {}}}
  c2: {image: "IMAGE", networks: {outer: {alias: c2.test}}, hidden: true}
tasks: {one: {ask: Which?, answer: this, points: 1}}
""".replace("IMAGE", IMAGE)

PORTS = (8080, 9000, 9001, 9002, 9003)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Two teams' worlds, standing."""

    engine: DockerEngine
    plans: dict[str, WorldPlan]

    def address(self, host: str, *, team: str = "red", network: str = "") -> IPv4Address:
        plan = next(plan for plan in self.plans[team].hosts if plan.host == host)
        return next(p.address for p in plan.attachments if network in {"", p.network})

    def key(self, host: str, team: str = "red") -> HostKey:
        return HostKey(world=self.plans[team].key, host=host)

    def answered(self, host: str, *questions: str, team: str = "red") -> set[str]:
        """Return the questions (`tcp:address:port`) that were answered to a host."""
        command = ("perl", "-e", ASK, *questions)
        result = self.engine.run(self.key(host, team), command, timeout=SOON)
        assert result.ok, result.output
        return set(result.output.split())

    def all_answered(
        self, questions: Mapping[str, set[str]], *, team: str = "red"
    ) -> dict[str, set[str]]:
        """Return what was answered to each host, all of them asking at once."""
        with ThreadPoolExecutor(len(questions)) as pool:
            answers = pool.map(
                lambda asker: self.answered(asker, *questions[asker], team=team), questions
            )
            return dict(zip(questions, answers, strict=True))

    def require(
        self,
        stated: Mapping[str, set[str]],
        asked: Mapping[str, set[str]] | None = None,
        *,
        team: str = "red",
    ) -> None:
        """Fail unless hosts are answered all that is stated, and never anything else that is asked.

        They ask again: on a busy machine a question's time is over before it was sent.
        """
        missing = {asker: set(answers) for asker, answers in stated.items()}

        def is_all_answered() -> bool:
            for asker, answers in self.all_answered(asked or stated, team=team).items():
                assert answers <= stated[asker], (asker, answers - stated[asker])
                missing[asker] -= answers
            return not any(missing.values())

        until(is_all_answered, what="every answer", within=SOON, last_seen=lambda: str(missing))

    def found(self, asker: str, name: str) -> str:
        """Return the first address that a name has for a host."""
        command = ("timeout", "3", "getent", "ahostsv4", name)
        lines = self.engine.run(self.key(asker), command, timeout=SOON).output.split()
        return lines[0] if lines else ""

    def require_found(self, asker: str, name: str, *places: IPv4Address) -> None:
        """Fail unless a name has one of these addresses for a host, and never another one.

        It is asked again: a busy engine resolves names too late.
        """

        def is_found() -> bool:
            found = self.found(asker, name)
            assert found in {"", *map(str, places)}, (asker, name)
            return bool(found)

        until(is_found, what=f"{asker} to find {name}", within=SOON)

    def everything(self, host: str, *, team: str = "red", network: str = "") -> set[str]:
        """Return every question that a host answers to who may ask."""
        address = self.address(host, team=team, network=network)
        asked = {f"{kind}:{address}:{port}" for kind in ("tcp", "udp") for port in PORTS}
        return {*asked, f"icmp:{address}"}


def _plan(
    folder: Path, exercise: ExerciseId, team: str, number: int, arena: IPv4Network
) -> WorldPlan:
    loaded = load(folder)
    base = int(fresh_subnet().network_address)
    own = ("office", "dmz", "outer")
    subnets = {name: IPv4Network((base + 64 * place, 28)) for place, name in enumerate(own)}
    subnets["arena"] = arena
    facts = TeamFacts(
        slug=team,
        name=team,
        number=number,
        teams=("red", "blue"),
        values={"beacon": 9000},
        addresses=host_addresses(loaded.scenario, subnets, team=number),
        subnets=subnets,
        start=datetime(2026, 1, 1, tzinfo=UTC),
    )
    key = WorldKey(exercise=exercise, team=team)
    return plan_world(key, loaded, facts=facts, subnets=subnets, image_name=lambda *_: IMAGE)


@pytest.fixture(scope="module")
def ground(
    docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("scenario")
    (folder / "scenario.yaml").write_text(SCENARIO)
    engine = DockerEngine(read_settings().docker_host, installation=f"flows-{new_id(6)}")
    exercise, arena = ExerciseId(new_id()), fresh_subnet()
    plans = {
        team: _plan(folder, exercise, team, number, arena)
        for number, team in enumerate(("red", "blue"), 1)
    }
    ground = Ground(engine=engine, plans=plans)
    try:
        engine.protect_host()
        for plan in plans.values():
            _raise(engine, plan)
        yield ground
    finally:
        engine.remove_everything()


def _raise(engine: DockerEngine, plan: WorldPlan) -> None:
    for network in plan.networks:
        engine.raise_network(plan.key, network)
    assert plan.router is not None
    engine.raise_router(plan.key, plan.router)
    with ThreadPoolExecutor(len(plan.hosts)) as pool:
        list(pool.map(lambda host: engine.raise_host(plan.key, host), plan.hosts))
    for host in plan.hosts:
        _serve(engine, HostKey(world=plan.key, host=host.host))


def _serve(engine: DockerEngine, key: HostKey) -> None:
    script = 'perl -e "$0" "$@" >/dev/null 2>&1 &'
    engine.run(key, ("sh", "-c", script, SERVE, *map(str, PORTS)), timeout=SOON)
    until(lambda: engine.accepts_tcp(key, PORTS[-1]), what="the services", within=SOON)


def _listens(address: object, port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex((str(address), port)) == 0


def test_inside_a_network_everything_is_answered(ground: Ground) -> None:
    """It is the control of every test below: each host serves all that is asked for there."""
    pairs = [("pc", "gate", "office"), ("web", "mail", "dmz"), ("mail", "web", "dmz")]
    for asker, host, network in [*pairs, ("gate", "c2", "outer"), ("gate", "pc", "office")]:
        ground.require({asker: ground.everything(host, network=network)})
    ground.require({"web": ground.everything("mail", team="blue")}, team="blue")


def test_every_stated_flow_passes_and_nothing_else_between_networks(ground: Ground) -> None:
    mail, web, c2 = (ground.address(host) for host in ("mail", "web", "c2"))
    to_mail = {f"tcp:{mail}:{port}" for port in (8080, 9001, 9002)}
    stated = {
        "pc": {*to_mail, f"udp:{c2}:9000", f"icmp:{c2}"},
        "gate": {*to_mail, f"tcp:{web}:8080", *ground.everything("c2")},
        # The answer takes another way than the question: gate's own leads through the office.
        "mail": {*ground.everything("web"), f"tcp:{ground.address('gate', network='outer')}:9003"},
        "web": ground.everything("mail"),
        "c2": ground.everything("gate", network="outer"),
    }
    everything = {q for host in stated for q in ground.everything(host)}
    everything |= ground.everything("gate", network="outer")
    office = {*ground.everything("pc"), *ground.everything("gate")}
    asked = {
        "pc": everything - office,  # peers in the office, where everything passes
        "gate": everything - office - ground.everything("gate", network="outer"),
        **{host: everything - ground.everything(host) for host in ("mail", "web", "c2")},
    }
    ground.require(stated, asked)


def test_another_teams_hosts_answer_nothing(ground: Ground) -> None:
    theirs = {q for host in ("pc", "mail", "c2") for q in ground.everything(host, team="blue")}
    askers = ("pc", "mail", "gate", "web")
    assert ground.all_answered(dict.fromkeys(askers, theirs)) == {asker: set() for asker in askers}


def test_on_a_shared_network_the_teams_hosts_meet_and_nobody_else_does(ground: Ground) -> None:
    theirs = ground.everything("web", team="blue", network="arena")
    ground.require({"web": theirs})
    askers = ("mail", "pc", "gate")
    assert ground.all_answered(dict.fromkeys(askers, theirs)) == {asker: set() for asker in askers}


def test_on_a_shared_network_each_has_its_teams_name_and_an_id_is_the_own_teams(
    ground: Ground,
) -> None:
    in_dmz, in_arena = (ground.address("web", network=network) for network in ("dmz", "arena"))
    ground.require_found("web", "web.blue", ground.address("web", team="blue", network="arena"))
    ground.require_found("web", "web.red", in_dmz, in_arena)
    ground.require_found("web", "web", in_dmz, in_arena)
    ground.require_found("mail", "web", in_dmz)
    assert ground.found("mail", "web.blue") == ""


def test_the_engines_host_and_the_outside_answer_nothing(
    ground: Ground, docker_client: docker.DockerClient
) -> None:
    assert ground.plans["red"].router is not None
    routers = [place.address for place in ground.plans["red"].router.attachments]
    gateways = [network.subnet[1] for network in ground.plans["red"].networks]
    with (
        socket.create_server(("0.0.0.0", 0)) as service,
        ordinary(docker_client, "perl", "-e", SERVE, *map(str, PORTS)) as outside,
    ):
        port = service.getsockname()[1]
        outside.reload()
        away = outside.attrs["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
        for address, open_port in ((gateways[0], port), (away, 8080)):
            until(partial(_listens, address, open_port), what="the control", within=SOON)
        questions = {f"tcp:{address}:{port}" for address in (*gateways, *routers)}
        questions |= {f"tcp:{away}:8080", f"udp:{away}:8080", f"icmp:{away}"}
        questions |= {f"icmp:{address}" for address in (*gateways, *routers)}
        askers = ("pc", "mail", "gate")
        answered = ground.all_answered(dict.fromkeys(askers, questions))
    assert answered == {asker: set() for asker in askers}


def test_names_lead_across_networks_and_a_hidden_host_has_its_alias_alone(ground: Ground) -> None:
    mail, c2 = ground.address("mail"), ground.address("c2")
    for name, place in (("mail", mail), ("mail.test", mail), ("c2.test", c2)):
        ground.require_found("pc", name, place)
    ground.require_found("web", "gate", ground.address("gate", network="office"))
    ground.require_found("mail", "gate", ground.address("gate", network="outer"))  # its flow's end
    ground.require_found("gate", "c2.test", c2)  # a neighbour of the hidden host
    assert [ground.found(asker, "c2") for asker in ("pc", "gate", "mail")] == ["", "", ""]


def test_a_guest_of_a_shared_network_takes_nobodys_place(
    ground: Ground, docker_client: docker.DockerClient
) -> None:
    plan = ground.plans["red"]
    (arena,) = (network for network in plan.networks if network.shared)
    name = shared_network_name(ground.engine._installation, plan.key.exercise, arena.network)
    with ordinary(docker_client, "sleep", "60", network=name) as guest:
        guest.reload()
        address = guest.attrs["NetworkSettings"]["Networks"][name]["IPAddress"]
    assert IPv4Address(address) in list(arena.subnet.subnets())[1]


def test_a_host_that_ran_again_finds_its_way(
    ground: Ground, docker_client: docker.DockerClient
) -> None:
    plan = next(plan for plan in ground.plans["blue"].hosts if plan.host == "pc")
    question = f"tcp:{ground.address('mail', team='blue')}:8080"
    docker_client.api.stop(container_name(ground.engine._installation, ground.key("pc", "blue")), 0)
    ground.engine.raise_host(ground.plans["blue"].key, plan)
    until(
        lambda: ground.answered("pc", question, team="blue") == {question},
        what="an answer from beyond the router",
        within=SOON,
    )


def test_what_was_dropped_can_be_read(ground: Ground) -> None:
    pc, web = ground.address("pc"), ground.address("web")
    away = IPv4Address("198.51.100.7")
    asked = (f"tcp:{web}:4321", f"icmp:{web}", f"udp:{away}:53")
    wanted = {
        (pc, web, "tcp", 4321),
        (pc, web, "icmp", None),
        (pc, away, "udp", 53),  # what leads out of the world
    }
    seen: set[object] = set()

    def are_all_seen() -> bool:
        """Ask again, too: on a busy machine a question's time is over before it was sent."""
        assert ground.answered("pc", *asked) == set()
        dropped = ground.engine.dropped(ground.plans["red"].key)
        assert all(drop.packets >= 1 for drop in dropped)
        seen.update((drop.source, drop.target, drop.protocol, drop.port) for drop in dropped)
        return wanted <= seen

    until(
        are_all_seen,
        what="what was dropped to be counted",
        within=SOON,
        last_seen=lambda: str(seen),
    )


def test_a_router_may_change_its_own_network_and_nothing_else(ground: Ground) -> None:
    name = router_name(ground.engine._installation, ground.plans["red"].key)
    status = ground.engine._commands.run(
        name, ("cat", "/proc/self/status"), timeout=SOON, account="root"
    )
    seen = dict(line.split(":\t", 1) for line in status.output.splitlines() if ":\t" in line)
    net_admin = 1 << 12  # linux/capability.h
    assert (int(seen["CapEff"], 16), int(seen["CapBnd"], 16)) == (net_admin, net_admin)
    assert (seen["NoNewPrivs"], seen["Seccomp"]) == ("1", "2")
    write = ground.engine._commands.run(name, ("touch", "/x"), timeout=SOON, account="root")
    assert "Read-only file system" in write.output


def test_the_rule_that_lets_routers_work_stands_once_and_can_be_taken_back(ground: Ground) -> None:
    prefix = bridge_prefix(ground.engine._installation)
    rule = f"-A DOCKER-USER -i {prefix}+ -o {prefix}+ -m physdev"
    ground.engine.protect_host()
    ground.engine.protect_host()
    assert _forwarding(ground).count(rule) == 1
    ground.engine._rules.clear()
    try:
        assert _forwarding(ground).count(rule) == 0
    finally:
        ground.engine.protect_host()


def _forwarding(ground: Ground) -> str:
    command = ("sh", "-c", "iptables-nft -w -S DOCKER-USER || iptables-legacy -w -S DOCKER-USER")
    return ground.engine._toolbox.run(
        command, network_mode="host", labels={}, timeout=SOON, capabilities=("NET_ADMIN", "NET_RAW")
    ).output
