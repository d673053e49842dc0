"""`poligon broker`: the process that holds the engine's socket for the gateway.

It can be run as a module, too: then none of the rest of the program is in the process, which is
as good as root.
"""

import asyncio
from pathlib import Path

import typer

from api.cli.output import reporting
from api.cli.process import SupervisedBy, begin, take_all_files, told_to_stop
from core.settings import Settings, read_settings
from orchestrator.broker.server import Broker
from orchestrator.engine.toolbox_name import toolbox_reference
from orchestrator.engine.unix_http import UnixHttp


def broker(*, supervised_by: SupervisedBy = None) -> None:
    """Hold the engine's socket, and enter hosts with it for the gateway. Example: poligon broker.

    It needs neither the database nor a network.
    """
    with reporting():
        begin(supervised_by)
        take_all_files()
        asyncio.run(_serve(read_settings()))


async def _serve(settings: Settings) -> None:
    place = settings.effective_terminal_engine().removeprefix("unix://")
    made = Broker(
        UnixHttp(settings.docker_host),
        installation=settings.installation,
        toolbox=toolbox_reference(settings.installation),
        place=Path(place),
    )
    stopping = told_to_stop()
    await made.start()
    await stopping.wait()
    await made.close()


if __name__ == "__main__":
    typer.run(broker)
