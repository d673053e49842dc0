"""Rubrics: what assessors look at, and what each level of it means."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator

from core.scenario.fields import Id, Part, Share, Text
from core.scenario.written import written

Level = Annotated[int, Field(ge=0, le=100), written("level", r"^(\d|[1-9]\d|100)$")]
"""A mark, as a whole number."""


class Criterion(Part):
    """One thing that assessors look at. Its share is the level they give of the highest."""

    title: Text | None = None
    """What people call it; left out, its id, and a translation may name it all the same."""
    weight: int = Field(default=1, ge=1, le=1000)
    """How much it counts beside the other criteria of its rubric."""
    levels: Mapping[Level, Text] = Field(min_length=2, max_length=20)
    """What each level means; the highest is full marks."""


class Rubric(Part):
    """How assessors mark: each gives a level for every criterion."""

    title: Text | None = None
    """What people call it."""
    assessors: int = Field(default=1, ge=1, le=10)
    """How many mark independently of each other."""
    moderate_if_apart: Share | None = None
    """How far apart their totals may be, as a share of all; above that, a moderator decides."""
    criteria: Mapping[Id, Criterion] = Field(min_length=1, max_length=50)
    """What they look at."""

    @model_validator(mode="after")
    def _apart_from_another(self) -> "Rubric":
        if self.moderate_if_apart is not None and self.assessors == 1:
            raise ValueError("a single assessor is never apart; moderate_if_apart needs two")
        return self
