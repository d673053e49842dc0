"""Checks, objectives and tasks: what a team is asked for."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from core.scenario.fields import (
    Command,
    CompetencyRef,
    Duration,
    HttpStatus,
    Part,
    Port,
    Ref,
    Share,
    SomeTime,
    Text,
)
from core.scenario.kinds import Kinded, by_key, exactly_one
from core.scenario.schema_answers import WholeAnswer
from core.scenario.written import needs

_TASK_KINDS = ("answer", "flag", "checks", "availability", "guard")


class TcpPeer(Part):
    """A port of another host, as seen from the prober."""

    host: Ref
    """The other host."""
    port: Port
    """Its port."""


class HttpProbe(Part):
    """One HTTP request; redirects are not followed."""

    url: str
    """What is asked for."""
    method: Literal["GET", "HEAD", "POST"] = "GET"
    """How."""
    status: HttpStatus = 200
    """The status of the answer."""
    contains: str | None = None
    """A text that the answer holds."""
    verify: bool = True
    """Whether the certificate must be right."""


def _peer_or_port(data: object) -> str:
    return "<peer>" if isinstance(data, dict | TcpPeer) else "<port>"


class Check(Part):
    """A probe that passes or does not: exactly one of `run`, `http`, `tcp`.

    `host` looks from inside that host; `from` uses a throw-away prober in its network namespace.
    `tcp` is a port of `host` itself, or a peer seen from `from`.
    """

    model_config = needs(("run", "http", "tcp"), ("host", "from"), run="host")

    host: Ref | None = None
    """The host to look from inside of."""
    from_: Ref | None = Field(default=None, alias="from")
    """The host beside which a prober looks."""
    run: Command | None = None
    """A command that succeeds, as root in `/`."""
    http: HttpProbe | None = None
    """A request that is answered."""
    tcp: (
        Annotated[
            Annotated[Port, Tag("<port>")] | Annotated[TcpPeer, Tag("<peer>")],
            Discriminator(_peer_or_port),
        ]
        | None
    ) = None
    """A port that takes connections."""
    every: SomeTime = timedelta(seconds=30)
    """How often."""
    timeout: SomeTime = timedelta(seconds=10)
    """How long one try may take."""
    hold: Duration = timedelta()
    """How long it must have passed before it counts."""

    @model_validator(mode="after")
    def _one_probe_one_place(self) -> "Check":
        probes = [k for k in ("run", "http", "tcp") if getattr(self, k) is not None]
        if len(probes) != 1:
            raise ValueError("a check needs exactly one of run, http, tcp")
        if (self.host is None) == (self.from_ is None):
            raise ValueError("a check needs either host or from")
        if self.run is not None and self.host is None:
            raise ValueError("run needs host: it runs inside")
        if self.tcp is not None and isinstance(self.tcp, TcpPeer) != (self.from_ is not None):
            raise ValueError("write tcp: {host, port} with from, or tcp: port with host")
        return self

    @property
    def place(self) -> str:
        """The host that the probe looks from."""
        return self.host or self.from_ or ""


class Objective(Part):
    """What the exercise wants to see: a competency, met from `pass` of its points on."""

    competency: CompetencyRef
    """The competency that it shows."""
    title: Text | None = None
    """What people call it."""
    pass_: Share = Field(alias="pass")
    """The share of its points from which on it is met."""


class Opens(Part):
    """What a task waits for: an inject that has gone out, or was skipped."""

    with_: Ref = Field(alias="with")
    """The inject."""


class Due(Part):
    """Until when a task counts: `within` of the moment at which an inject went out."""

    after: Ref
    """The inject."""
    within: SomeTime
    """How long after it."""


class Hint(Part):
    """Help with a task, for the team that asks for it."""

    text: Text
    """What it says."""
    cost: int = Field(default=0, ge=0, le=100_000)
    """What it takes from the task's points, once, when the task is solved."""
    after: Duration = timedelta()
    """How long after the task's opening it can be had, on the team's clock."""


class _Task(Kinded):
    title: Text | None = None
    """What people call it."""
    ask: Text | None = None
    """What the team is asked."""
    points: int = Field(default=0, ge=0, le=100_000)
    """What it gives."""
    objective: Ref | None = None
    """The objective that its points count for."""


class TimedTask(_Task):
    """A task that is done at some time, or never."""

    opens: Opens | None = None
    """What it waits for; it is locked until then."""
    due: Due | None = None
    """Until when it counts."""
    hints: tuple[Hint, ...] = Field(default=(), max_length=20)
    """Help that a team may take, in any order."""


class QuestionTask(TimedTask):
    """Answered in words, numbers or times."""

    kind: ClassVar[str] = "answer"
    answer: WholeAnswer
    """The right answer."""
    attempts: int | None = Field(default=None, ge=1, le=1000)
    """How often a team may answer; left out, without end."""


class FlagTask(TimedTask):
    """A flag to be found; `flag` names the value."""

    kind: ClassVar[str] = "flag"
    flag: Ref
    """The value that is the flag."""
    attempts: int | None = Field(default=None, ge=1, le=1000)
    """How often a team may try; left out, without end."""


class ChecksTask(TimedTask):
    """Done when all of `checks` pass."""

    kind: ClassVar[str] = "checks"
    checks: tuple[Ref, ...] = Field(min_length=1)
    """The checks that all pass."""
    partial: Mapping[Ref, Annotated[int, Field(ge=1, le=100_000)]] = {}
    """How many of the points some of the checks give alone, once each has passed for its hold."""

    @model_validator(mode="after")
    def _no_more_than_the_whole(self) -> "ChecksTask":
        added = sum(self.partial.values())
        if added > self.points:
            raise ValueError(f"partial adds to {added}, which is more than {self.points} points")
        return self


class AvailabilityTask(_Task):
    """Gives its points by the share of scored rounds in which the check passes."""

    kind: ClassVar[str] = "availability"
    availability: Ref
    """The check."""


class GuardTask(_Task):
    """Takes its points, once, after two failures in a row of the check."""

    kind: ClassVar[str] = "guard"
    guard: Ref
    """The check of what must not be lost."""
    points: int = Field(ge=-100_000, le=-1)
    """What the loss takes, below zero."""


Task = Annotated[
    Annotated[QuestionTask, Tag("<answer>")]
    | Annotated[FlagTask, Tag("<flag>")]
    | Annotated[ChecksTask, Tag("<checks>")]
    | Annotated[AvailabilityTask, Tag("<availability>")]
    | Annotated[GuardTask, Tag("<guard>")],
    by_key(*_TASK_KINDS),
    exactly_one("a task", *_TASK_KINDS),
]
