"""What an open terminal looks like from outside."""

from datetime import UTC, datetime

import pytest

from api.terminals import Signal, signal_of
from orchestrator.gateway.inner_words import SessionFacts

MINUTE = 60.0


@pytest.mark.parametrize(
    ("idle", "unanswered", "attached", "signal"),
    [
        (0, 0, True, Signal.TYPING),
        (9.9 * MINUTE, 0, True, Signal.TYPING),
        (10 * MINUTE, 0, True, Signal.IDLE),
        (59, 59, True, Signal.TYPING),
        (MINUTE, MINUTE, True, Signal.STUCK),
        (20 * MINUTE, 20 * MINUTE, True, Signal.STUCK),
        (20 * MINUTE, 20 * MINUTE, False, Signal.LEFT),
        (0, 0, False, Signal.LEFT),
    ],
)
def test_a_terminal_shows_the_sign_that_matters_most(
    *, idle: float, unanswered: float, attached: bool, signal: Signal
) -> None:
    facts = SessionFacts(
        id="s1",
        login="ana.desk",
        exercise="e1",
        team="team-1",
        host="desk",
        account="ana",
        since=datetime(2026, 11, 28, 9, tzinfo=UTC),
        idle=idle,
        unanswered=unanswered,
        attached=attached,
        terminal=True,
    )
    assert signal_of(facts) is signal
