"""What may be asked of the broker: a closed list, made anew before it goes to the engine.

A path is taken as it is spelt, and never decoded: there is one spelling of each.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestrator.broker.refusal import BrokerRefusedError
from orchestrator.engine.exec_stream import NO_DETACHING

_HOST = r"poligon\.[a-z0-9-]+\.[a-z0-9_-]+\.[a-z0-9_-]+\.[a-z0-9_-]+"
_EXEC = r"[0-9a-f]{64}"
_LONGEST = 128 * 1024  # the kernel takes no longer argument

_Size = Annotated[int, Field(ge=0, le=65535)]
_Account = Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_.-]{0,31}\$?|[0-9]{1,10})$")]
_Variable = Annotated[
    str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}=[^\x00]*$", max_length=_LONGEST)
]
_Argument = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=_LONGEST)]


class _Body(BaseModel):
    """A JSON object with these keys and no others, spelt as the engine spells them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def for_engine(self) -> dict[str, object]:
        """Return what the engine is sent: only what was read, and only what was given."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class NewExec(_Body):
    """A process to be made in a host. `Privileged` is no key of it."""

    attach_stdin: Literal[True] = Field(alias="AttachStdin")
    attach_stdout: Literal[True] = Field(alias="AttachStdout")
    attach_stderr: bool = Field(alias="AttachStderr")
    tty: bool = Field(alias="Tty")
    user: _Account = Field(alias="User")
    working_dir: Literal["/"] = Field(alias="WorkingDir")
    env: tuple[_Variable, ...] = Field(alias="Env", max_length=128)
    cmd: tuple[_Argument, ...] = Field(alias="Cmd", min_length=1, max_length=4096)
    detach_keys: str = Field(alias="DetachKeys", pattern=rf"^{re.escape(NO_DETACHING)}$")
    console_size: tuple[_Size, _Size] | None = Field(default=None, alias="ConsoleSize")


class ExecStart(_Body):
    """How a process is started: always with a pipe to it."""

    detach: Literal[False] = Field(alias="Detach")
    tty: bool = Field(alias="Tty")
    console_size: tuple[_Size, _Size] | None = Field(default=None, alias="ConsoleSize")


class NewReach(_Body):
    """How long a connection that is asked of a toolbox may take to be made."""

    patience_seconds: float = Field(alias="PatienceSeconds", gt=0, le=60)


@dataclass(frozen=True, slots=True)
class MakeExec:
    """Make a process in a host."""

    host: str
    body: NewExec


@dataclass(frozen=True, slots=True)
class StartExec:
    """Start a process, and hand over the connection to it."""

    exec_id: str
    body: ExecStart


@dataclass(frozen=True, slots=True)
class ResizeExec:
    """Give a process's terminal another size."""

    exec_id: str
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class LookAtExec:
    """Tell whether a process runs, or how it ended."""

    exec_id: str


@dataclass(frozen=True, slots=True)
class LookAtHost:
    """Tell whether a host runs."""

    host: str


@dataclass(frozen=True, slots=True)
class BeginReach:
    """Have a toolbox carry connections out of a host's network, and hand over the pipe to it."""

    host: str
    body: NewReach


Asked = BeginReach | MakeExec | StartExec | ResizeExec | LookAtExec | LookAtHost

_Make = Callable[[Mapping[str, str], bytes], Asked]

_KNOWN: tuple[tuple[str, re.Pattern[str], _Make], ...] = (
    (
        "POST",
        re.compile(rf"/containers/(?P<host>{_HOST})/exec"),
        lambda said, body: MakeExec(said["host"], NewExec.model_validate_json(body)),
    ),
    (
        "POST",
        re.compile(rf"/containers/(?P<host>{_HOST})/reach"),
        lambda said, body: BeginReach(said["host"], NewReach.model_validate_json(body)),
    ),
    (
        "POST",
        re.compile(rf"/exec/(?P<exec>{_EXEC})/start"),
        lambda said, body: StartExec(said["exec"], ExecStart.model_validate_json(body)),
    ),
    (
        "POST",
        re.compile(rf"/exec/(?P<exec>{_EXEC})/resize\?h=(?P<h>[0-9]{{1,5}})&w=(?P<w>[0-9]{{1,5}})"),
        lambda said, _: ResizeExec(said["exec"], int(said["h"]), int(said["w"])),
    ),
    (
        "GET",
        re.compile(rf"/exec/(?P<exec>{_EXEC})/json"),
        lambda said, _: LookAtExec(said["exec"]),
    ),
    (
        "GET",
        re.compile(rf"/containers/(?P<host>{_HOST})/json"),
        lambda said, _: LookAtHost(said["host"]),
    ),
)


def understood(method: str, target: str, body: bytes) -> Asked:
    """Return what is asked; raises BrokerRefusedError for everything that is not on the list."""
    for known, path, make in _KNOWN:
        if known == method and (found := path.fullmatch(target)):
            try:
                return make(found.groupdict(), body)
            except ValidationError as error:
                raise BrokerRefusedError(_words(error)) from None
    raise BrokerRefusedError(
        "the broker does not do this: it makes processes in hosts, and tells how they are"
    )


def _words(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))[:100]
    return f"the broker does not do this: {place or 'the body'}: {first['msg']}"
