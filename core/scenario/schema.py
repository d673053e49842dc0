"""The scenario language, version 1, as closed types: field names are the language's keys.

Only what this version carries out is here; anything else is an unknown key, not a silent promise.
`from`, `as` and `pass` are `from_`, `as_` and `pass_`. Durations are timedeltas, sizes bytes,
shares Fractions from 0 to 1. Strings may hold `{{ }}` and are rendered per team by `render`.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from core.scenario.fields import (
    Alias,
    ByteSize,
    Command,
    CompetencyId,
    FolderPath,
    HostPlace,
    Id,
    Instant,
    Part,
    PlainText,
    Port,
    Ref,
    SomeTime,
    Text,
)
from core.scenario.generators.registry import fills_folder
from core.scenario.schema_generated import MayBeGenerated
from core.scenario.schema_injects import Inject
from core.scenario.schema_networks import Flow, Network
from core.scenario.schema_tasks import Check, Objective, Task
from core.scenario.schema_values import ValueSpec

_SEMANTIC_VERSION = (
    r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$"
)


class TeamSize(Part):
    """How many people a team should have."""

    min: int = Field(default=1, ge=1, le=100)
    max: int = Field(default=1, ge=1, le=100)


class Author(Part):
    """Who wrote it."""

    name: PlainText
    administration: PlainText | None = None


class Safety(Part):
    """What handling the content asks for."""

    live_malware: bool = False
    personal_data: Literal["none", "synthetic"] = "none"


class Head(Part):
    """What a catalogue shows of a scenario, before any team exists."""

    id: Id
    version: Annotated[str, Field(pattern=_SEMANTIC_VERSION)]
    title: PlainText
    kind: Literal["incident-response", "investigation", "attack-defence", "tabletop"]
    duration: SomeTime
    summary: PlainText | None = None
    programme: Literal["cybersecurity", "cybercrime", "cyberdiplomacy"] | None = None
    level: Literal["introductory", "intermediate", "advanced"] | None = None
    team_size: TeamSize = TeamSize()
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")], ...] = (
        "en",
    )
    authors: tuple[Author, ...] = ()
    licence: str | None = None
    safety: Safety = Safety()


class Competency(Part):
    """A competency of the centre's framework, mapped to public ones."""

    title: PlainText
    ecsf: str | None = None
    ctcf: str | None = None
    nice: tuple[str, ...] = ()


class Role(Part):
    """Whom a person plays; `extends` inherits accounts and access."""

    side: Literal["blue", "red", "white", "green"] | None = None
    title: PlainText | None = None
    extends: Ref | None = None


class Attachment(Part):
    """A host's place in a network."""

    alias: Alias | None = None


class Build(Part):
    """An image that is built from a folder of the scenario."""

    context: FolderPath


class Limits(Part):
    """What a host may use: `memory` in bytes, `cpus` as a number of cores."""

    memory: ByteSize | None = None
    cpus: float | None = Field(default=None, gt=0, le=256)
    pids: int | None = Field(default=None, ge=16, le=65_536)


class Account(Part):
    """A login on a host; its password is shown to `roles`."""

    name: Annotated[str, Field(pattern=r"^([a-z_][a-z0-9_-]{0,31}|.*\{\{.*\}\}.*)$")]
    password: str | None = None
    roles: tuple[Ref, ...] = ()
    sudo: bool = False


class HostFile(MayBeGenerated):
    """A file that is put on the host before its own process starts; one of four sources.

    Some generators fill a folder, and `to` then ends with `/`.
    """

    to: HostPlace
    from_: FolderPath | None = Field(default=None, alias="from")
    template: FolderPath | None = None
    text: str | None = None
    owner: Annotated[str, Field(pattern=r"^[^:\s]+:[^:\s]+$|\{\{")] = "root:root"
    mode: Annotated[str, Field(pattern=r"^0?[0-7]{3,4}$")] = "0644"
    mtime: Instant | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "HostFile":
        sources = [self.from_, self.template, self.text, self.generate]
        if sum(s is not None for s in sources) != 1:
            raise ValueError("a file needs exactly one of from, template, text, generate")
        if self.to.endswith("/") and not fills_folder(self.generate):
            raise ValueError(f"{self.to!r} is a folder; write the file's own path")
        if fills_folder(self.generate) and not self.to.endswith("/"):
            raise ValueError(f"{self.generate} fills a folder; end {self.to!r} with /")
        return self


class ReadyProbe(Part):
    """Something that comes true inside the host once it is ready: one of `run`, `tcp`."""

    run: Command | None = None
    tcp: Port | None = None
    within: SomeTime = timedelta(seconds=60)
    every: SomeTime = timedelta(seconds=2)

    @model_validator(mode="after")
    def _one_probe(self) -> "ReadyProbe":
        if (self.run is None) == (self.tcp is None):
            raise ValueError("a ready probe needs exactly one of run, tcp")
        return self


class ResetCost(Part):
    """What a reset takes from a task of the team, never more than the task gave."""

    task: Ref
    points: int = Field(ge=1, le=100_000)


class Reset(Part):
    """Who may have a host made anew, besides instructors; how often a team may, and its price."""

    by: tuple[Ref, ...] = ("instructor",)
    limit: int | None = Field(default=None, ge=1, le=100)
    cost: ResetCost | None = None


class Host(Part):
    """A machine of every team: one of `build`, `image`.

    It starts after those that it `needs` are ready. `restart`: what happens when its own process
    ends.
    """

    title: Text | None = None
    build: Build | None = None
    image: Annotated[str, Field(pattern=r"^[a-z0-9][A-Za-z0-9._/:@-]*$")] | None = None
    networks: Mapping[Id, Attachment] = Field(min_length=1)
    limits: Limits = Limits()
    accounts: tuple[Account, ...] = ()
    files: tuple[HostFile, ...] = ()
    ready: tuple[ReadyProbe, ...] = ()
    env: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = {}
    needs: tuple[Ref, ...] = ()
    restart: Literal["never", "always"] = "never"
    reset: Reset | None = None
    hidden: bool = False

    @model_validator(mode="after")
    def _one_image(self) -> "Host":
        if (self.build is None) == (self.image is None):
            raise ValueError("a host needs exactly one of build, image")
        return self


class Access(Part):
    """Who logs in where, as which account of that host."""

    roles: tuple[Ref, ...] = Field(min_length=1)
    host: Ref
    as_: str = Field(alias="as")
    default: bool = False


class Solution(Part):
    """The reference solution, played on the default host of the widest role."""

    run: FolderPath
    within: SomeTime = timedelta(minutes=20)


class Scenario(Part):
    """A scenario as its author wrote it."""

    language: Literal[1]
    scenario: Head
    competencies: Mapping[CompetencyId, Competency] = {}
    roles: Mapping[Id, Role] = Field(min_length=1)
    values: Mapping[Id, ValueSpec] = Field(default={}, max_length=200)
    networks: Mapping[Id, Network] = {}
    flows: tuple[Flow, ...] = Field(default=(), max_length=200)
    hosts: Mapping[Id, Host] = {}
    access: tuple[Access, ...] = ()
    checks: Mapping[Id, Check] = {}
    objectives: Mapping[Id, Objective] = {}
    tasks: Mapping[Id, Task] = {}
    injects: Mapping[Id, Inject] = Field(default={}, max_length=500)
    solution: Solution | None = None
