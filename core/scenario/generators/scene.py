"""What a generator is given and what it makes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from core.scenario.generators.dice import Dice
from core.scenario.generators.office import Office
from core.scenario.generators.parameters import Parameters
from core.scenario.positions import Place
from core.scenario.template import TemplateFailedError

MAX_BYTES = 8 << 20
_LONGEST = timedelta(days=60)
_A_WHILE = timedelta(minutes=15)

P = TypeVar("P", bound=Parameters)


class GenerationFailedError(TemplateFailedError):
    """A generator cannot make what it is asked for; `place` is where, below `with`."""

    code = "scenario.generation_failed"

    def __init__(self, reason: str, *, place: Place = (), where: str = "") -> None:
        super().__init__(reason, where=where)
        self.place = place


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where and when: the host that the file is on, the story's start, the office, and chance."""

    host: str
    start: datetime
    office: Office
    dice: Dice

    def window(
        self,
        at: datetime,
        *,
        before: timedelta,
        after: timedelta | None = None,
        ends: datetime | None = None,
    ) -> tuple[datetime, datetime]:
        """Return when evidence of what happens at `at` begins and ends.

        It ends `after` that, or where it `ends`, or else at the story's start; later than the
        start only if `at` is. Raises GenerationFailedError for more than sixty days, and for an
        end before `at`.
        """
        if before > _LONGEST:
            message = f"{before.days} days are more than the most, {_LONGEST.days}"
            raise GenerationFailedError(message, place=("since",))
        if ends is not None:
            if ends < at:
                raise GenerationFailedError("it ends before its story begins", place=("until",))
            after = ends - at
        if at > self.start:
            until = at + (_A_WHILE if after is None else after)
        else:
            until = self.start if after is None else min(at + after, self.start)
        since = at - before
        if until - since > _LONGEST:
            days = (until - since).days
            message = f"this spans {days} days up to the story's start; the most is {_LONGEST.days}"
            raise GenerationFailedError(message, place=("at",))
        return since, until


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file, or a folder, as of `mtime`; `path` is relative to the folder that is filled."""

    path: str = ""
    content: bytes = b""
    mtime: datetime
    folder: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator(Generic[P]):
    """One kind of evidence; `fills_folder` when it makes many files below a folder."""

    summary: str
    example: str
    parameters: type[P]
    make: Callable[[P, Scene], Iterable[Made]]
    fills_folder: bool = False


AnyGenerator = Generator[Any]
