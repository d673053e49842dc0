"""Where a statement of the outbox is."""

from enum import StrEnum


class State(StrEnum):
    """What becomes of a statement."""

    WAITING = "waiting"
    DELIVERED = "delivered"  # the LRS has it
    REFUSED = "refused"  # the LRS does not want it as it is
    NEEDLESS = "needless"  # it was refused and is no longer true; or it takes such a one back
