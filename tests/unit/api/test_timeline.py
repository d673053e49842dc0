from datetime import timedelta

import pytest

from api.web.timeline import drawing_of
from scoring.domain.boards import Audience, Board, BoardRow, course_of


def board(*moves: tuple[int, int]) -> Board:
    course = course_of("a", [(timedelta(seconds=at), milli) for at, milli in moves])
    row = BoardRow(team="a", name="A", rank=1, milli_points=0, tasks={}, reached_at=None)
    return Board(
        exercise="x",
        audience=Audience.TEAM,
        tasks=(),
        rows=(row,),
        timeline=(course,),
        upto_entry=1,
    )


@pytest.mark.parametrize("second", [0, 1, 59, 60, 2277, 86_400, 604_800])
def test_a_course_is_drawn_whenever_points_came(second: int) -> None:
    drawing = drawing_of(board((second, 20_000)))
    assert drawing is not None
    assert drawing.minutes[-1][0] * 60 > second
    assert drawing.lines[0].values[-1] == 20_000


def test_nothing_is_drawn_before_anybody_has_a_point() -> None:
    assert drawing_of(board()) is None
