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

_LONGEST_RUN = timedelta(minutes=10)
_TRIGGERS = ("at", "after", "when", "manual")
_ACTIONS = ("message", "run", "do", "link", "cost", "script")


def _short_enough(value: timedelta) -> timedelta:
    if value > _LONGEST_RUN:
        raise ValueError("a command may take 10m at most; start what lasts longer with setsid")
    return value


class MessageFile(MayBeGenerated):
    """A file that goes with a message, as it is or made for the team; one of three sources."""

    from_: FolderPath | None = Field(default=None, alias="from")
    template: FolderPath | None = None
    name: FileName | None = None

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
    from_: Text | None = Field(default=None, alias="from")
    to: Ref = "all"
    files: tuple[MessageFile, ...] = Field(default=(), max_length=10)


class Link(Part):
    """What happens to a network of the team, or to all links of one host.

    As planned again after `for`, on the team's clock, or with another inject that restores it.
    """

    network: Ref | None = None
    host: Ref | None = None
    down: Literal[True] | None = None
    loss: Share | None = None
    delay: Latency | None = None
    rate: BitRate | None = None
    restore: Literal[True] | None = None
    for_: SomeTime | None = Field(default=None, alias="for")

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

    check: Ref | None = None
    passing: Duration | None = None
    task: Ref | None = None
    open_at: SomeTime | None = None
    solved: Literal[True] | None = None
    before: SomeTime | None = None

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
    """What a team should do within a time: a task that it solves, or a reply to the message."""

    task: Ref | None = None
    reply: Literal["text"] | None = None
    within: SomeTime

    @model_validator(mode="after")
    def _one_response(self) -> "Expect":
        if (self.task is None) == (self.reply is None):
            raise ValueError("expect needs either task or reply")
        return self


class Inject(Part):
    """Something that happens: one trigger, and what is done then.

    `run` runs in `host`; `do` stops it or starts it again. `script` is for the person who plays a
    part. `late` is what becomes of it when it could not go out in time; left out, a message goes
    out all the same and anything else is asked about.
    """

    title: Text | None = None
    at: Duration | None = None
    after: Ref | None = None
    wait: Duration | None = None
    when: When | None = None
    manual: Literal[True] | None = None
    every: SomeTime | None = None
    until: SomeTime | None = None
    late: Literal["fire", "skip", "ask"] | None = None
    message: Message | None = None
    host: Ref | None = None
    run: Command | None = None
    do: Literal["stop", "start"] | None = None
    link: Link | None = None
    timeout: Annotated[SomeTime, AfterValidator(_short_enough)] = timedelta(seconds=60)
    cost: int | None = Field(default=None, ge=1, le=100_000)
    script: Text | None = None
    expect: Expect | None = None

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
