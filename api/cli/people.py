"""`poligon user`: people who may log in."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.database import services_ready
from api.cli.output import Json, reporting
from core.errors import Fault, PoligonError
from core.security import new_password
from core.users.model import Role

app = typer.Typer(help="People who may log in.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The login name: a-z, 0-9, - and _.")]


class KeyFileUnreadableError(PoligonError):
    """The file with the public key cannot be read."""

    code = "user.key_file_unreadable"
    fault = Fault.INPUT


@app.command("add")
def add(
    name: Name,
    *,
    role: Annotated[Role, typer.Option(help="What the person does.")] = Role.TRAINEE,
    display_name: Annotated[str, typer.Option("--display-name", help="As it is shown.")] = "",
    as_json: Json = False,
) -> None:
    """Add somebody; their password is made and printed once.

    Example: poligon user add ana --role instructor
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        password = new_password()
        user = services.users.add(name, role=role, password=password, display_name=display_name)
        output.data({"name": user.name, "role": user.role, "password": password})
        output.line(f"{user.name} ({user.role}) logs in with the password {password}")


@app.command("list")
def list_users(*, as_json: Json = False) -> None:
    """List everybody who may log in. Example: poligon user list --json."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        users = services.users.everybody()
        output.data(
            [{"name": u.name, "role": u.role, "display_name": u.display_name} for u in users]
        )
        rows = [(u.name, u.role, u.display_name) for u in users]
        output.table("Users", ("name", "role", "shown as"), rows)


@app.command("key")
def add_key(
    name: Name,
    file: Annotated[Path, typer.Argument(help="A .pub file of OpenSSH.")],
    *,
    as_json: Json = False,
) -> None:
    """Let somebody in by an SSH key. Example: poligon user key ana ~/.ssh/id_ed25519.pub."""
    with reporting(as_json=as_json) as output:
        line = _line_of(file)
        with services_ready() as services:
            fingerprint = services.users.add_key(name, line)
        output.data({"name": name, "fingerprint": fingerprint})
        output.line(f"{name} gets in with {fingerprint}")


def _line_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileUnreadableError(
            f"{file} cannot be read as text", hint="Give the path of a .pub file"
        ) from error
