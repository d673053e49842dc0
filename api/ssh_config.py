"""A trainee's own configuration of the OpenSSH client: one name a host, the gateway's key known."""

import io
import zipfile
from collections.abc import Sequence

from api.access import GatewayKey, gateway_key
from api.bootstrap import Services
from core.scenario.access import default_entry, entries_for
from core.settings import Settings
from orchestrator.domain.exercise import Exercise, Member

CONFIG, KNOWN_HOSTS = "config", "known_hosts"
# The moment that a packed file bears is no news to anybody; zip knows none before this one.
_ZIP_BEGINS = (1980, 1, 1, 0, 0, 0)


def hosts_of(services: Services, exercise: Exercise, member: Member) -> tuple[str, ...]:
    """Return the hosts that a member's role enters, the one where they land first."""
    scenario = services.exercises.scenario(exercise).scenario
    default = default_entry(scenario, member.role)
    hosts = dict.fromkeys(entry.host for entry in entries_for(scenario, member.role))
    first = default.host if default is not None else ""
    return tuple(sorted(hosts, key=lambda host: host != first))


def ssh_config(
    settings: Settings, exercise: str, user: str, hosts: Sequence[str], *, known_hosts: str
) -> str:
    """Return the text of a configuration file; `known_hosts` is the path that it names."""
    if not hosts:
        return f"# {user} enters no host in {exercise}.\n"
    key = gateway_key(settings)
    own = "".join(_host(exercise, user, host) for host in hosts)
    everywhere = " ".join(f"{host} {host}.{exercise}" for host in hosts)
    return (
        f"# {user} in {exercise}. To get in: ssh -F {CONFIG} {hosts[0]}\n"
        f"{own}\n"
        f"Host {everywhere}\n"
        f"    HostName {settings.public_host}\n"
        f"    Port {settings.ssh_port}\n"
        f'    UserKnownHostsFile "{known_hosts}"\n'
        f"    StrictHostKeyChecking {'yes' if key else 'accept-new'}\n"
        "    ServerAliveInterval 15\n"
        "    ServerAliveCountMax 4\n"
        "    # One connection for all windows; the client of Windows cannot do this.\n"
        "    # ControlMaster auto\n"
        "    # ControlPath ~/.ssh/poligon-%C\n"
        "    # ControlPersist 60\n"
    )


def known_hosts_of(settings: Settings) -> str:
    """Return the text of the known_hosts file beside it; empty before the gateway's first start."""
    key: GatewayKey | None = gateway_key(settings)
    return f"{key.known_hosts}\n" if key is not None else ""


def packed(services: Services, exercise: Exercise, member: Member) -> bytes:
    """Return a zip with a folder named like the exercise, to be unpacked in `~/.ssh`."""
    folder = exercise.name
    config = ssh_config(
        services.settings,
        folder,
        member.name,
        hosts_of(services, exercise, member),
        known_hosts=f"~/.ssh/{folder}/{KNOWN_HOSTS}",
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, text in ((CONFIG, config), (KNOWN_HOSTS, known_hosts_of(services.settings))):
            info = zipfile.ZipInfo(f"{folder}/{name}", date_time=_ZIP_BEGINS)
            info.external_attr = 0o600 << 16
            file.writestr(info, text)
    return made.getvalue()


def _host(exercise: str, user: str, host: str) -> str:
    return f"\nHost {host} {host}.{exercise}\n    User {user}.{host}\n"
