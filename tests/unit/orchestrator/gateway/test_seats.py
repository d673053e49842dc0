"""How many sessions one person and one team may have."""

from datetime import timedelta

from orchestrator.gateway.limits import Limits
from orchestrator.gateway.seats import no_seat
from tests.fakes.terminal_stage import FakeClient, FakeEngine, a_visit, play, sessions, settle

LIMITS = Limits(sessions_per_person=2, sessions_per_team=3)


def test_a_person_and_a_team_have_so_many_places() -> None:
    async def story() -> None:
        live = sessions(FakeEngine())
        for login in ("ana", "ana.mail"):
            live.join(a_visit(login=login), FakeClient())
        await settle()
        assert no_seat(live, a_visit(login="ana"), LIMITS).startswith("You have 2 sessions open")
        assert no_seat(live, a_visit(login="ben"), LIMITS) == ""
        live.join(a_visit(login="ben"), FakeClient())
        await settle()
        told = no_seat(live, a_visit(login="cem"), LIMITS)
        assert told.startswith("Your team has 3 sessions open")
        await live.close("over", drain=timedelta())

    play(story())
