"""The command `poligon`: every word of it, and where it is."""

import gc
import logging
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from api.cli.words import Later, Words
from core.log import configure_logging

_COMMANDS: tuple[TyperCommand | TyperGroup, ...] = (
    Later("demo", "demo:demo", "Run the starter exercise for two teams, and say how to get in."),
    Later("serve", "serve:serve", "Serve the pages and the interface."),
    Later("worker", "worker:worker", "Do the background work: worlds and checks."),
    Later(
        "broker",
        "broker:broker",
        "Hold the engine's socket, and enter hosts with it for the gateway.",
    ),
    Later("gateway", "gateway:app", "Serve SSH: the port through which trainees enter."),
    Later("doctor", "doctor:doctor", "Look at everything that this site needs."),
    Later(
        "down",
        "down:down",
        "Remove every world, network and image of this installation, and close its exercises.",
    ),
    Words(
        "scenario",
        "Scenarios: check, plan and build them; their language.",
        {
            "lint": "scenario:lint_scenario",
            "plan": "preparing:plan",
            "build": "preparing:build",
            "schema": "scenario:schema",
            "reference": "scenario:key_reference",
            "generators": "scenario:list_generators",
            "import": "importing:import_content",
            "rehearse": "rehearsal:rehearse",
            "new": "starter:new",
            "diff": "difference:diff",
        },
    ),
    Words(
        "exercise",
        "Exercises, from launch to removal.",
        {
            "launch": "exercise:launch",
            "list": "exercise:list_exercises",
            "status": "exercise:status",
            "logins": "exercise:logins",
            "board": "exercise:board",
            "record": "exercise:record",
            "reset": "exercise:reset",
            "start": "exercise:start",
            "end": "exercise:end",
            "keep": "exercise:keep",
            "destroy": "exercise:destroy",
            "retry": "exercise:retry",
            "pause": "conduct:pause",
            "resume": "conduct:resume",
            "extend": "conduct:extend",
            "events": "conduct:events",
            "role": "casting:role",
            "public-board": "public_board:public_board",
            "ssh-config": "casting:ssh_config_files",
            "dropped": "traffic:dropped",
            "sessions": "recordings:sessions",
            "recording": "recordings:recording",
            "report": "reports:report",
            "handout": "reports:handout",
            "signals": "reports:signals",
        },
    ),
    Words(
        "improvement",
        "The improvement plan of an exercise.",
        {
            "list": "reports:list_lines",
            "add": "reports:add",
            "change": "reports:change",
            "remove": "reports:remove",
        },
    ),
    Words(
        "inject",
        "Injects of a running exercise.",
        {
            "list": "inject:list_injects",
            "fire": "inject:fire",
            "hold": "inject:hold",
            "release": "inject:release",
            "skip": "inject:skip",
            "shift": "inject:shift",
        },
    ),
    Words(
        "marks",
        "What assessors mark.",
        {
            "list": "marks:list_marks",
            "export": "marks:export",
            "appoint": "marks:appoint",
            "dismiss": "marks:dismiss",
            "release": "marks:release",
            "again": "marks:again",
        },
    ),
    Words(
        "check",
        "Checks: try one; declare maintenance.",
        {"run": "check:run", "maintenance": "check:maintenance", "windows": "check:windows"},
    ),
    Words(
        "score",
        "The score's ledger.",
        {
            "replay": "score:replay",
            "verify": "score:verify",
            "rebuild": "score:rebuild",
            "feed-key": "score:feed_key",
            "propose": "correcting:propose",
            "preview": "correcting:preview",
            "approve": "correcting:approve",
            "reject": "correcting:reject",
            "withdraw": "correcting:withdraw",
            "corrections": "correcting:corrections",
        },
    ),
    Words(
        "user",
        "People who may log in.",
        {
            "add": "people:add",
            "code": "people:make_code",
            "list": "people:list_users",
            "key": "people:add_key",
        },
    ),
    Words(
        "ca",
        "The centre's own authority for people's SSH keys.",
        {"init": "certificates:init", "sign": "certificates:sign_key"},
    ),
    Words(
        "lrs",
        "Results on their way to a learning record store.",
        {"status": "lrs:status", "retry": "lrs:retry", "send": "lrs:send"},
    ),
    Words("db", "The database.", {"upgrade": "database:upgrade_command"}),
)


class _Poligon(TyperGroup):
    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401  # whatever typer gives a group
        super().__init__(**{**attributes, "commands": _COMMANDS})


app = typer.Typer(
    name="poligon",
    cls=_Poligon,
    help="Cyber-range exercises from one YAML file: built on Docker, played over SSH, scored.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _quietly() -> None:
    """Keep logs on stderr, and only what is wrong; `serve` and its like log as they go."""
    configure_logging(level=logging.WARNING)


def run() -> None:
    """Run the command line of this process."""
    try:
        app()
    finally:
        # Python looks through all that was loaded when it ends: half a second that nobody needs.
        gc.freeze()


if __name__ == "__main__":
    run()
