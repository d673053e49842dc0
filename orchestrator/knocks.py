"""What instructors read of those who were not let in at the gateway. Pure."""

from orchestrator.session_views import PastSession
from orchestrator.terminal.book import LoginsFailed, NotServed, Turned, TurnedAway
from orchestrator.terminal.printable import printable

_MOST_SAID = 300


def told_of(note: LoginsFailed | TurnedAway) -> tuple[str, str]:
    """Return the act of an exercise's log, and a sentence for people."""
    if isinstance(note, LoginsFailed):
        return "login.failing", (
            f"{note.count} wrong passwords or codes came for {note.name},"
            f" the last from {note.source}; a new code helps who forgot theirs"
        )
    again = f" {note.count} times more" if note.count > 1 else ""
    said = printable(note.said, most=_MOST_SAID)
    told = {
        Turned.KEY: f"{note.name} came{again} from {note.source} and left without a key that fits;"
        " enrol theirs, or hand out a one-time code",
        Turned.CODE: f"{note.name} typed{again} a one-time code that has expired; hand out another",
        Turned.ENTRY: f"{note.name} logged in{again} and was not let in: {said}",
        Turned.GARBLED: f"what came{again} from {note.source}, where {note.name} is logged in,"
        f" was no SSH: {said}",
    }
    return note.why, told[note.why]


def told_of_fault(session: PastSession, note: NotServed) -> tuple[str, str]:
    """Return the act of an exercise's log, and a sentence, of a session that was not served."""
    if note.is_full:
        return "host.processes_full", (
            f"{session.host} has no free process slot: {session.login} can start nothing there;"
            " they end some processes, or you reset it"
        )
    told = f"{session.login} was not let into {session.host} by a fault: {note.why}"
    return "session.not_served", told
