"""Defective checkers of services, on both databases: what they saw counts for nobody."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from scoring.attack_defence.tables import ServiceRoundRow
from scoring.booking import TeamBooks
from scoring.corrections.views import Correction
from scoring.domain.amendments import Decided, Defective, Revoke
from scoring.domain.attack_defence.entries import LEDGER_NAME
from scoring.domain.deriving import take
from scoring.domain.ledger import Cause, Fact
from scoring.domain.rules import NO_RULES
from scoring.domain.verdicts import Verdict
from scoring.errors import CorrectionInvalidError, PreviewOutdatedError
from scoring.proving import Proving
from scoring.repository import ScoreRepository
from scoring.tables import FactRow, ScoreEntryRow
from tests.fakes.correction_desk import Instructors
from tests.fakes.duel_stage import EVERY, SCENARIO, Duel

UP = 1732
"""What a round gives a service that is up, by √3."""
OURS = Verdict.INFRA_ERROR
States = Mapping[str, str]
"""Team → how its locker answers."""


class Match(Instructors):
    """A duel, and two instructors who correct its scores."""

    def __init__(self, duel: Duel) -> None:
        super().__init__(duel)
        self.duel = duel
        self.began: list[datetime] = []

    def round(self, states: States | None = None, *, both: bool = False) -> None:
        """Play the next round, in which lockers answer so, the other services too if `both`."""
        for slug in ("ana", "bor", "cvet"):
            state = (states or {}).get(slug, "up")
            self.duel.service(slug).state = state
            self.duel.service(slug, "slots").state = state if both else "up"
        if self.began:
            self.duel.clock.advance(EVERY)
        self.began.append(self.duel.clock.now())
        self.duel.play()

    def wrong(self, first: int, last: int, service: str = "locker") -> Defective:
        """Return that a checker was defective within these rounds, which may be yet to come."""
        a_second = timedelta(seconds=1)
        return Defective(
            service=service,
            since=self.began[0] + (first - 1) * EVERY + a_second,
            until=self.began[0] + last * EVERY - a_second,
        )

    def of_rounds(self, slug: str) -> list[str]:
        """Return the ids of a team's facts of rounds, in their order."""
        row = FactRow
        mine = select(row.cause_id).where(
            row.team_id == self.duel.team(slug).id, row.cause_type == Cause.SERVICE_ROUND
        )
        with self.duel.database.reading() as session:
            return list(session.scalars(mine.order_by(row.position)))

    def holds(self) -> bool:
        """Tell whether all that is kept follows from facts, and the board from the ledger."""
        duel = self.duel
        board = duel.attack_defence.board(duel.exercise)
        proving = Proving(duel.database, duel.clock, duel.exercises, every=timedelta(days=1))
        return (
            duel.replaying.replay(duel.exercise).holds
            and {line.team: line.milli_points for line in board.teams} == duel.points()
            and proving.verify(duel.exercise).faults == ()
        )


@pytest.fixture
def match(database_url: str, tmp_path: Path) -> Iterator[Match]:
    match = Match(Duel.raised(database_url, tmp_path))
    yield match
    assert match.holds()
    match.duel.database.close()


def story(match: Match, *corrections: int) -> list[Correction]:
    """Play five rounds, of which the locker's checker spoils the second and the fourth.

    Before the round of a number in `corrections` both are corrected.
    """
    found = []
    for number in range(1, 6):
        if number in corrections:
            found += [match.correct(match.wrong(2, 2)), match.correct(match.wrong(4, 4))]
        match.round({2: {"ana": "down", "cvet": "mumble"}, 4: {"ana": "down"}}.get(number))
        if number > 1:
            duel = match.duel
            duel.capture("cvet", duel.flag("bor", number - 1), duel.flag("ana", number))
            duel.capture("ana", duel.flag("bor", number))
    match.duel.end()
    return found


CAPTURED = {2: 2000 + 2000, 3: 2000 + 1500}
"""What cvet gets in rounds of the story for flags: two of its own, or one that ana has as well."""


@pytest.fixture(params=["faust", "saar"])
def matches(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> Iterator[tuple[Match, Match]]:
    """Lend two matches by the same rules, one of them only to compare with."""
    scenario, compared = SCENARIO.replace("faust", request.param), f"sqlite:///{tmp_path}/other.db"
    match, other = (
        Match(Duel.raised(url, tmp_path / name, scenario=scenario))
        for url, name in ((database_url, "one"), (compared, "other"))
    )
    yield match, other
    assert match.holds()
    assert other.holds()
    match.duel.database.close()
    other.duel.database.close()


def test_a_defective_checker_costs_no_team_anything_and_captures_stay(match: Match) -> None:
    match.round()
    match.round({"ana": "down", "bor": "mumble"})
    match.duel.capture("cvet", match.duel.flag("ana", 1))
    match.round()  # ana's and bor's lockers lack the flag of round 2
    match.round()
    match.duel.next_round()
    before = match.duel.points()
    assert before["bor"] == 2 * 4 * UP - UP - UP // 2
    match.correct(match.wrong(2, 2), reason="Our checker asked for the old page.")
    full = 2 * 4 * UP
    assert match.duel.points() == {"ana": full - 1000, "bor": full, "cvet": full + 2000}
    (told,) = match.corrections.of_team(match.duel.team("bor"))
    assert told.reason == "Our checker asked for the old page."
    assert told.tasks == ((LEDGER_NAME, full - before["bor"]),)


def test_only_the_service_that_is_named_and_rounds_that_were_on_then_are_left_out(
    match: Match,
) -> None:
    for _ in range(3):
        match.round({"ana": "down"}, both=True)
    match.duel.next_round()
    seen = match.duel.points()["ana"]
    assert seen == 0
    match.correct(match.wrong(2, 3, "slots"))
    board = match.duel.attack_defence.board(match.duel.exercise)
    ana = next(line for line in board.teams if line.team == "ana")
    assert [(tally.verdict, tally.scored) for tally in ana.services] == [
        (Verdict.DOWN, 3),
        (OURS, 1),
    ]


def test_a_preview_shows_each_team_and_is_outdated_by_a_round(match: Match) -> None:
    match.round()
    match.round({"ana": "down"})
    match.round()
    proposed = match.propose(match.wrong(2, 2))
    seen = match.corrections.preview(match.duel.exercise, proposed.id, match.bob)
    diffs = {team.team: (team.before, team.after, team.new_entries) for team in seen.teams}
    assert diffs == {
        "ana": (3 * UP, 4 * UP, 1),
        "bor": (4 * UP, 4 * UP, 0),
        "cvet": (4 * UP, 4 * UP, 0),
    }
    assert [task.task for team in seen.teams for task in team.tasks] == [LEDGER_NAME]
    assert match.duel.points()["ana"] == 3 * UP, "nothing is booked yet"
    match.round()
    with pytest.raises(PreviewOutdatedError):
        match.corrections.approve(match.duel.exercise, proposed.id, match.bob, digest=seen.digest)
    match.approve(proposed.id)


def test_a_round_in_which_a_team_moved_nothing_is_booked_when_a_correction_moves_it(
    match: Match,
) -> None:
    match.round()
    match.round({"ana": "down"}, both=True)
    match.round()
    assert len(match.of_rounds("ana")) == 1
    match.correct(match.wrong(2, 2))
    assert len(match.of_rounds("ana")) == 2
    assert match.duel.points()["ana"] == 3 * UP
    row = ScoreEntryRow
    with match.duel.database.reading() as session:
        closed = select(ServiceRoundRow.closed_at).where(ServiceRoundRow.number == 2)
        mine = select(row.effective_at).where(
            row.team_id == match.duel.team("ana").id, row.cause_type == Cause.CORRECTION
        )
        assert list(session.scalars(mine)) == [session.scalar(closed)]


def test_when_it_is_corrected_does_not_matter(matches: tuple[Match, Match]) -> None:
    match, other = matches
    story(match, 3)
    story(other)
    assert match.duel.points() != other.duel.points()
    other.correct(other.wrong(2, 2))
    other.correct(other.wrong(4, 4))
    assert match.duel.points() == other.duel.points()


def test_what_is_revoked_is_as_it_was_for_later_rounds_too(matches: tuple[Match, Match]) -> None:
    match, other = matches
    first, second = story(match, 3)
    story(other)
    rows = match.rows()
    match.correct(Revoke(correction=first.id))
    assert match.rows() > rows
    other.correct(other.wrong(4, 4))
    assert match.duel.points() == other.duel.points(), "the other one holds still"
    match.correct(Revoke(correction=second.id))
    other.correct(Revoke(correction=other.corrections.all(other.duel.exercise)[0].id))
    assert match.duel.points() == other.duel.points()
    untouched = [
        line.services for line in other.duel.attack_defence.board(other.duel.exercise).teams
    ]
    restored = [
        line.services for line in match.duel.attack_defence.board(match.duel.exercise).teams
    ]
    assert restored == untouched


def test_the_same_again_changes_nothing(match: Match) -> None:
    story(match, 3)
    rows, points = match.rows(), match.duel.points()
    match.correct(match.wrong(2, 2))
    assert (match.rows(), match.duel.points()) == (rows, points)


def test_a_window_without_a_round_changes_nothing(match: Match) -> None:
    story(match)
    rows = match.rows()
    match.correct(match.wrong(9, 12))
    assert match.rows() == rows


@pytest.mark.parametrize(
    ("window", "rounds", "differing"),
    [((9, 12), {3: 7}, (3,)), ((2, 2), {}, (2, 3)), ((2, 2), {2: 2 * UP, 3: 2 * UP}, ())],
    ids=["moved by nothing", "left as it was", "as it should be"],
)
def test_what_rounds_move_by_a_correction_is_proved_as_well(
    database_url: str,
    tmp_path: Path,
    window: tuple[int, int],
    rounds: Mapping[int, int],
    differing: tuple[int, ...],
) -> None:
    match = Match(Duel.raised(database_url, tmp_path))
    story(match)
    duel, ids = match.duel, match.of_rounds("cvet")
    given = {ids[number - 1]: points + CAPTURED[number] for number, points in rounds.items()}
    book_for_cvet(match, Decided(amendment=match.wrong(*window), reason="Why.", rounds=given))
    found = duel.replaying.replay(duel.exercise)
    assert found.rounds == differing
    assert not any(team.differences for team in found.teams)
    duel.database.close()


def test_a_round_that_should_move_a_team_and_is_no_fact_of_it_is_found(
    database_url: str, tmp_path: Path
) -> None:
    match = Match(Duel.raised(database_url, tmp_path))
    match.round()
    match.round({"cvet": "down"}, both=True)
    match.round()
    book_for_cvet(match, Decided(amendment=match.wrong(2, 2), reason="Why."))
    assert match.duel.replaying.replay(match.duel.exercise).rounds == (2,)
    match.duel.database.close()


def book_for_cvet(match: Match, decided: Decided) -> None:
    """Book a correction that nobody derived, for one team alone."""
    duel = match.duel
    fact = Fact(Cause.CORRECTION, "given", duel.clock.now(), decided=decided)
    with duel.database.transaction() as transaction:
        session = transaction.session
        ScoreRepository(session).take_turns(duel.exercise.id)
        books = TeamBooks(session, duel.exercise.id, duel.team("cvet").id, recorded_at=fact.at)
        take(fact, books, NO_RULES)


def test_an_unknown_service_is_refused(match: Match) -> None:
    match.round()
    with pytest.raises(CorrectionInvalidError, match="no service 'slot'") as refused:
        match.propose(match.wrong(1, 1, "slot"))
    assert refused.value.hint == "It has locker, slots"
    with match.duel.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(FactRow)) == 0
