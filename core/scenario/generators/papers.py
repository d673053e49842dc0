"""What an office writes: short documents that mean nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from core.scenario.generators.dice import Dice
from core.scenario.generators.office import Office

_SUBJECTS = (
    "Minutes of the meeting",
    "Room plan",
    "Holiday calendar",
    "Order of paper",
    "Visit of the auditors",
    "New opening hours",
    "Parking permits",
    "Training in spring",
    "Repair of the heating",
    "List of keys",
    "Telephone list",
    "Annual report",
)
SENTENCES = (
    "Please read this before the next meeting.",
    "The date has been moved by a week.",
    "Nobody has objected so far.",
    "The costs stay within the plan.",
    "We shall decide about it in the next round.",
    "The form is the same as last year's.",
    "The key is with the porter.",
    "It has been agreed with the district.",
    "Questions go to the front office.",
    "The old list is no longer valid.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A document: its title, what its file is called, and what it says."""

    title: str
    name: str
    text: str


def paper(dice: Dice, office: Office, at: datetime) -> Paper:
    """Return a document as somebody of the office would have written it at a time."""
    title = dice.pick(_SUBJECTS)
    ending = dice.pick(tuple(_FORMS))
    name = f"{title.lower().replace(' ', '-')}-{at:%Y-%m-%d}.{ending}"
    return Paper(title=title, name=name, text=_FORMS[ending](dice, office, at, title))


def _note(dice: Dice, office: Office, at: datetime, title: str) -> str:
    lines = [dice.pick(SENTENCES) for _ in range(dice.between(2, 6))]
    head = f"{title}, {at:%d.%m.%Y}\n\n"
    return head + "\n".join(lines) + f"\n\n{dice.pick(office.people).name}\n"


def _table(dice: Dice, office: Office, _at: datetime, _title: str) -> str:
    rows = [
        f"{person.name};{person.login}@{office.domain};{dice.between(1, 499)};{dice.between(1, 30)}"
        for person in office.people
    ]
    return "name;mail;room;days\n" + "\n".join(rows) + "\n"


_FORMS: Mapping[str, Callable[[Dice, Office, datetime, str], str]] = MappingProxyType(
    {"txt": _note, "md": _note, "csv": _table}
)
