"""Markings as they are stored and read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.ids import TeamId, UserId
from scoring.domain.rubric import Levels


class SheetKind(StrEnum):
    """Whose marks they are."""

    ASSESSOR = "assessor"
    MODERATOR = "moderator"
    TEAM = "team"  # what a team gives itself; it never scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A level for a criterion, and why; a draft until it was handed in."""

    level: int
    reason: str
    handed_in: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The marks of one person."""

    id: str
    kind: SheetKind
    user: UserId
    seat: int
    marks: Mapping[str, Mark]

    @property
    def levels(self) -> Levels:
        """Criterion → the level that was handed in."""
        return {c: mark.level for c, mark in self.marks.items() if mark.handed_in is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkingRecord:
    """A team's task is marked, for the `number`th time."""

    id: str
    team: TeamId
    task: str
    number: int
    opened_at: datetime
    reason: str
    decided_at: datetime | None
    moderated: bool
    sheets: tuple[Sheet, ...]

    def of(self, kind: SheetKind) -> tuple[Sheet, ...]:
        """Return the sheets of a kind, in the order of seats."""
        return tuple(sheet for sheet in self.sheets if sheet.kind is kind)

    def sheet_of(self, user: UserId) -> Sheet | None:
        """Return the sheet of a person."""
        return next((sheet for sheet in self.sheets if sheet.user == user), None)

    @property
    def decisive(self) -> tuple[Sheet, ...]:
        """The sheets that a result is made of: the moderator's alone where there is one."""
        return self.of(SheetKind.MODERATOR if self.moderated else SheetKind.ASSESSOR)
