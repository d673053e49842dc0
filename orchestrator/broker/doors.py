"""What the broker asks of the engine, and the little that it tells of the answers."""

from http import HTTPStatus

from core.ids import ExerciseId
from orchestrator.broker.asked import (
    BeginReach,
    LookAtExec,
    LookAtHost,
    MakeExec,
    ResizeExec,
    StartExec,
)
from orchestrator.broker.execs import Execs
from orchestrator.broker.refusal import BrokerRefusedError
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.engine.handed import Handed
from orchestrator.engine.labels import EXERCISE, HOST, KIND, OWNER, TEAM, Kind
from orchestrator.engine.reach_toolbox import ReachToolbox
from orchestrator.engine.unix_http import Answer, UnixHttp

_LONGEST_WORDS = 1000


class EngineSaidNoError(Exception):
    """The engine did not do it; carries what it is answered with."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.words)
        self.status = answer.status
        self.words = answer.words[:_LONGEST_WORDS]


class Doors:
    """The hosts of one installation, and the processes that were made in them through us."""

    def __init__(
        self, engine: UnixHttp, *, installation: str, execs: Execs, toolbox: ReachToolbox
    ) -> None:
        self._engine = engine
        self._toolbox = toolbox
        self._installation = installation
        self._execs = execs

    async def make(self, asked: MakeExec) -> dict[str, object]:
        """Make a process in a host; told is which life of the host it is in, too."""
        self._execs.require_room()
        host = await self._host(asked.host)
        path = f"/containers/{host['Id']}/exec"
        made = _agreed(await self._engine.call("POST", path, asked.body.for_engine()))
        exec_id = str(made.fields["Id"])
        self._execs.add(exec_id, asked.host)
        return {"Id": exec_id, "Host": host}

    async def start(self, asked: StartExec) -> Handed:
        """Start a process that is held; returns the connection to it."""
        handed = await self._engine.hijack(f"/exec/{asked.exec_id}/start", asked.body.for_engine())
        if isinstance(handed, Answer):
            raise EngineSaidNoError(handed)
        return handed

    async def resize(self, asked: ResizeExec) -> dict[str, object]:
        """Give a process's terminal another size."""
        self._execs.require(asked.exec_id)
        path = f"/exec/{asked.exec_id}/resize?h={asked.rows}&w={asked.columns}"
        _agreed(await self._engine.call("POST", path))
        return {}

    async def look_at_exec(self, asked: LookAtExec) -> dict[str, object]:
        """Tell whether a process runs, and what it ended with."""
        self._execs.require(asked.exec_id)
        told = _agreed(await self._engine.call("GET", f"/exec/{asked.exec_id}/json")).fields
        return {key: told.get(key) for key in ("Running", "ExitCode")}

    async def look_at_host(self, asked: LookAtHost) -> dict[str, object]:
        """Tell whether a host runs."""
        return await self._host(asked.host)

    async def begin_reach(self, asked: BeginReach) -> Handed:
        """Let a toolbox run in a host's network; returns the connection to it."""
        container = str((await self._host(asked.host))["Id"])
        handed = await self._toolbox.begin(
            host_of(asked.host), container, patience_seconds=asked.body.patience_seconds
        )
        if isinstance(handed, Answer):
            raise EngineSaidNoError(handed)
        return handed

    async def _host(self, name: str) -> dict[str, object]:
        """Return what may be known of a host; raises BrokerRefusedError.

        It is called by its id from here on: a name may come to mean another one.
        """
        if not name.startswith(f"poligon.{self._installation}."):
            raise BrokerRefusedError("this is no host of this installation")
        answer = _agreed(await self._engine.call("GET", f"/containers/{name}/json"))
        match answer.fields:
            case {"Id": str(found), "Config": {"Labels": dict(labels)}, "State": dict(state)}:
                if not _is_host(labels, name, self._installation):
                    raise BrokerRefusedError("this is no host that people enter")
                return {"Id": found, "State": {key: state.get(key) for key in ("Running", "Pid")}}
            case _:
                raise EngineSaidNoError(Answer(status=HTTPStatus.BAD_GATEWAY))


def host_of(name: str) -> HostKey:
    """Return whose container has this name."""
    _ours, _installation, exercise, team, host = name.split(".")
    return WorldKey(exercise=ExerciseId(exercise), team=team).host(host)


def _is_host(labels: dict[str, str], name: str, installation: str) -> bool:
    """Tell whether these are the labels of the host that has this name."""
    if labels.get(OWNER) != installation or labels.get(KIND) != Kind.HOST:
        return False
    parts = (labels.get(EXERCISE), labels.get(TEAM), labels.get(HOST))
    return name == f"poligon.{installation}.{'.'.join(map(str, parts))}"


def _agreed(answer: Answer) -> Answer:
    if not answer.ok:
        raise EngineSaidNoError(answer)
    return answer
