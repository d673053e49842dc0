"""`poligon exercise role|ssh-config`: who plays whom, and files for their SSH clients."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.database import services_ready
from api.cli.exercise import Name
from api.cli.output import Json, reporting
from api.ssh_config import CONFIG, KNOWN_HOSTS, hosts_of, known_hosts_of, ssh_config
from core.errors import Fault, PoligonError
from orchestrator.journal import By

Folder = Annotated[
    Path, typer.Option("-o", "--output", help="A folder; in it one for each trainee is made.")
]


class FolderNotWrittenError(PoligonError):
    """The files for SSH clients cannot be written where they should be."""

    code = "ssh_config.not_written"
    fault = Fault.INPUT


def role(
    name: Name,
    user: Annotated[str, typer.Argument(help="Whose role, such as ana.")],
    new_role: Annotated[str, typer.Argument(metavar="ROLE", help="A role of the scenario.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the log.")] = "",
    as_json: Json = False,
) -> None:
    """Have a member of a team play another role from now on.

    Example: poligon exercise role night-shift-k3f ana lead
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        services.casting.give(exercise, user, role=new_role, by=By(reason=reason))
        output.data({"exercise": exercise.name, "user": user, "role": new_role})
        output.line(f"{user} plays {new_role} in {exercise.name}")


def ssh_config_files(name: Name, *, folder: Folder = Path(), as_json: Json = False) -> None:
    """Write a configuration of the SSH client, and the server's key, for each trainee.

    Example: poligon exercise ssh-config night-shift-k3f -o to-hand-out
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        written = []
        for member in (member for team in exercise.teams for member in team.members):
            place = folder.absolute() / member.name
            config = ssh_config(
                services.settings,
                exercise.name,
                member.name,
                hosts := hosts_of(services, exercise, member),
                known_hosts=str(place / KNOWN_HOSTS),
            )
            _write(place, {CONFIG: config, KNOWN_HOSTS: known_hosts_of(services.settings)})
            written.append({"user": member.name, "file": str(place / CONFIG), "hosts": list(hosts)})
        output.data(written)
        rows = [
            (str(one["user"]), f"ssh -F {one['file']} {next(iter(one['hosts']), 'HOST')}")
            for one in written
        ]
        output.table("Files for SSH clients", ("user", "to get in"), rows)


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise FolderNotWrittenError(
            f"{folder} cannot be written: {error.strerror}", hint="Name another folder with -o"
        ) from error
