"""`poligon lrs`: results on their way to the site's learning record store."""

from dataclasses import asdict

import typer

from api.cli.database import services_ready
from api.cli.output import Exit, Json, reporting
from api.lrs import delivering
from scoring.lrs.state import State


def status(*, as_json: Json = False) -> None:
    """Say how many statements wait, went or were refused. Example: poligon lrs status."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        found, lrs = services.outbox.status(), services.outbox.destination
        next_try = found.next_try.isoformat() if found.next_try is not None else None
        output.data({"address": lrs.address, **asdict(found), "next_try": next_try})
        output.line(lrs.address)
        output.line(", ".join(f"{found.counts[state]} {state}" for state in State))
        if found.problem:
            output.line(f"not reached: {found.problem}")
        if next_try is not None:
            output.line(f"next try: {next_try}")
        if found.refused:
            output.line(f"last refused: {found.refused}")


def retry(*, as_json: Json = False) -> None:
    """Let what the LRS refused wait again. Example: poligon lrs retry."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        again = services.outbox.retry()
        output.data({"waiting_again": again})
        output.line(f"{again} statements wait again")


def send(*, as_json: Json = False) -> None:
    """Send all that waits, now, and say what came of it. Example: poligon lrs send.

    Exits with 1 when anything is left that waits.
    """
    with (
        reporting(as_json=as_json) as output,
        services_ready() as services,
        delivering(services) as delivery,
    ):
        services.outbox.book()
        sent = delivery.send()
        left = services.outbox.status().counts[State.WAITING]
        output.data({**asdict(sent), "waiting": left})
        output.line(f"{sent.delivered} delivered, {sent.refused} refused, {left} waiting")
        if sent.problem:
            output.line(f"stopped: {sent.problem}")
        raise typer.Exit(Exit.ERROR if left else Exit.OK)
