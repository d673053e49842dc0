"""What a trainee types to get in, and how they know that they reached the right gateway."""

from dataclasses import dataclass
from pathlib import Path

from api.bootstrap import Services
from core.ids import UserId
from core.settings import Settings
from core.users.keys import parse_public_key
from core.users.model import KeyInvalidError
from orchestrator.domain.exercise import Exercise
from scoring.team_scenario import RecordedHost, ShownPassword, TeamScenario

_DEFAULT_SSH_PORT = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayKey:
    """The gateway's public key: a line for `known_hosts`, and what `ssh` asks about at first."""

    known_hosts: str
    fingerprint: str


def host_key_file(settings: Settings) -> Path:
    """Return where the gateway keeps its private key; the public one is beside it, `.pub`."""
    return settings.home / "ssh_host_ed25519_key"


def user_ca_file(settings: Settings) -> Path:
    """Return where the centre's key is that signs people's; the public half is beside it."""
    return settings.home / "user_ca_ed25519"


def public_key_file(settings: Settings) -> Path:
    """Return where the gateway leaves its public key for the pages and the command line."""
    return host_key_file(settings).with_suffix(".pub")


def ssh_command(settings: Settings, login: str) -> str:
    """Return a line that is ready to paste."""
    port = "" if settings.ssh_port == _DEFAULT_SSH_PORT else f"-p {settings.ssh_port} "
    return f"ssh {port}{login}@{settings.public_host}"


def passwords_of(
    services: Services, exercise: Exercise, user: UserId, *, language: str = ""
) -> tuple[ShownPassword, ...]:
    """Return the passwords of hosts that somebody's role is shown; none for who is in no team."""
    seen, role = _seen_by(services, exercise, user, language)
    return seen.passwords(role) if seen is not None else ()


def recorded_for(
    services: Services, exercise: Exercise, user: UserId, *, language: str = ""
) -> tuple[RecordedHost, ...]:
    """Return what somebody must know of recording before they enter; nothing for other people."""
    seen, role = _seen_by(services, exercise, user, language)
    return seen.recorded(role) if seen is not None else ()


def _seen_by(
    services: Services, exercise: Exercise, user: UserId, language: str
) -> tuple[TeamScenario | None, str]:
    team = exercise.team_of(user)
    if team is None:
        return None, ""
    role = next(member.role for member in team.members if member.user == user)
    return TeamScenario.of(services.exercises, exercise, team, language=language), role


def gateway_key(settings: Settings) -> GatewayKey | None:
    """Return the gateway's public key; `None` before the gateway's first start."""
    try:
        key, fingerprint = parse_public_key(public_key_file(settings).read_text())
    except (OSError, KeyInvalidError):
        return None
    host = settings.public_host
    place = host if settings.ssh_port == _DEFAULT_SSH_PORT else f"[{host}]:{settings.ssh_port}"
    return GatewayKey(
        known_hosts=f"{place} {key}",
        fingerprint=fingerprint,
    )
