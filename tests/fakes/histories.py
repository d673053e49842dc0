"""Histories of facts, generated: what may happen to a team, in any order."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from core.scenario.schema import Scenario
from scoring.domain.attempts import AnswerVerdict
from scoring.domain.ledger import AT_ONCE, Cause, EntryKind, Fact, Grant, Ruling
from scoring.domain.verdicts import Verdict

START = datetime(2026, 11, 23, tzinfo=UTC)

# One check moves several kinds of task; costs of all kinds fall on one that gives points in parts.
SCENARIO = Scenario.model_validate(
    {
        "language": 1,
        "scenario": {
            "id": "history",
            "version": "1.0.0",
            "title": "History",
            "kind": "incident-response",
            "duration": "1h",
        },
        "competencies": {"LOGS": {"title": "Read logs"}},
        "roles": {"responder": {"title": "Responder"}},
        "networks": {"office": {"size": "/28"}},
        "hosts": {"desk": {"image": "debian:bookworm-slim", "networks": {"office": {}}}},
        "checks": {
            "web": {"host": "desk", "run": ("web",), "every": "10s"},
            "shut": {"host": "desk", "run": ("shut",), "every": "10s", "hold": "20s"},
        },
        "objectives": {"done": {"competency": "LOGS", "pass": "50%"}},
        "tasks": {
            "who": {
                "ask": "Who?",
                "answer": "ada",
                "points": 20,
                "wrong_cost": 1,
                "late": ({"after": "2m", "share": "50%"}, {"after": "4m", "share": "12.5%"}),
                "hints": ({"text": "Look.", "cost": 5},),
            },
            "contain": {
                "ask": "Shut it.",
                "checks": ("web", "shut"),
                "points": 30,
                "partial": {"web": 10},
            },
            "keep_up": {"ask": "Keep it.", "availability": "web", "points": 7},
            "keep": {"ask": "Keep it.", "guard": "shut", "points": -9},
        },
    }
)


def drawn_facts(most: int = 60) -> st.SearchStrategy[list[Fact]]:
    """Return histories of one team; wall clocks in them go forth and back."""
    return st.lists(_HAPPENED, max_size=most).map(_numbered)


_HAPPENED = st.tuples(
    st.sampled_from(
        ["answer", "answer", "web", "shut", "web", "shut", "hint", "inject", "reset", "ruling"]
    ),
    st.sampled_from(list(Verdict)),
    st.sampled_from([AnswerVerdict.WRONG, AnswerVerdict.CORRECT]),
    st.integers(1, 40_000),
    st.integers(-600, 3600),
)


def _numbered(drawn: list[tuple[str, Verdict, AnswerVerdict, int, int]]) -> list[Fact]:
    return [
        _fact(place, what, verdict, answer, milli_points, START + timedelta(seconds=second))
        for place, (what, verdict, answer, milli_points, second) in enumerate(drawn)
    ]


def _fact(  # one column each
    place: int,
    what: str,
    verdict: Verdict,
    answer: AnswerVerdict,
    milli_points: int,
    at: datetime,
) -> Fact:
    elapsed = timedelta(seconds=10 * place)
    match what:
        case "answer":
            return Fact(
                *(Cause.SUBMISSION, f"f{place}", at),
                subject="who",
                number=place,
                outcome=answer,
                elapsed=elapsed,
                milli_points=1000 if answer is AnswerVerdict.WRONG else 0,
            )
        case "web" | "shut":
            return Fact(
                *(Cause.CHECK_RUN, f"f{place}", at),
                subject=what,
                number=place,
                outcome=verdict,
                elapsed=elapsed,
            )
        case "ruling":
            grant = Grant(task="who", kind=EntryKind.CORRECTION, milli_points=milli_points)
            ruling = Ruling(grants=(grant,), reason="people decided")
            return Fact(Cause.CORRECTION, f"f{place}", at, ruling=ruling)
        case _:
            subject = "who" if what == "hint" else "contain"
            paid = AT_ONCE if what == "hint" and place % 2 else ""
            return Fact(
                *(Cause(what), f"f{place}", at),
                subject=subject,
                outcome=paid,
                milli_points=milli_points,
            )
