"""What people may decide about a score that the rules have made: a closed set of amendments."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from scoring.domain.answers import TextAnswer, judge

_Name = Annotated[str, Field(min_length=1, max_length=64)]
_Points = Annotated[Decimal, Field(ge=-1_000_000, le=1_000_000, decimal_places=3)]
_MILLI = 1000


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Adjust(_Part):
    """A team gets points for a task, or loses some."""

    kind: Literal["adjust"] = "adjust"
    team: _Name = Field(examples=["team-1"])
    task: _Name = Field(examples=["who"])
    points: _Points = Field(examples=[5])

    @model_validator(mode="after")
    def _moves_something(self) -> Self:
        if not self.points:
            raise ValueError("an adjustment of 0 points changes nothing")
        return self

    @property
    def milli_points(self) -> int:
        """How many thousandths."""
        return int(self.points * _MILLI)


class Void(_Part):
    """A task counts for nobody, and on neither side of the training record."""

    kind: Literal["void"] = "void"
    task: _Name = Field(examples=["who"])


class Defective(_Part):
    """A check, or the checker of a service, was wrong for some time.

    Rounds of a check that began then, and rounds of a service that were on then, count for nobody.
    """

    kind: Literal["defective"] = "defective"
    check: _Name | None = Field(default=None, examples=["web"])
    service: _Name | None = Field(default=None, examples=[None])
    since: AwareDatetime
    until: AwareDatetime

    @model_validator(mode="after")
    def _is_of_one(self) -> Self:
        if (self.check is None) == (self.service is None):
            raise ValueError("name a check or a service, and not both")
        return self

    @model_validator(mode="after")
    def _ends_after_its_beginning(self) -> Self:
        if self.until <= self.since:
            raise ValueError("until comes after since")
        return self

    def meets(self, began: datetime, ended: datetime) -> bool:
        """Tell whether it was wrong at any time between two."""
        return self.since < ended and began < self.until


class Reprice(_Part):
    """A task gives other points to everybody."""

    kind: Literal["reprice"] = "reprice"
    task: _Name = Field(examples=["who"])
    points: int = Field(ge=-100_000, le=100_000, examples=[15])


class Accept(_Part):
    """An answer was right after all, for whoever sent it and for whoever sends it."""

    kind: Literal["accept"] = "accept"
    task: _Name = Field(examples=["who"])
    value: str = Field(min_length=1, max_length=1000, examples=["s.hoxha"])
    submissions: tuple[str, ...] = Field(
        default=(), description="Filled in: those of the team that were this answer."
    )

    def is_said_by(self, text: str) -> bool:
        """Tell whether a text is this answer, but for capitals and white space."""
        return judge(TextAnswer(text=self.value), text)


class Exclude(_Part):
    """A team is out of the ranking and of first solves; it keeps its points."""

    kind: Literal["exclude"] = "exclude"
    team: _Name = Field(examples=["team-1"])


class Revoke(_Part):
    """A former correction does not hold any more."""

    kind: Literal["revoke"] = "revoke"
    correction: _Name = Field(examples=["0123456789ab"])


Amendment = Annotated[
    Adjust | Void | Defective | Reprice | Accept | Exclude | Revoke, Field(discriminator="kind")
]


class Decided(_Part):
    """An amendment and its reason, which teams are told."""

    amendment: Amendment
    reason: str = Field(min_length=1, max_length=500, examples=["The question had two answers."])
    rounds: dict[str, int] = Field(
        default_factory=dict,
        description="Filled in: rounds of attack and defence that move something else for the team"
        " from now on, by id, in thousandths.",
    )
