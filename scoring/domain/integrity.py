"""Integrity signals: what looks as if a team did not get to an answer by itself.

A signal is for a person to look at. It is no proof, and it never takes points. Each rule says what
it saw; what it cannot see it says nothing of. Times are the teams' own clocks.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scoring.domain.item_analysis import alike

RARE_FROM_TEAMS = 4
"""With fewer teams a wrong answer of two of them is not rare."""
RARE_LEAST_LENGTH = 4
"""Shorter wrong answers are guesses that anybody makes."""
CLOSE_WITHIN = timedelta(seconds=60)
CLOSE_TASKS = 3
"""Two teams that are right within CLOSE_WITHIN of each other on so many tasks are a signal."""
CLOSE_CROWD = 3
"""Where more teams, with the two, were right within CLOSE_WITHIN of both, it is no sign of them."""
SPEED = timedelta(seconds=20)
"""Nobody reads a task, finds out and answers in less after its opening."""


class SignalKind(StrEnum):
    """What was seen."""

    FOREIGN = "foreign"  # another team's flag, password or token
    SAME_WRONG = "same_wrong"  # the same rare wrong answer
    CLOSE = "close"  # right answers too close in time
    SPEED = "speed"  # right sooner than anybody can be
    NO_COMMANDS = "no_commands"  # right without having done anything in a host


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer of a team. `typed` is false where it was picked from a list."""

    team: str
    who: str
    task: str
    text: str
    right: bool
    at: datetime
    elapsed: timedelta
    typed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a signal rests on: an answer of a team, and what is odd about it."""

    team: str
    who: str
    task: str
    at: datetime
    elapsed: timedelta
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """A signal: of what kind, about which teams, in a sentence, with its evidence."""

    kind: SignalKind
    teams: tuple[str, ...]
    what: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What rules are told beside the answers.

    `opened` is (team, task) → its opening; `first_act` team → the first command or transfer in a
    host, for teams whose every way into hosts is recorded; `needs_host` the tasks whose answer lies
    in a host.
    """

    teams: int
    opened: Mapping[tuple[str, str], timedelta]
    first_act: Mapping[str, datetime | None]
    needs_host: frozenset[str]


def suspicions(answers: Sequence[Answered], known: Known) -> tuple[Suspicion, ...]:
    """Return what looks odd in the answers of all teams, in the order of the rules."""
    return (
        *same_rare_wrong(answers, teams=known.teams),
        *close_in_time(answers),
        *too_fast(answers, known.opened),
        *without_commands(answers, known),
    )


def same_rare_wrong(answers: Sequence[Answered], *, teams: int) -> Iterator[Suspicion]:
    """Give each typed wrong answer that two teams, and only these, gave."""
    given: dict[tuple[str, str], dict[str, Answered]] = defaultdict(dict)
    for answer in answers:
        if not answer.right and answer.typed and len(alike(answer.text)) >= RARE_LEAST_LENGTH:
            given[answer.task, alike(answer.text)].setdefault(answer.team, answer)
    for (task, _), by_team in given.items():
        if teams >= RARE_FROM_TEAMS and len(by_team) == 2:  # noqa: PLR2004  # a pair
            yield Suspicion(
                kind=SignalKind.SAME_WRONG,
                teams=tuple(by_team),
                what=f"the same wrong answer for {task}, which no other of {teams} teams gave",
                evidence=tuple(_evidence(a, f"sent “{a.text}”") for a in by_team.values()),
            )


def close_in_time(answers: Sequence[Answered]) -> Iterator[Suspicion]:
    """Give each pair of teams that was right at nearly the same time on several tasks.

    Where many teams were, it was the room that got there: such a task speaks neither for nor
    against a pair.
    """
    right: dict[str, dict[str, Answered]] = defaultdict(dict)
    for answer in answers:
        if answer.right:
            right[answer.team].setdefault(answer.task, answer)
    for (one, other), tasks in _often_close(right):
        both = [(right[one][t], right[other][t]) for t in right[one] if t in right[other]]
        alone = [(a, b) for a, b in both if a.task in tasks]
        within = sum(abs(a.elapsed - b.elapsed) <= CLOSE_WITHIN for a, b in both)
        in_crowds = within - len(alone)
        if 2 * len(alone) < len(both) - in_crowds:
            continue
        yield Suspicion(
            kind=SignalKind.CLOSE,
            teams=(one, other),
            what=f"right within {_spelled(CLOSE_WITHIN)} of each other on {len(alone)} of"
            f" {len(both)} tasks that both solved"
            + (f", and among many teams on {in_crowds} more" if in_crowds else ""),
            evidence=tuple(
                _evidence(a, f"{_spelled(abs(a.elapsed - b.elapsed))} apart")
                for pair in alone
                for a, b in (pair, pair[::-1])
            ),
        )


def _often_close(
    right: Mapping[str, Mapping[str, Answered]],
) -> list[tuple[tuple[str, str], set[str]]]:
    """Return the pairs of teams that were close, and few others, on CLOSE_TASKS, and these tasks.

    In the order of the teams, and by going through each task's answers in the order of time: of a
    thousand teams most pairs never come near each other, or only in a crowd.
    """
    place = {team: number for number, team in enumerate(right)}
    by_task: dict[str, list[Answered]] = defaultdict(list)
    for tasks in right.values():
        for task, answer in tasks.items():
            by_task[task].append(answer)
    close: dict[tuple[str, str], set[str]] = defaultdict(set)
    for task, answers in by_task.items():
        answers.sort(key=lambda a: a.elapsed)
        times = [answer.elapsed for answer in answers]
        for answer in answers:
            near = bisect_left(times, answer.elapsed - CLOSE_WITHIN)
            last = bisect_right(times, answer.elapsed)
            if last - near > CLOSE_CROWD:
                continue  # they are near all of those
            for earlier in answers[near:last]:
                one, other = sorted((earlier.team, answer.team), key=place.__getitem__)
                crowd = bisect_right(times, earlier.elapsed + CLOSE_WITHIN) - near
                if one != other and crowd <= CLOSE_CROWD:
                    close[one, other].add(task)
    often = [(pair, tasks) for pair, tasks in close.items() if len(tasks) >= CLOSE_TASKS]
    return sorted(often, key=lambda found: (place[found[0][0]], place[found[0][1]]))


def too_fast(
    answers: Sequence[Answered], opened: Mapping[tuple[str, str], timedelta]
) -> Iterator[Suspicion]:
    """Give each typed right answer that came less than SPEED after its task opened."""
    for answer in answers:
        since = opened.get((answer.team, answer.task))
        if not answer.right or not answer.typed or since is None:
            continue
        if (took := answer.elapsed - since) < SPEED:
            yield Suspicion(
                kind=SignalKind.SPEED,
                teams=(answer.team,),
                what=f"{answer.task} solved in less than {_spelled(SPEED)}",
                evidence=(_evidence(answer, f"{_spelled(took)} after it opened"),),
            )


def without_commands(answers: Sequence[Answered], known: Known) -> Iterator[Suspicion]:
    """Give each right answer that lies in a host of a team that had done nothing in any by then."""
    for answer in answers:
        if not answer.right or answer.task not in known.needs_host:
            continue
        if answer.team not in known.first_act:
            continue
        first = known.first_act[answer.team]
        if first is None or first > answer.at:
            yield Suspicion(
                kind=SignalKind.NO_COMMANDS,
                teams=(answer.team,),
                what=f"{answer.task} solved before any command or transfer on the team's machines",
                evidence=(_evidence(answer, "no command was recorded before this answer"),),
            )


def _evidence(answer: Answered, text: str) -> Evidence:
    return Evidence(
        team=answer.team,
        who=answer.who,
        task=answer.task,
        at=answer.at,
        elapsed=answer.elapsed,
        text=text,
    )


def _spelled(time: timedelta) -> str:
    return f"{round(time.total_seconds())} s"
