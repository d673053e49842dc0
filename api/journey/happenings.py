"""What happens to teams on the way: injects that go out once, a reset, another exercise beside."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from api.journey.people import Caller, Say, Trainee, expect, wait_for

_SOON = timedelta(seconds=60)
_BUILD = timedelta(minutes=8)
_NOTICE = "The spring market moves to Saturday."


def see_injects(
    instructor: Caller, exercise: str, ours: Trainee, theirs: Trainee, say: Say
) -> None:
    """See a message at the start, a command that goes out once in one team, and a reply."""
    for trainee in (ours, theirs):
        _message_from(trainee, exercise, "Duty officer")
    say("the first message reached both teams")
    _fire(instructor, exercise, "new_notice", ours.team)
    board = wait_for(
        lambda: _notice_board(ours),
        lambda page: _NOTICE in page,
        what="the new notice on the board",
        within=_SOON,
    )
    expect(board.count(_NOTICE) == 1, "the notice once", board)
    other = _notice_board(theirs)
    expect(_NOTICE not in other, "no notice in the other team's world", other)
    say("an inject ran once on a host of one team, and nowhere else")
    _fire(instructor, exercise, "mayors_call", ours.team)
    message = _message_from(ours, exercise, "Mayor's office")
    path = f"/exercises/{exercise}/messages/{message['id']}/reply"
    ours.caller.send(path, {"text": "Somebody came in at night. The door is being closed."})
    wait_for(
        lambda: _team_state(instructor, exercise, "mayors_call", ours.team),
        lambda state: state["expectation"] == "met",
        what="the reply to be noted",
        within=_SOON,
    )
    say("a reply was asked for, given and noted")


def see_a_reset(exercise: str, trainee: Trainee, say: Say) -> None:
    """Have a team's desk made anew by the team itself: its files are as at the start."""
    trainee.shell.run("echo mine >~/mine && rm ~/handover.txt")
    trainee.caller.post(f"/exercises/{exercise}/teams/{trainee.team}/reset", {"host": "desk"})
    wait_for(
        lambda: trainee.caller.get(f"/exercises/{exercise}")["teams"][0]["world"],
        lambda world: world == "ready",
        what="the desk to be made anew",
        within=_SOON,
    )
    trainee.shell.run("test -s ~/handover.txt && test ! -e ~/mine")
    say(f"{trainee.team} had its desk made anew; its files are as at the start")


def launch_another(instructor: Caller, scenario: str, say: Say) -> str:
    """Launch a second exercise beside the first; return its name once it is ready."""
    name: str = instructor.post("/exercises", {"scenario": scenario, "teams": 1})["name"]
    built = wait_for(
        lambda: instructor.get(f"/exercises/{name}"),
        lambda seen: seen["phase"] != "provisioning",
        what=f"{name} to be built",
        within=_BUILD,
    )
    expect(built["phase"] == "ready", "the second exercise to be ready", built)
    say(f"{name} stands beside it, with a team of the same name")
    return name


def _notice_board(trainee: Trainee) -> str:
    return trainee.shell.run("curl -fsS http://office/").stdout.decode()


def _fire(instructor: Caller, exercise: str, inject: str, team: str) -> None:
    for _ in range(2):  # the second is the first, sent again
        done = instructor.post(
            f"/exercises/{exercise}/injects/{inject}/fire",
            {"team": team, "reason": "the journey"},
            key=f"journey-{inject}",
        )
        expect(done["teams"] == [team], f"{inject} to go out for {team}", done)


def _message_from(trainee: Trainee, exercise: str, sender: str) -> Mapping[str, Any]:
    def found() -> list[Mapping[str, Any]]:
        messages = trainee.caller.get(f"/exercises/{exercise}/messages")
        return [message for message in messages if message["sender"] == sender]

    messages: list[Mapping[str, Any]] = wait_for(
        found, bool, what=f"a message from {sender} to {trainee.team}", within=_SOON
    )
    expect(len(messages) == 1, f"one message from {sender}", messages)
    return messages[0]


def _team_state(instructor: Caller, exercise: str, inject: str, team: str) -> Any:  # noqa: ANN401  # whatever JSON holds
    injects = instructor.get(f"/exercises/{exercise}/injects")
    found = next(one for one in injects if one["inject"] == inject)
    return next(state for state in found["teams"] if state["team"] == team)
