"""Talks with real servers of a host: Debian's Postfix, OpenSSH, PostgreSQL and MariaDB."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import docker
import pytest

from core.ids import ExerciseId, new_id
from core.settings import read_settings
from core.waiting import until
from orchestrator.domain.world import (
    Attachment,
    HostPlan,
    ImageBuild,
    Limits,
    NetworkPlan,
    WorldKey,
)
from orchestrator.engine.runtime import DockerEngine
from scoring.checks.prober import Prober
from scoring.checks.probes import (
    Finding,
    Look,
    Server,
    ServerProbe,
    SmtpProbe,
    SqlProbe,
    SshProbe,
)
from scoring.domain.verdicts import Verdict
from tests.addresses import fresh_subnet
from tests.fakes.fake_engine import BASE_IMAGE

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

INSTALLATION = f"test-{new_id(8)}"
SUBNET = fresh_subnet()
SOON = timedelta(seconds=90)

DOCKERFILE = r"""
FROM debian:bookworm-slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      mariadb-client-core mariadb-server-core openssh-server postfix postgresql \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home keeper && echo keeper:right | chpasswd && mkdir -p /run/sshd \
 && postconf -e mydestination=office.test mynetworks=127.0.0.1 inet_interfaces=all \
      smtpd_tls_security_level=may smtpd_relay_restrictions=reject_unauth_destination \
 && echo 'host all all all scram-sha-256' >> /etc/postgresql/15/main/pg_hba.conf \
 && echo "listen_addresses = '*'" >> /etc/postgresql/15/main/postgresql.conf \
 && useradd --system mysql && install -d -o mysql /srv/maria /run/mysqld \
 && mariadb-install-db --user=mysql --datadir=/srv/maria >/dev/null
COPY start people.sql /srv/
RUN chmod 755 /srv/start
CMD ["/srv/start"]
"""
START = r"""#!/bin/sh
/usr/sbin/sshd
postfix start
pg_ctlcluster 15 main start
su postgres -c "psql -c \"create user app password 'right'\" -c 'create database shop owner app'"
setsid mariadbd --user=mysql --datadir=/srv/maria --init-file=/srv/people.sql &
exec sleep infinity
"""
PEOPLE = """\
delete from mysql.global_priv where user = '';
flush privileges;
create database shop;
create user app@'%' identified by 'right';
grant all on shop.* to app@'%';
"""


@pytest.fixture(scope="module")
def engine(docker_client: docker.DockerClient) -> Iterator[DockerEngine]:
    engine = DockerEngine(read_settings().docker_host, installation=INSTALLATION)
    yield engine
    engine.remove_everything()


@pytest.fixture(scope="module")
def world(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> WorldKey:
    """Raise a desk, and an office with every server."""
    context = tmp_path_factory.mktemp("servers")
    for name, content in (("Dockerfile", DOCKERFILE), ("start", START), ("people.sql", PEOPLE)):
        Path(context, name).write_text(content)
    image = f"cyberpoligon-{INSTALLATION}/servers:1"
    engine.build_image(ImageBuild(reference=image, context=context, host="servers"))
    world = WorldKey(exercise=ExerciseId(new_id()), team="team-1")
    engine.raise_network(world, NetworkPlan(network="office", subnet=SUBNET))
    for place, (host, used) in enumerate((("desk", BASE_IMAGE), ("office", image)), start=2):
        engine.raise_host(
            world,
            HostPlan(
                host=host,
                image=used,
                attachments=(Attachment(network="office", address=SUBNET[place]),),
                limits=Limits(memory=768 * 1024**2, cpus=1.0, pids=256),
            ),
        )
    until(
        lambda: all(
            engine.accepts_tcp(world.host("office"), port) for port in (22, 25, 3306, 5432)
        ),
        what="every server",
        within=SOON,
    )
    return world


def office(port: int) -> Server:
    return Server(address=SUBNET[3], port=port)


MAIL = SmtpProbe(
    server=office(25),
    tls="none",
    user=None,
    password=None,
    sender="a@world.test",
    recipient="keeper@office.test",
    accepted=True,
)
LOGIN = SshProbe(server=office(22), user="keeper", password="right", accepted=True)
POSTGRESQL = SqlProbe(
    server=office(5432),
    engine="postgresql",
    user="app",
    password="right",
    database="shop",
    accepted=True,
    query="select 'Marta' as name union select 'Jana'",
    rows=2,
    contains="Mart",
)
MYSQL = replace(POSTGRESQL, server=office(3306), engine="mysql")


def look(
    engine: DockerEngine, world: WorldKey, probe: ServerProbe, *, host: str = "desk"
) -> Finding:
    asked = Look(host=host, probe=probe, timeout=timedelta(seconds=20))
    return Prober(engine).look(world, asked)


@pytest.mark.parametrize(
    ("probe", "verdict"),
    [
        (MAIL, Verdict.UP),
        (replace(MAIL, recipient="b@elsewhere.test"), Verdict.MUMBLE),
        (replace(MAIL, recipient="b@elsewhere.test", accepted=False), Verdict.UP),
        (replace(MAIL, user="a", password="b"), Verdict.MUMBLE),  # it offers no login
        (LOGIN, Verdict.UP),
        (replace(LOGIN, user=None, password=None), Verdict.UP),
        (replace(LOGIN, password="wrong"), Verdict.MUMBLE),
        (replace(LOGIN, password="wrong", accepted=False), Verdict.UP),
        (replace(LOGIN, accepted=False), Verdict.MUMBLE),
        (POSTGRESQL, Verdict.UP),
        (replace(POSTGRESQL, rows=3), Verdict.MUMBLE),
        (replace(POSTGRESQL, query="select * from nothing", rows=None), Verdict.MUMBLE),
        (replace(POSTGRESQL, password="wrong"), Verdict.MUMBLE),
        (replace(POSTGRESQL, password="wrong", accepted=False), Verdict.UP),
        (replace(POSTGRESQL, user="nobody", accepted=False), Verdict.UP),
        (MYSQL, Verdict.UP),
        (replace(MYSQL, contains="Petar"), Verdict.MUMBLE),
        (replace(MYSQL, password="wrong"), Verdict.MUMBLE),
        (replace(MYSQL, password="wrong", accepted=False), Verdict.UP),
        (replace(MYSQL, query=None, rows=None, contains=None, accepted=False), Verdict.MUMBLE),
        # One protocol is no other one, and a closed port none at all.
        (replace(LOGIN, server=office(25)), Verdict.MUMBLE),
        (replace(MAIL, server=office(22)), Verdict.MUMBLE),
        (replace(POSTGRESQL, server=office(3306)), Verdict.MUMBLE),
        (replace(MYSQL, server=office(22)), Verdict.MUMBLE),
        (replace(LOGIN, server=office(23)), Verdict.DOWN),
    ],
)
def test_a_client_beside_the_desk_talks_with_the_office(
    engine: DockerEngine, world: WorldKey, probe: ServerProbe, verdict: Verdict
) -> None:
    finding = look(engine, world, probe)
    assert finding.verdict is verdict, finding.output


@pytest.mark.parametrize("probe", [MAIL, LOGIN, POSTGRESQL, MYSQL])
def test_a_host_is_looked_at_from_inside_itself(
    engine: DockerEngine, world: WorldKey, probe: ServerProbe
) -> None:
    itself = replace(probe.server, address=IPv4Address("127.0.0.1"))
    finding = look(engine, world, replace(probe, server=itself), host="office")
    assert finding.verdict is Verdict.UP, finding.output


def test_mail_may_be_encrypted(engine: DockerEngine, world: WorldKey) -> None:
    finding = look(engine, world, replace(MAIL, tls="starttls"))
    assert finding.verdict is Verdict.UP, finding.output


def test_talking_leaves_nothing_behind(
    engine: DockerEngine, world: WorldKey, docker_client: docker.DockerClient
) -> None:
    ours: dict[str, str | list[str] | bool] = {"label": f"cyberpoligon={INSTALLATION}"}
    before = len(docker_client.containers.list(all=True, sparse=True, filters=ours))
    for probe in (LOGIN, replace(LOGIN, server=office(23))):
        look(engine, world, probe)
    assert len(docker_client.containers.list(all=True, sparse=True, filters=ours)) == before
