"""The scenario language, version 1, as closed types: field names are the language's keys.

Anything that is not here is an unknown key. What this version reads and does not carry out yet, the
reference says.
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
from core.scenario.schema_checks import Check
from core.scenario.schema_generated import MayBeGenerated
from core.scenario.schema_injects import Inject
from core.scenario.schema_networks import Flow, Network
from core.scenario.schema_rubrics import Rubric
from core.scenario.schema_services import Build, Rounds, Service, ServiceScoring
from core.scenario.schema_site import SiteOptions
from core.scenario.schema_tasks import Objective, Task
from core.scenario.schema_values import ValueSpec
from core.scenario.written import needs

_SEMANTIC_VERSION = (
    r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$"
)


DEFAULT_MEMORY = 512 * 1024**2
DEFAULT_CPUS = 1.0
"""What a host may use whose author states nothing."""


class TeamSize(Part):
    """How many people a team should have."""

    min: int = Field(default=1, ge=1, le=100)
    """The fewest."""
    max: int = Field(default=1, ge=1, le=100)
    """The most."""


class Author(Part):
    """Who wrote it."""

    name: PlainText
    """A person's or a group's name."""
    administration: PlainText | None = None
    """Whom they work for."""


class Safety(Part):
    """What handling the content asks for."""

    live_malware: bool = False
    """Whether something in it could do harm outside a range."""
    personal_data: Literal["none", "synthetic"] = "none"
    """Whether people are named in it; real ones never are."""


class Head(Part):
    """What a catalogue shows of a scenario, before any team exists."""

    id: Id
    """Its name in the catalogue, and that of its folder."""
    version: Annotated[str, Field(pattern=_SEMANTIC_VERSION)]
    """A semantic version of the content, such as `1.2.0`."""
    title: PlainText
    """What people call it."""
    kind: Literal["incident-response", "investigation", "attack-defence", "tabletop"]
    """What sort of exercise it is."""
    duration: SomeTime
    """How long a team plays."""
    summary: PlainText | None = None
    """What a trainee should know before beginning, in a few sentences."""
    programme: Literal["cybersecurity", "cybercrime", "cyberdiplomacy"] | None = None
    """The programme of the centre that it belongs to."""
    level: Literal["introductory", "intermediate", "advanced"] | None = None
    """How much it asks of trainees."""
    team_size: TeamSize = TeamSize()
    """How many people a team should have."""
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")], ...] = (
        "en",
    )
    """Languages of its texts as BCP 47 tags; the first is that of this file."""
    authors: tuple[Author, ...] = ()
    """Who wrote it."""
    licence: str | None = None
    """An SPDX licence expression, such as `CC-BY-4.0`."""
    safety: Safety = Safety()
    """What handling the content asks for."""


class Competency(Part):
    """A competency of the centre's framework, mapped to public ones."""

    title: PlainText
    """What people call it."""
    ecsf: str | None = None
    """The role of the European Cybersecurity Skills Framework."""
    ctcf: str | None = None
    """The role of the Cybercrime Training Competency Framework."""
    nice: tuple[str, ...] = ()
    """Tasks, knowledge and skills of the NICE framework."""


class Role(Part):
    """Whom a person plays; `extends` inherits accounts and access."""

    side: Literal["blue", "red", "white", "green"] | None = None
    """Which side the role is on."""
    title: PlainText | None = None
    """What people call it."""
    extends: Ref | None = None
    """A role from which it inherits accounts and access."""


class Attachment(Part):
    """A host's place in a network."""

    alias: Alias | None = None
    """Another name of the host there; the host's id is always one."""


class Limits(Part):
    """What a host may use at most."""

    memory: ByteSize | None = None
    """The most memory."""
    cpus: float | None = Field(default=None, gt=0, le=256)
    """The most processor time, in cores."""
    pids: int | None = Field(default=None, ge=16, le=65_536)
    """The most processes."""
    disk: ByteSize | None = None
    """The most that it may write beyond its image; enforced where the engine has quotas."""


class Account(Part):
    """A login on a host; its password is shown to `roles`."""

    name: Annotated[str, Field(pattern=r"^([a-z_][a-z0-9_-]{0,31}|.*\{\{.*\}\}.*)$")]
    """The login name."""
    password: str | None = None
    """What it logs in with; left out, nobody does with a password."""
    roles: tuple[Ref, ...] = ()
    """To whom the password is shown."""
    sudo: bool = False
    """Whether it may do everything, without a password; the image brings sudo."""


class HostFile(MayBeGenerated):
    """A file that is put on the host before its own process starts; one of four sources.

    Some generators fill a folder, and `to` then ends with `/`.
    """

    model_config = needs(("from", "template", "text", "generate"))

    to: HostPlace
    """Where it is put; parents are made."""
    from_: FolderPath | None = Field(default=None, alias="from")
    """A file that is put there as it is."""
    template: FolderPath | None = None
    """A file that is rendered for the team."""
    text: str | None = None
    """The content itself, rendered for the team."""
    owner: Annotated[str, Field(pattern=r"^[^:\s]+:[^:\s]+$|\{\{")] = "root:root"
    """The user and the group, as `user:group`."""
    mode: Annotated[str, Field(pattern=r"^0?[0-7]{3,4}$")] = "0644"
    """The permissions in octal, in quotes."""
    mtime: Instant | None = None
    """When it seems to have been changed."""

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

    model_config = needs(("run", "tcp"))

    run: Command | None = None
    """A command that succeeds."""
    tcp: Port | None = None
    """A port of the host itself that takes connections."""
    within: SomeTime = timedelta(seconds=60)
    """How long it may take."""
    every: SomeTime = timedelta(seconds=2)
    """How long to wait between two tries."""

    @model_validator(mode="after")
    def _one_probe(self) -> "ReadyProbe":
        if (self.run is None) == (self.tcp is None):
            raise ValueError("a ready probe needs exactly one of run, tcp")
        return self


class ResetCost(Part):
    """What a reset takes from a task of the team, never more than the task gave."""

    task: Ref
    """The task that pays."""
    points: int = Field(ge=1, le=100_000)
    """How much, for each reset that the team asks for."""


class Reset(Part):
    """Who may have a host made anew, besides instructors; how often a team may, and its price."""

    by: tuple[Ref, ...] = ("instructor",)
    """Who may: roles, and `instructor`."""
    limit: int | None = Field(default=None, ge=1, le=100)
    """How often a team may; left out, without end."""
    cost: ResetCost | None = None
    """What a reset costs the team."""


class Record(Part):
    """What is kept of what people do on a host."""

    terminal: bool = False
    """What their terminals and commands show, to be played again."""
    input: bool = False
    """Every key pressed on a recorded terminal, too, and so every password."""
    commands: bool = False
    """The commands that they type."""
    hook: bool = False
    """With them, what bash says it runs, beside what is read off the terminal."""

    @model_validator(mode="after")
    def _input_of_a_terminal(self) -> "Record":
        if self.input and not self.terminal:
            raise ValueError("input is recorded with the terminal only: set terminal, too")
        return self

    @model_validator(mode="after")
    def _hook_of_commands(self) -> "Record":
        if self.hook and not self.commands:
            raise ValueError("the hook tells commands: set commands, too")
        return self


class Machine(Part):
    """What an author decides of a host."""

    title: Text | None = None
    """What trainees read."""
    build: Build | None = None
    """A folder that its image is built from."""
    image: Annotated[str, Field(pattern=r"^[a-z0-9][A-Za-z0-9._/:@-]*$")] | None = None
    """The name of an image that the site has."""
    networks: Mapping[Id, Attachment] = Field(default={}, min_length=1)
    """The networks that it is on, with its place there."""
    limits: Limits = Limits()
    """What it may use."""
    accounts: tuple[Account, ...] = ()
    """Who can log in, and who else lives there."""
    files: tuple[HostFile, ...] = ()
    """What is put there before the image's own process starts."""
    ready: tuple[ReadyProbe, ...] = ()
    """What comes true when the host is up; all of it."""
    env: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = {}
    """Variables of the image's own process."""
    needs: tuple[Ref, ...] = ()
    """Hosts that are ready before this one starts."""
    restart: Literal["never", "always"] = "never"
    """Whether its own process is started again when it ends."""
    reset: Reset | None = None
    """Who may have it made anew besides instructors."""
    record: Record = Record()
    """What is kept of what people do there."""
    hidden: bool = False
    """Whether trainees do not see it; it answers to its aliases only."""


class Host(SiteOptions, Machine):
    """A machine of every team: one of `build`, `image`, and one of `networks`, `network_mode`.

    It starts after those that it `needs` are ready. `restart`: what happens when its own process
    ends.
    """

    model_config = needs(("build", "image"), ("networks", "network_mode"))

    @model_validator(mode="after")
    def _one_image(self) -> "Host":
        if (self.build is None) == (self.image is None):
            raise ValueError("a host needs exactly one of build, image")
        return self

    @model_validator(mode="after")
    def _one_place(self) -> "Host":
        if self.network_mode is None and not self.networks:
            raise ValueError("networks is missing")
        if self.network_mode is not None and self.networks:
            raise ValueError(
                f"with network_mode: {self.network_mode} a host is on no network of the exercise;"
                " leave out networks"
            )
        if self.network_mode == "host" and self.sysctls:
            raise ValueError("with network_mode: host the sysctls would be the machine's own")
        return self


class Access(Part):
    """Who logs in where, as which account of that host."""

    roles: tuple[Ref, ...] = Field(min_length=1)
    """Who logs in."""
    host: Ref
    """Where."""
    as_: str = Field(alias="as")
    """As which account of that host; it must list the role."""
    default: bool = False
    """Whether these roles land here; where none is, they are asked which host."""


class End(Part):
    """What changes towards the end of the exercise, and after it."""

    freeze: SomeTime | None = None
    """When the board stops for teams; answers count on."""
    grace: SomeTime | None = None
    """How long after the end files may still be handed in; left out, not at all."""


class Privacy(Part):
    """How long is kept what tells of persons."""

    recordings: SomeTime | None = None
    """How long recordings are kept; left out, as long as the site keeps them."""


class Solution(Part):
    """The reference solution, played on the default host of the widest role."""

    run: FolderPath
    """The script that plays it."""
    within: SomeTime = timedelta(minutes=20)
    """How long it may take."""


class Scenario(Part):
    """A scenario as its author wrote it."""

    model_config = needs(some=("tasks", "injects"))

    language: Literal[1]
    """The version of the language."""
    scenario: Head
    """What a catalogue shows."""
    competencies: Mapping[CompetencyId, Competency] = {}
    """What is trained, in the centre's own framework."""
    roles: Mapping[Id, Role] = Field(min_length=1)
    """Whom people play; `all` and `instructor` are reserved."""
    values: Mapping[Id, ValueSpec] = Field(default={}, max_length=200)
    """What differs from team to team; distinct within a team, whatever the case."""
    networks: Mapping[Id, Network] = {}
    """Networks of every team."""
    flows: tuple[Flow, ...] = Field(default=(), max_length=200)
    """What may begin between two networks."""
    hosts: Mapping[Id, Host] = {}
    """Machines of every team."""
    access: tuple[Access, ...] = ()
    """Who logs in where."""
    checks: Mapping[Id, Check] = {}
    """Probes whose result tasks and injects use."""
    objectives: Mapping[Id, Objective] = {}
    """What the exercise wants to see."""
    tasks: Mapping[Id, Task] = {}
    """What a team is asked for."""
    injects: Mapping[Id, Inject] = Field(default={}, max_length=500)
    """What happens while a team plays."""
    rounds: Rounds | None = None
    """The rounds of an attack-defence exercise."""
    services: Mapping[Id, Service] = Field(default={}, max_length=50)
    """What teams keep up and attack."""
    scoring: ServiceScoring = ServiceScoring()
    """How rounds are scored."""
    rubrics: Mapping[Id, Rubric] = Field(default={}, max_length=50)
    """How assessors mark."""
    end: End = End()
    """When the board stops for teams, and how late files may come."""
    privacy: Privacy = Privacy()
    """How long recordings are kept."""
    solution: Solution | None = None
    """The reference solution."""
