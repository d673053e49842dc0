from datetime import UTC, datetime
from itertools import pairwise

from tests.unit.core.scenario.generators.making import AT, START, make_one

STORY = ("id", "cat {{ values.user }}.txt", "exit 7")


def commands(**given: object) -> list[tuple[datetime, str]]:
    """Read a history as bash does: a line of # and digits is the time of the next."""
    lines = make_one("shell-history", **given).content.decode().splitlines()
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [(datetime.fromtimestamp(int(stamp.removeprefix("#")), UTC), c) for stamp, c in pairs]


def test_the_story_is_told_in_its_order_from_its_time_on() -> None:
    done = commands(commands=STORY)
    times = [at for at, _ in done]
    assert times == sorted(times)
    assert times[-1] == make_one("shell-history", commands=STORY).mtime <= START
    first = next(n for n, (at, _) in enumerate(done) if at == AT)
    assert [c for _, c in done[first : first + 3]] == ["id", "cat lberisha.txt", "exit 7"]


def test_without_noise_there_is_the_story_alone() -> None:
    assert [c for _, c in commands(commands=("w", "ls"), noise="none")] == ["w", "ls"]


def test_the_pause_is_at_most_as_said() -> None:
    done = commands(commands=("true",) * 50, pause="3s", noise="none")
    pauses = {(b[0] - a[0]).total_seconds() for a, b in pairwise(done)}
    assert pauses == {1, 2, 3}
