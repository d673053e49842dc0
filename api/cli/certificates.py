"""`poligon ca`: the centre's own authority for people's SSH keys."""

from pathlib import Path
from typing import Annotated

import typer

from api.access import user_ca_file
from api.certificates import certificate
from api.cli.database import services_ready
from api.cli.output import Json, reporting
from api.cli.people import line_of
from core.errors import Fault, PoligonError
from core.settings import read_settings
from orchestrator.gateway.user_ca import create


class CertificateNotWrittenError(PoligonError):
    """The certificate cannot be written beside the key."""

    code = "ca.not_written"
    fault = Fault.INPUT


def init(*, as_json: Json = False) -> None:
    """Make the centre's key, unless it is there. Example: poligon ca init."""
    with reporting(as_json=as_json) as output:
        path = user_ca_file(read_settings())
        fingerprint = create(path)
        output.data({"file": str(path), "fingerprint": fingerprint})
        output.line(f"{path} signs keys of people; its fingerprint is {fingerprint}")


def sign_key(
    name: Annotated[str, typer.Argument(help="A member of a team.")],
    file: Annotated[Path, typer.Argument(help="Their public key, a .pub file of OpenSSH.")],
    *,
    exercise: Annotated[str, typer.Option(help="The exercise, such as night-shift-k3f.")],
    as_json: Json = False,
) -> None:
    """Write a certificate beside somebody's public key.

    Example: poligon ca sign ana --exercise night-shift-k3f ana.pub
    """
    with reporting(as_json=as_json) as output:
        public_key = line_of(file)
        with services_ready() as services:
            found = services.exercises.get(exercise)
            signed = certificate(services, found, name, public_key)
        place = file.with_name(f"{file.stem}-cert.pub")
        try:
            place.write_text(signed, encoding="utf-8")
        except OSError as error:
            raise CertificateNotWrittenError(
                f"{place} cannot be written: {error.strerror}", hint="Copy the key elsewhere first"
            ) from error
        output.data({"user": name, "exercise": found.name, "file": str(place)})
        output.line(f"{place} lets {name} in; it belongs beside the private key")
