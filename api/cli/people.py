"""`poligon user`: people who may log in."""

from pathlib import Path
from typing import Annotated

import typer

from api.access import gateway_key, ssh_command
from api.cli.conduct import duration
from api.cli.database import services_ready
from api.cli.exercise import OPERATOR
from api.cli.output import Json, reporting
from api.codes import issue_code
from core.errors import Fault, PoligonError
from core.security import new_password
from core.users.model import Role

Name = Annotated[str, typer.Argument(help="The login name: a-z, 0-9, - and _.")]


class KeyFileUnreadableError(PoligonError):
    """The file with the public key cannot be read."""

    code = "user.key_file_unreadable"
    fault = Fault.INPUT


def add(
    name: Name,
    *,
    role: Annotated[Role, typer.Option(help="What the person does.")] = Role.TRAINEE,
    display_name: Annotated[str, typer.Option("--display-name", help="As it is shown.")] = "",
    with_code: Annotated[
        bool, typer.Option("--code", help="A one-time code instead of a password.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add somebody; their password, or one-time code, is made and printed once.

    Example: poligon user add ana --role instructor
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        password = None if with_code else new_password()
        user = services.users.add(name, role=role, password=password, display_name=display_name)
        code, _ = services.users.codes.issue(name) if with_code else ("", None)
        output.data(
            {"name": user.name, "role": user.role, "password": password or "", "code": code}
        )
        way = f"one-time code {code}" if with_code else f"password {password}"
        output.line(f"{user.name} ({user.role}) logs in with the {way}")


def make_code(
    name: Name,
    *,
    lasts: Annotated[str, typer.Option("--for", help="How long it is good, such as 24h.")] = "24h",
    as_json: Json = False,
) -> None:
    """Make a one-time code, by which somebody enrols a key or a password at their first login.

    Example: poligon user code ana --for 48h
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        code, expires = issue_code(services, name, by=OPERATOR, lasts=duration(lasts))
        key = gateway_key(services.settings)
        ssh = ssh_command(services.settings, name)
        output.data(
            {
                "name": name,
                "code": code,
                "expires_at": expires.isoformat(),
                "ssh": ssh,
                "known_hosts": key.known_hosts if key is not None else "",
                "fingerprint": key.fingerprint if key is not None else "",
            }
        )
        output.line(f"{name} gets in once with the code {code}, until {expires:%Y-%m-%d %H:%M} UTC")
        output.line(f"  {ssh}")
        if key is not None:
            output.line(f"  the server's fingerprint: {key.fingerprint}")


def list_users(*, as_json: Json = False) -> None:
    """List everybody who may log in. Example: poligon user list --json."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        users = services.users.everybody()
        output.data(
            [{"name": u.name, "role": u.role, "display_name": u.display_name} for u in users]
        )
        rows = [(u.name, u.role, u.display_name) for u in users]
        output.table("Users", ("name", "role", "shown as"), rows)


def add_key(
    name: Name,
    file: Annotated[Path, typer.Argument(help="A .pub file of OpenSSH.")],
    *,
    as_json: Json = False,
) -> None:
    """Let somebody in by an SSH key. Example: poligon user key ana ~/.ssh/id_ed25519.pub."""
    with reporting(as_json=as_json) as output:
        line = line_of(file)
        with services_ready() as services:
            fingerprint = services.users.add_key(name, line)
        output.data({"name": name, "fingerprint": fingerprint})
        output.line(f"{name} gets in with {fingerprint}")


def line_of(file: Path) -> str:
    """Return the text of a public key's file; raises KeyFileUnreadableError."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileUnreadableError(
            f"{file} cannot be read as text", hint="Give the path of a .pub file"
        ) from error
