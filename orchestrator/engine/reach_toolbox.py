"""The toolbox that carries connections beside a host: made, started, and a pipe to it."""

from orchestrator.domain.world import HostKey
from orchestrator.engine.carrier import WINDOW
from orchestrator.engine.handed import Handed
from orchestrator.engine.hardening import NOBODY, reach_options
from orchestrator.engine.labels import Labels
from orchestrator.engine.reach_script import CARRY
from orchestrator.engine.unix_http import Answer, UnixHttp

_ATTACH = "stream=1&stdin=1&stdout=1&stderr=1"


class ReachToolbox:
    """One installation's toolboxes beside hosts. Each ends with the pipe to it."""

    def __init__(self, engine: UnixHttp, *, installation: str, image: str) -> None:
        self._engine = engine
        self._labels = Labels(installation=installation)
        self._image = image

    async def begin(
        self, host: HostKey, container: str, *, patience_seconds: float
    ) -> Handed | Answer:
        """Return the connection to a toolbox in a container's network, or what the engine said.

        A connection that is asked of it has `patience_seconds` to be made.
        """
        body = self._body(host, container, patience_seconds)
        made = await self._engine.call("POST", "/containers/create", body)
        toolbox = made.fields.get("Id")
        if not made.ok or not isinstance(toolbox, str):
            return made
        try:
            begun = await self._attached_and_started(toolbox)
        except BaseException:
            await self._remove(toolbox)
            raise
        if isinstance(begun, Answer):
            await self._remove(toolbox)
        return begun

    async def _attached_and_started(self, toolbox: str) -> Handed | Answer:
        handed = await self._engine.hijack(f"/containers/{toolbox}/attach?{_ATTACH}", {})
        if isinstance(handed, Answer):
            return handed
        try:
            started = await self._engine.call("POST", f"/containers/{toolbox}/start")
        except BaseException:
            handed.close()
            raise
        if started.ok:
            return handed
        handed.close()
        return started

    async def _remove(self, toolbox: str) -> None:
        """Take away one that never ran: it does not do so itself."""
        await self._engine.call("DELETE", f"/containers/{toolbox}?force=1")

    def _body(self, host: HostKey, container: str, patience_seconds: float) -> dict[str, object]:
        return {
            "Image": self._image,
            "Cmd": ["perl", "-e", CARRY, f"{patience_seconds:g}", str(WINDOW)],
            # The engine's name service is silent on what it does not know, and is near.
            "Env": ["RES_OPTIONS=timeout:2 attempts:1"],
            "User": NOBODY,
            "Labels": self._labels.reach(host),
            "OpenStdin": True,
            "StdinOnce": True,
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "HostConfig": reach_options(container=container),
        }
