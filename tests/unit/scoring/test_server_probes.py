"""Checks of servers, from what an author wrote to what is tried for a team."""

from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from core.scenario.dry_run import invented_team
from core.scenario.load import load
from core.scenario.render import Renderer
from scoring.checks.probes import Server, ServerProbe, SmtpProbe, SqlProbe, SshProbe
from scoring.team_scenario import TeamScenario

SCENARIO = """\
language: 1
scenario: {id: asked, version: 1.0.0, title: Asked, kind: investigation, duration: 30m}
roles: {solver: {side: blue, title: Solver}}
values: {port: {type: port}}
networks: {lan: {size: /28}, dmz: {size: /28}}
hosts:
  desk: {title: A desk, image: debian, networks: {dmz: {}}}
  mail: {title: A server, image: debian, networks: {lan: {}, dmz: {}}}
checks:
  relay:
    from: desk
    smtp: {host: mail, sender: "{{ team }}@a.test", recipient: b@b.test, mail: refused}
  door: {host: mail, ssh: {port: "{{ values.port }}", user: root, password: x, login: refused}}
  shop: {from: desk, sql: {host: mail, engine: postgresql, user: app, query: "select 1", rows: 1}}
  till: {host: mail, timeout: 3s, sql: {engine: mysql, user: app, login: refused}}
tasks: {one: {ask: What?, answer: x}}
"""
SEEN = IPv4Address("10.2.0.2")  # of the mail server, in the network that the desk is on
ITSELF = IPv4Address("127.0.0.1")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> TeamScenario:
    folder: Path = tmp_path_factory.mktemp("scenarios") / "asked"
    folder.mkdir()
    (folder / "scenario.yaml").write_text(SCENARIO)
    loaded = load(folder)
    facts = invented_team(loaded.scenario, loaded)
    return TeamScenario(
        scenario=loaded.scenario,
        texts=loaded.scenario,
        translations=loaded.translations,
        facts=facts,
        renderer=Renderer(loaded, facts),
    )


def probe(scenario: TeamScenario, check: str) -> ServerProbe:
    found = scenario.look(scenario.scenario.checks[check]).probe
    assert isinstance(found, SmtpProbe | SshProbe | SqlProbe)
    return found


def test_a_server_is_where_the_prober_sees_it_or_in_the_host_itself(
    scenario: TeamScenario,
) -> None:
    port = scenario.facts.values["port"]
    assert probe(scenario, "relay").server == Server(address=SEEN, port=25)
    assert probe(scenario, "door").server == Server(address=ITSELF, port=int(str(port)))
    assert probe(scenario, "shop").server == Server(address=SEEN, port=5432)
    assert probe(scenario, "till").server == Server(address=ITSELF, port=3306)


def test_what_is_wanted_of_a_server_is_rendered(scenario: TeamScenario) -> None:
    relay = probe(scenario, "relay")
    assert isinstance(relay, SmtpProbe)
    assert (relay.sender, relay.recipient, relay.accepted) == ("team-1@a.test", "b@b.test", False)
    door = probe(scenario, "door")
    assert isinstance(door, SshProbe)
    assert (door.user, door.password, door.accepted) == ("root", "x", False)
    shop = probe(scenario, "shop")
    assert isinstance(shop, SqlProbe)
    assert (shop.query, shop.rows, shop.contains, shop.accepted) == ("select 1", 1, None, True)


def test_a_look_is_from_where_the_check_stands(scenario: TeamScenario) -> None:
    till = scenario.look(scenario.scenario.checks["till"])
    assert (till.host, till.timeout) == ("mail", timedelta(seconds=3))
    assert scenario.look(scenario.scenario.checks["relay"]).host == "desk"
