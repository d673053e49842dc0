"""Checks, answers, objectives and tasks: what a team is asked for and how it is told right."""

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from core.scenario.fields import (
    Amount,
    Command,
    CompetencyRef,
    Duration,
    HttpStatus,
    Instant,
    Part,
    Port,
    Ref,
    Share,
    SomeTime,
    Text,
    Tolerance,
)
from core.scenario.written import OrBare, needs

_ANSWER_KINDS = ("equals", "number", "instant", "any")
_TASK_KINDS = ("answer", "flag", "checks", "availability")


class _Kinded(Part):
    """A part that its one telling key makes out: `kind` is that key."""

    kind: ClassVar[str]


def _by_key(*kinds: str) -> Discriminator:
    # The angle brackets keep a tag apart from a key in the path of an error.
    def kind(data: object) -> str | None:
        if isinstance(data, dict):
            return next((f"<{k}>" for k in kinds if k in data), None)
        return f"<{data.kind}>" if isinstance(data, _Kinded) else None

    return Discriminator(kind)


def _exactly_one(what: str, *kinds: str) -> BeforeValidator:
    def check(data: object) -> object:
        present = [k for k in kinds if k in data] if isinstance(data, dict) else kinds[:1]
        if len(present) != 1:
            found = f"; this one has {' and '.join(present)}" if present else ""
            raise ValueError(f"{what} needs exactly one of {', '.join(kinds)}{found}")
        return data

    return BeforeValidator(check)


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


class Equals(_Kinded):
    """Right when the text is the same after folding."""

    kind: ClassVar[str] = "equals"
    equals: Text
    """The right text."""
    fold: tuple[Literal["case", "space"], ...] = ("case", "space")
    """Which differences do not matter; `[]` for none."""


class NumberAnswer(_Kinded):
    """Right when the number is at most `within` away."""

    kind: ClassVar[str] = "number"
    number: Amount
    """The right number."""
    within: Tolerance = 0
    """How far away is still right: a number, or a share of the right one."""


class InstantAnswer(_Kinded):
    """Right when the time is at most `within` away."""

    kind: ClassVar[str] = "instant"
    instant: Instant
    """The right time."""
    within: Duration = timedelta()
    """How far away is still right."""


class AnyOf(_Kinded):
    """Right when one of several is."""

    kind: ClassVar[str] = "any"
    any: tuple["Answer", ...] = Field(min_length=1)
    """The right answers."""


def _bare_is_equals(data: object) -> object:
    return {"equals": data} if isinstance(data, str) else data


Answer = Annotated[
    Annotated[Equals, Tag("<equals>")]
    | Annotated[NumberAnswer, Tag("<number>")]
    | Annotated[InstantAnswer, Tag("<instant>")]
    | Annotated[AnyOf, Tag("<any>")],
    _by_key(*_ANSWER_KINDS),
    _exactly_one("an answer", *_ANSWER_KINDS),
    BeforeValidator(_bare_is_equals),
    OrBare("The right text."),
]


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


class _Task(_Kinded):
    title: Text | None = None
    """What people call it."""
    ask: Text | None = None
    """What the team is asked."""
    points: int = Field(default=0, ge=0, le=100_000)
    """What it gives."""
    objective: Ref | None = None
    """The objective that its points count for."""


class _TimedTask(_Task):
    opens: Opens | None = None
    """What it waits for; it is locked until then."""
    due: Due | None = None
    """Until when it counts."""


class QuestionTask(_TimedTask):
    """Answered in words, numbers or times."""

    kind: ClassVar[str] = "answer"
    answer: Answer
    """The right answer."""
    attempts: int | None = Field(default=None, ge=1, le=1000)
    """How often a team may answer; left out, without end."""


class FlagTask(_TimedTask):
    """A flag to be found; `flag` names the value."""

    kind: ClassVar[str] = "flag"
    flag: Ref
    """The value that is the flag."""
    attempts: int | None = Field(default=None, ge=1, le=1000)
    """How often a team may try; left out, without end."""


class ChecksTask(_TimedTask):
    """Done when all of `checks` pass."""

    kind: ClassVar[str] = "checks"
    checks: tuple[Ref, ...] = Field(min_length=1)
    """The checks that all pass."""


class AvailabilityTask(_Task):
    """Gives its points by the share of scored rounds in which the check passes."""

    kind: ClassVar[str] = "availability"
    availability: Ref
    """The check."""


Task = Annotated[
    Annotated[QuestionTask, Tag("<answer>")]
    | Annotated[FlagTask, Tag("<flag>")]
    | Annotated[ChecksTask, Tag("<checks>")]
    | Annotated[AvailabilityTask, Tag("<availability>")],
    _by_key(*_TASK_KINDS),
    _exactly_one("a task", *_TASK_KINDS),
]
