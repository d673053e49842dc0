"""How rounds of attack and defence enter ledgers: one entry for each team that a round moved."""

from scoring.domain.ledger import EntryKind, Grant, Ruling

LEDGER_NAME = "attack defence"
"""What all services together are called where entries name a task: no task has a space."""
LEDGER_TITLE = "Attack and defence"


def round_ruling(milli_points: int) -> Ruling:
    """Return the ruling of a round that moves a team by so much, in thousandths."""
    grant = Grant(task=LEDGER_NAME, kind=EntryKind.SERVICE, milli_points=milli_points)
    return Ruling(grants=(grant,) if milli_points else ())
