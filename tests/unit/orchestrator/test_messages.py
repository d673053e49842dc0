"""Messages to teams, their replies, and what injects expect."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.ids import UserId
from orchestrator.domain.exercise import Team
from orchestrator.domain.injects import Expectation
from orchestrator.domain.phases import NotNowError
from orchestrator.injects.errors import (
    MessageUnknownError,
    ReplyInvalidError,
    ReplyKeyReusedError,
)
from orchestrator.injects.messages import MAX_REPLY, MessageView
from tests.fakes.inject_site import MINUTE, InjectSite, inject_site

STORY = """\
  press: {at: 5m, message: {from: Press, text: Is it true?}, expect: {reply: text, within: 15m}}
  note: {at: 6m, host: files, run: [drop-note], expect: {task: contain, within: 40m}}
  lead: {at: 7m, message: {to: lead, text: For the lead alone.}}
  crew: {at: 8m, message: {to: responder, text: For those who respond.}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InjectSite]:
    with inject_site(tmp_path, STORY) as site:
        for _ in range(10):
            site.pass_time(1)
        yield site


def mine(site: InjectSite, number: int = 1) -> list[MessageView]:
    team = site.team(number)
    return list(site.services.injects.messages_to(site.exercise, team, site.member(number)))


def reply(site: InjectSite, text: str, *, key: str = "k1", message: int | None = None) -> None:
    team: Team = site.team()
    user: UserId = site.member()
    number = message if message is not None else press(site).id
    site.services.injects.reply(site.exercise, team, user, number, text=text, client_key=key)


def press(site: InjectSite, number: int = 1) -> MessageView:
    return next(message for message in mine(site, number) if message.inject == "press")


def settled(site: InjectSite) -> list[tuple[str, str]]:
    return [(act, subject) for act, subject in site.acts() if act.startswith("expectation")]


def test_a_member_reads_what_is_for_everybody_and_for_the_own_role_newest_first(
    site: InjectSite,
) -> None:
    assert [message.inject for message in mine(site)] == ["crew", "press"]
    told = site.services.injects.messages(site.exercise, team="team-1")
    assert [message.inject for message in told] == ["crew", "lead", "press"]
    assert len(site.services.injects.messages(site.exercise)) == 6


def test_a_message_says_from_whom_when_and_until_when_a_reply_is_wanted(site: InjectSite) -> None:
    message = press(site)
    assert (message.sender, message.text, message.elapsed) == ("Press", "Is it true?", 5 * MINUTE)
    assert message.deadline == 20 * MINUTE
    assert message.expectation is Expectation.OPEN
    assert mine(site)[0].deadline is None


def test_a_reply_in_time_meets_the_expectation(site: InjectSite) -> None:
    reply(site, "No comment.")
    site.sweep()
    assert press(site).expectation is Expectation.MET
    assert [(r.text, r.elapsed) for r in press(site).replies] == [("No comment.", 10 * MINUTE)]
    assert settled(site) == [("expectation.met", "press")]
    assert ("reply.received", "press") in site.acts()
    site.pass_time(30)
    assert settled(site) == [("expectation.met", "press")]


def test_without_a_reply_it_is_missed_once_and_a_late_one_is_still_taken(site: InjectSite) -> None:
    site.pass_time(10)
    assert settled(site) == []
    site.pass_time(0.1)
    site.sweep()
    assert settled(site) == [("expectation.missed", "press")]
    reply(site, "Sorry, we slept.")
    site.sweep()
    assert press(site).expectation is Expectation.MISSED
    assert len(press(site).replies) == 1


def test_a_reply_in_time_counts_though_the_worker_was_away(site: InjectSite) -> None:
    reply(site, "Yes.")
    site.clock.advance(60 * MINUTE)
    site.sweep()
    assert press(site).expectation is Expectation.MET


def test_a_pause_gives_no_team_less_time_to_reply(site: InjectSite) -> None:
    site.services.exercises.pause(site.exercise.id)
    site.clock.advance(60 * MINUTE)
    with pytest.raises(NotNowError, match="paused"):
        reply(site, "Yes.")
    site.services.exercises.resume(site.exercise.id)
    site.pass_time(9)
    reply(site, "Yes.")
    site.sweep()
    assert press(site).expectation is Expectation.MET


def test_the_same_reply_with_the_same_key_is_taken_once(site: InjectSite) -> None:
    reply(site, "Yes.")
    reply(site, "Yes.")
    assert len(press(site).replies) == 1
    with pytest.raises(ReplyKeyReusedError):
        reply(site, "No.")
    reply(site, "No.", key="k2")
    assert [r.text for r in press(site).replies] == ["Yes.", "No."]


@pytest.mark.parametrize("text", ["", "  \n", "x" * (MAX_REPLY + 1), "a\0b", "\ud800"])
def test_what_is_no_reply_is_refused(site: InjectSite, text: str) -> None:
    with pytest.raises(ReplyInvalidError):
        reply(site, text)
    assert press(site).replies == ()


def test_only_what_waits_for_a_reply_and_is_ones_own_can_be_answered(site: InjectSite) -> None:
    for message in (mine(site)[0].id, press(site, 2).id, 10_000):
        with pytest.raises(MessageUnknownError, match="that your team could reply to"):
            reply(site, "Yes.", message=message)


def test_a_task_that_is_solved_in_time_meets_what_its_inject_expects(site: InjectSite) -> None:
    site.engine.answer(["is-dead"])
    for _ in range(4):
        site.clock.advance(MINUTE / 2)
        site.services.scoring.sweep()
        for job in site.queue.take():
            exercise, team, check, number = job.arguments
            if team == site.team().id:
                site.services.scoring.run_check(exercise, team, check, int(number))  # type: ignore[arg-type]
    site.sweep()
    assert site.task("contain").state == "done"
    assert [site.state("note", n).expectation for n in (1, 2)] == ["met", "open"]
    site.pass_time(40)
    assert [site.state("note", n).expectation for n in (1, 2)] == ["met", "missed"]
