"""Live sessions are found, and end with the process that holds them."""

from datetime import timedelta

import pytest

from core.background import spawn
from orchestrator.terminal.session import Session
from orchestrator.terminal.stream import Chunk
from tests.fakes.terminal_stage import HOST, FakeClient, FakeEngine, a_visit, play, sessions, settle


def test_sessions_are_found_by_id_person_and_team() -> None:
    async def story() -> None:
        live = sessions(FakeEngine())
        ana, ben = a_visit(login="ana.desk"), a_visit(login="ben")
        for visit in (ana, ben):
            live.join(visit, FakeClient())
        found = live.find(ben.id)
        assert found
        assert found.visit == ben
        assert live.find("none") is None
        assert [one.visit for one in live.of_person("ana")] == [ana]
        assert [one.visit for one in live.of_team(HOST.world)] == [ana, ben]
        await live.close("over")

    play(story())


def test_draining_lets_sessions_end_by_themselves_and_takes_no_new_ones() -> None:
    async def story() -> None:
        engine = FakeEngine()
        live = sessions(engine)
        staying, late = FakeClient(), FakeClient()
        live.join(a_visit(), staying)
        await settle()
        closing = spawn(live.close("going down", drain=timedelta(seconds=9), warning="9 s left"))
        await settle()
        live.join(a_visit(), late)
        await settle()
        assert late.codes == [255]
        assert b"[9 s left]" in staying.shown
        assert staying.codes == []
        engine.stream.ends(0)
        await closing
        assert staying.codes == [0]

    play(story())


def test_draining_has_an_end() -> None:
    async def story() -> None:
        live = sessions(FakeEngine())
        client = FakeClient()
        live.join(a_visit(), client)
        await settle()
        await live.close("going down", drain=timedelta(milliseconds=10))
        assert client.codes == [255]

    play(story())


def test_draining_ends_earlier_when_everybody_is_cut() -> None:
    async def story() -> None:
        live = sessions(FakeEngine())
        client = FakeClient()
        live.join(a_visit(), client)
        await settle()
        closing = spawn(live.close("going down", drain=timedelta(minutes=9)))
        await settle()
        live.cut("now")
        await closing
        assert client.codes == [255]
        assert b"now" in client.errors

    play(story())


def test_what_was_shown_is_counted_past_the_end_of_a_session() -> None:
    async def story() -> None:
        engine = FakeEngine()
        live = sessions(engine)
        live.join(a_visit(), FakeClient())
        engine.stream.output.put_nowait(Chunk(data=b"12345"))
        await settle()
        assert live.bytes_shown == 5
        engine.stream.ends(0)
        await settle()
        assert list(live) == []
        assert live.bytes_shown == 5

    play(story())


def test_draining_waits_for_nobody_who_is_gone() -> None:
    async def story() -> None:
        live = sessions(FakeEngine())
        left, leaving = (live.join(a_visit(), FakeClient()) for _ in range(2))
        await settle()
        left.hang_up()
        closing = spawn(live.close("going down", drain=timedelta(minutes=9)))
        await settle()
        leaving.hang_up()
        await closing

    play(story())


def test_a_fault_of_ours_does_not_leave_the_client_hanging(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fails(_session: Session) -> None:
        raise RuntimeError("a fault")

    async def story() -> None:
        monkeypatch.setattr(Session, "run", fails)
        live = sessions(FakeEngine())
        client = FakeClient()
        live.join(a_visit(), client)
        await settle()
        assert client.codes == [255]
        assert list(live) == []

    play(story())
