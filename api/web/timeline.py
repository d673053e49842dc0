"""The courses of teams as a drawing, and the same as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from scoring.domain.boards import Board, Course

WIDTH, HEIGHT = 800, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 36, 12, 28
_NICE = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 960)  # minutes between marks
_MARKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A team's course: a path, where it ends, and what the team had at each mark."""

    name: str
    path: str
    x: float
    y: float
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Courses with their marks, each with its place: minutes from the left, points from below."""

    lines: tuple[Line, ...]
    minutes: tuple[tuple[int, float], ...]
    points: tuple[tuple[int, float], ...]


def drawing_of(board: Board) -> Drawing | None:
    """Return the drawing of a board; `None` before anybody has a point."""
    courses = [c for c in board.timeline if any(milli for _, milli in c.points)]
    if not courses:
        return None
    names = {row.team: row.name for row in board.rows}
    longest = max(course.points[-1][0] for course in courses)
    step = next((n for n in _NICE if n * 60 * _MARKS >= longest), longest // 60)
    minutes = tuple(range(0, (longest // 60 // step + 1) * step + 1, step))
    most = max(milli for course in courses for _, milli in course.points)
    least = min(0, *(milli for course in courses for _, milli in course.points))
    scale = _Scale(
        seconds=minutes[-1] * 60, ends=longest, least=least, most=max(most, least + 1000)
    )
    return Drawing(
        lines=tuple(_line(course, names, scale, minutes) for course in courses),
        minutes=tuple((minute, scale.x(minute * 60)) for minute in minutes),
        points=tuple((milli, scale.y(milli)) for milli in _levels(scale)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    seconds: int
    ends: int
    least: int
    most: int

    def x(self, second: float) -> float:
        return round(_LEFT + second / self.seconds * (WIDTH - _LEFT - _RIGHT), 1)

    def y(self, milli: float) -> float:
        share = (milli - self.least) / (self.most - self.least)
        return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 1)


def _levels(scale: _Scale) -> Sequence[int]:
    step = 1000
    while (scale.most - scale.least) / step > _MARKS:
        step *= 5 if str(step)[0] == "2" else 2
    first = -(-scale.least // step) * step
    return range(first, scale.most + 1, step)


def _line(course: Course, names: dict[str, str], scale: _Scale, minutes: Sequence[int]) -> Line:
    steps = [f"M{scale.x(0)} {scale.y(course.points[0][1])}"]
    for second, milli in course.points[1:]:
        steps.append(f"H{scale.x(second)}V{scale.y(milli)}")
    end = scale.x(scale.ends)
    return Line(
        name=names.get(course.team, course.team),
        path="".join(steps) + f"H{end}",
        x=end,
        y=scale.y(course.points[-1][1]),
        values=tuple(_at(course, minute * 60) for minute in minutes),
    )


def _at(course: Course, second: int) -> int:
    return next((milli for at, milli in reversed(course.points) if at <= second), 0)
