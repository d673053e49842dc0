"""Injects: what happens to a team while it plays, when, and what is expected of it then."""

from datetime import timedelta
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from core.scenario.fields import (
    BitRate,
    Command,
    Duration,
    FileName,
    FolderPath,
    Latency,
    Part,
    Ref,
    Share,
    SomeTime,
    Text,
)
from core.scenario.generators.registry import fills_folder
from core.scenario.schema_generated import MayBeGenerated
from core.scenario.written import needs

_LONGEST_RUN = timedelta(minutes=10)
_TRIGGERS = ("at", "after", "when", "manual")
_ACTIONS = ("message", "run", "do", "link", "cost", "script")


def _short_enough(value: timedelta) -> timedelta:
    if value > _LONGEST_RUN:
        raise ValueError("a command may take 10m at most; start what lasts longer with setsid")
    return value


class MessageFile(MayBeGenerated):
    """A file that goes with a message, as it is or made for the team; one of three sources."""

    model_config = needs(("from", "template", "generate"), generate="name")

    from_: FolderPath | None = Field(default=None, alias="from")
    """A file that goes as it is."""
    template: FolderPath | None = None
    """A file that is rendered for the team."""
    name: FileName | None = None
    """What the team sees it called; left out, the file's own name, a template's without `.j2`."""

    @model_validator(mode="after")
    def _one_source(self) -> "MessageFile":
        if sum(s is not None for s in (self.from_, self.template, self.generate)) != 1:
            raise ValueError("a message's file needs exactly one of from, template, generate")
        if self.generate is not None and self.name is None:
            raise ValueError("a file that is generated needs a name")
        if fills_folder(self.generate):
            raise ValueError(f"{self.generate} fills a folder; a message takes single files")
        return self

    @property
    def shown_name(self) -> str:
        """What the team sees it called; left out, the file's own name, a template's without .j2."""
        if self.name is not None:
            return self.name
        if self.template is not None:
            return PurePosixPath(self.template).name.removesuffix(".j2")
        return PurePosixPath(self.from_ or "").name


class Message(Part):
    """Something that a team reads; `to` is a role, or everybody with `all`."""

    text: Text
    """What they read."""
    from_: Text | None = Field(default=None, alias="from")
    """Who seems to have written it."""
    to: Ref = "all"
    """A role and those that extend it, or `all`."""
    files: tuple[MessageFile, ...] = Field(default=(), max_length=10)
    """Files that go with it."""


class Link(Part):
    """What happens to a network of the team, or to all links of one host.

    As planned again after `for`, on the team's clock, or with another inject that restores it.
    """

    model_config = needs(("network", "host"), some=("down", "loss", "delay", "rate", "restore"))

    network: Ref | None = None
    """A network of the team."""
    host: Ref | None = None
    """A host of the team."""
    down: Literal[True] | None = None
    """Nothing passes."""
    loss: Share | None = None
    """The share of packets that is lost."""
    delay: Latency | None = None
    """How much later everything arrives; the kernel needs netem."""
    rate: BitRate | None = None
    """How much passes at most."""
    restore: Literal[True] | None = None
    """Undoes what other injects did there."""
    for_: SomeTime | None = Field(default=None, alias="for")
    """How long, on the team's clock; left out, until another inject restores it."""

    @model_validator(mode="after")
    def _one_place_some_change(self) -> "Link":
        if (self.network is None) == (self.host is None):
            raise ValueError("a link needs either network or host")
        changes = any(v is not None for v in (self.down, self.loss, self.delay, self.rate))
        if changes == (self.restore is not None):
            raise ValueError("a link needs some of down, loss, delay, rate, or else restore: true")
        if self.restore is not None and self.for_ is not None:
            raise ValueError("for is how long a change lasts; restore makes none")
        return self


class When(Part):
    """What must come true, on the team's clock.

    A check that has passed for `passing` (after its own `hold`), a task that is not done by
    `open_at`, or one that is `solved`; `before`, if it is given.
    """

    model_config = needs(("check", "task"), passing="check", open_at="task", solved="task")

    check: Ref | None = None
    """A check."""
    passing: Duration | None = None
    """How long it has passed, after its own `hold`."""
    task: Ref | None = None
    """A task."""
    open_at: SomeTime | None = None
    """The time at which it is not done."""
    solved: Literal[True] | None = None
    """It is done."""
    before: SomeTime | None = None
    """The time after which it does not count any more."""

    @model_validator(mode="after")
    def _one_condition(self) -> "When":
        if (self.check is None) == (self.task is None):
            raise ValueError("when needs either check or task")
        if self.passing is not None and self.check is None:
            raise ValueError("passing is for a check")
        if self.check is not None and (self.open_at or self.solved):
            raise ValueError("open_at and solved are for a task")
        if self.task is not None and (self.open_at is None) == (self.solved is None):
            raise ValueError("a task needs either open_at or solved: true")
        return self


class Expect(Part):
    """What a team should do within a time: a task that it solves, or a reply to the message.

    With a criterion of a rubric, assessors mark it here, and nowhere else.
    """

    model_config = needs(("task", "reply"), rubric="criterion", criterion="rubric")

    task: Ref | None = None
    """A task that the team solves."""
    reply: Literal["text"] | None = None
    """An answer to the message."""
    within: SomeTime
    """How long it has."""
    rubric: Ref | None = None
    """The rubric of the criterion."""
    criterion: Ref | None = None
    """The criterion by which assessors mark what the team does."""

    @model_validator(mode="after")
    def _one_response(self) -> "Expect":
        if (self.rubric is None) != (self.criterion is None):
            raise ValueError("rubric and criterion need each other: which of its criteria is it?")
        if (self.task is None) == (self.reply is None):
            raise ValueError("expect needs either task or reply")
        return self


class Inject(Part):
    """Something that happens: one trigger, and what is done then.

    `run` runs in `host`; `do` stops it or starts it again. `script` is for the person who plays a
    part. `late` is what becomes of it when it could not go out in time; left out, a message goes
    out all the same and anything else is asked about.
    """

    model_config = needs(
        _TRIGGERS, some=_ACTIONS, wait="after", until="every", run="host", do="host"
    )

    title: Text | None = None
    """What instructors read."""
    at: Duration | None = None
    """At that time."""
    after: Ref | None = None
    """After another inject went out or was skipped."""
    wait: Duration | None = None
    """How long after it."""
    when: When | None = None
    """When something comes true."""
    manual: Literal[True] | None = None
    """When an instructor fires it."""
    every: SomeTime | None = None
    """Again and again."""
    until: SomeTime | None = None
    """The time after which it does not repeat any more; left out, the end."""
    late: Literal["fire", "skip", "ask"] | None = None
    """What becomes of it when it could not go out within a minute of its time."""
    message: Message | None = None
    """Something that the team reads."""
    host: Ref | None = None
    """Where something is done."""
    run: Command | None = None
    """A command, as root in `/`."""
    do: Literal["stop", "start"] | None = None
    """Ends the host's processes, or lets it run again."""
    link: Link | None = None
    """Changes links."""
    timeout: Annotated[SomeTime, AfterValidator(_short_enough)] = timedelta(seconds=60)
    """How long the command may take; at most 10m."""
    cost: int | None = Field(default=None, ge=1, le=100_000)
    """How many points are taken from the task that `when` names, never more than it gives."""
    script: Text | None = None
    """What a person says or does; only those who run the exercise see it."""
    expect: Expect | None = None
    """What the team should do then; of itself it moves no points."""

    @model_validator(mode="after")
    def _one_trigger(self) -> "Inject":
        found = [key for key in _TRIGGERS if getattr(self, key) is not None]
        if len(found) != 1:
            has = f"; this one has {' and '.join(found)}" if found else ""
            raise ValueError(f"an inject needs exactly one of {', '.join(_TRIGGERS)}{has}")
        if self.wait is not None and self.after is None:
            raise ValueError("wait is for after")
        if self.every is not None and self.at is None and self.after is None:
            raise ValueError("every is for at and after: when and manual fire once")
        if self.until is not None and self.every is None:
            raise ValueError("until is for every")
        return self

    @model_validator(mode="after")
    def _some_action(self) -> "Inject":
        if all(getattr(self, key) is None for key in _ACTIONS):
            raise ValueError(f"an inject needs at least one of {', '.join(_ACTIONS)}")
        if (self.host is not None) != ((self.run is None) != (self.do is None)):
            raise ValueError("run and do need host, and host needs one of them")
        if self.cost is not None and (self.when is None or self.when.task is None):
            raise ValueError("cost is taken from the task that when names; this names none")
        if self.expect is not None and self.expect.reply is not None and self.message is None:
            raise ValueError("a reply needs a message that it answers")
        return self

    @property
    def reaches_out(self) -> bool:
        """Whether it does something outside the database, which may take long or fail."""
        return self.run is not None or self.do is not None or self.link is not None
