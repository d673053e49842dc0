"""How much a terminal may show."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.terminal.limits import TerminalLimits, TokenBucket
from orchestrator.terminal.stream import Chunk
from tests.fakes.terminal_stage import SIZE, Scene, play

BURST, RATE = 1000, 100


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.tuples(st.integers(0, 300), st.floats(0, 20)), max_size=80))
def test_no_more_than_the_burst_and_the_rate_passes_whoever_waits_as_told(
    story: list[tuple[int, float]],
) -> None:
    time = Time()
    bucket = TokenBucket(burst=BURST, rate=RATE, monotonic=time)
    passed = 0
    for size, idle in story:
        wait = bucket.take(size)
        passed += size
        assert wait <= size / RATE + 1e-9, "one never waits for more than the last piece"
        assert passed <= BURST + RATE * (time.now + wait) + 1e-6
        time.now += wait + idle


@given(st.lists(st.integers(0, 100), max_size=10))
def test_a_burst_does_not_wait(sizes: list[int]) -> None:
    bucket = TokenBucket(burst=BURST, rate=RATE, monotonic=Time())
    assert [bucket.take(size) for size in sizes] == [0.0] * len(sizes)


def test_a_terminal_that_floods_is_not_read_and_one_without_is() -> None:
    async def story() -> None:
        for size, left in ((SIZE, 3), (None, 0)):
            limits = TerminalLimits(burst_bytes=100, bytes_per_second=1)
            scene = Scene(size=size, limits=limits)
            for _ in range(5):
                scene.engine.stream.output.put_nowait(Chunk(data=bytes(80)))
            await scene.settle()
            assert scene.engine.stream.output.qsize() == left
            scene.session.cut("enough")
            await scene.end()

    play(story())
