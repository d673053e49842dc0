"""Rosters: who plays whom in which team, as a spreadsheet writes it."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import Fault, PoligonError
from orchestrator.service import TeamSpec

_COLUMNS = ("team", "name", "role")
_LEAST = 2


class RosterUnreadableError(PoligonError):
    """The file of a roster cannot be read."""

    code = "roster.unreadable"
    fault = Fault.INPUT


class RosterInvalidError(PoligonError):
    """A line of a roster cannot be read."""

    code = "roster.invalid"
    fault = Fault.INPUT


def numbered_teams(count: int) -> tuple[TeamSpec, ...]:
    """Return teams of one made account each: `Team 1` and so on."""
    return tuple(TeamSpec(name=f"Team {number}") for number in range(1, count + 1))


def with_reference(teams: Sequence[TeamSpec], name: str) -> tuple[TeamSpec, ...]:
    """Return the teams, with the one of that name as the reference team: one more if none has it.

    Without a name they are as they were.
    """
    if not name.strip():
        return tuple(teams)
    if all(team.name != name for team in teams):
        return (*teams, TeamSpec(name=name, reference=True))
    return tuple(replace(team, reference=team.name == name) for team in teams)


def teams_of_file(path: Path) -> tuple[TeamSpec, ...]:
    """Return the teams of a roster's file; raises RosterUnreadableError, RosterInvalidError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RosterUnreadableError(
            f"{path} cannot be read as text", hint="Save the roster as CSV in UTF-8"
        ) from error
    return read_roster(text)


def read_roster(text: str) -> tuple[TeamSpec, ...]:
    """Return the teams of a roster, in the order of their first lines; raises RosterInvalidError.

    A line is `team,name` or `team,name,role`, with `,`, `;` or a tab between. A heading of these
    words, empty lines and those that begin with `#` say nothing.
    """
    members: dict[str, dict[str, str]] = {}
    for number, team, name, role in _lines(text):
        if any(name in others for others in members.values()):
            raise _invalid(number, f"{name} stands in the roster already")
        members.setdefault(team, {})[name] = role
    if not members:
        raise RosterInvalidError("the roster names nobody", hint="Write a line: team,name,role")
    return tuple(
        TeamSpec(
            name=team,
            members=tuple(own),
            roles={name: role for name, role in own.items() if role},
        )
        for team, own in members.items()
    )


def _lines(text: str) -> Iterator[tuple[int, str, str, str]]:
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=_sign_between(text))
    for row in rows:
        cells = [cell.strip() for cell in row]
        said = any(cells) and not cells[0].startswith("#")
        if not said or tuple(c.lower() for c in cells) == _COLUMNS[: len(cells)]:
            continue
        if not _LEAST <= len(cells) <= len(_COLUMNS) or not all(cells[:_LEAST]):
            raise _invalid(rows.line_num, "a line is team,name or team,name,role")
        team, name, role = (*cells, "")[: len(_COLUMNS)]
        yield rows.line_num, team, name, role


def _sign_between(text: str) -> str:
    """Return what separates the cells: spreadsheets write what their country is used to."""
    return next((sign for sign in ("\t", ";") if sign in text), ",")


def _invalid(number: int, what: str) -> RosterInvalidError:
    return RosterInvalidError(f"line {number} of the roster: {what}", hint="Correct it and retry")
