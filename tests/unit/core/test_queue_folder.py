"""The embedded queue: a message is there as a whole or not at all, and one reader gets it."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

from core.jobs import Job
from core.queue import CeleryQueue, celery_app
from core.settings import Settings

QUEUE = "poligon"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@contextmanager
def reader(settings: Settings) -> Iterator[Any]:
    """Lend a channel as a worker has one."""
    with celery_app(settings).connection_for_read() as connection:
        yield connection.channel()


def messages(settings: Settings) -> list[Path]:
    return list((settings.home / "queue").glob("*.msg"))


def test_a_job_that_was_sent_is_got_once_and_leaves_nothing(settings: Settings) -> None:
    CeleryQueue(celery_app(settings)).send(Job("some.job", ("id",)))
    with reader(settings) as channel:
        assert channel._get(QUEUE)["headers"]["task"] == "some.job"
        with pytest.raises(Empty):
            channel._get(QUEUE)
    assert [f for f in (settings.home / "queue").iterdir() if f.is_file()] == []


def test_what_a_worker_tells_of_itself_is_not_kept(settings: Settings) -> None:
    app = celery_app(settings)
    with app.connection_for_write() as connection:
        app.events.Dispatcher(connection).send("worker-heartbeat")
    assert messages(settings) == []


def test_half_a_message_is_lost_and_harms_nobody(settings: Settings) -> None:
    CeleryQueue(celery_app(settings)).send(Job("some.job"))
    (whole,) = messages(settings)
    whole.with_name(f"0_half.{QUEUE}.msg").write_text(whole.read_text()[:50])
    whole.with_name(f"0_none.{QUEUE}.msg").touch()
    with reader(settings) as channel:
        assert channel._get(QUEUE)["headers"]["task"] == "some.job"
    assert messages(settings) == []


def test_of_several_readers_one_gets_each_message(settings: Settings) -> None:
    sent = 200
    done = threading.Event()

    def read() -> int:
        got = 0
        with reader(settings) as channel:
            while True:
                try:
                    channel._get(QUEUE)
                    got += 1
                except Empty:
                    if done.is_set():
                        return got
                    time.sleep(0.001)

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        queue = CeleryQueue(celery_app(settings))
        for number in range(sent):
            queue.send(Job("some.job", (str(number),)))
        done.set()
        assert sum(one.result() for one in readers) == sent


def test_a_folder_that_cannot_be_written_is_told_and_not_raised(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    queue = CeleryQueue(celery_app(settings))
    monkeypatch.setattr(Path, "rename", full)
    queue.send(Job("some.job"))
    monkeypatch.undo()
    assert list((settings.home / "queue").glob(".*")) == []
    queue.send(Job("some.job"))
    assert len(messages(settings)) == 1


def test_whoever_waits_for_a_message_looks_up_in_between(settings: Settings) -> None:
    with celery_app(settings).connection_for_read() as connection:
        connection.channel()
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=3600)
