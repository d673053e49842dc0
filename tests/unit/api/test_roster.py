"""Rosters, as people write them."""

import pytest

from api.roster import RosterInvalidError, numbered_teams, read_roster, with_reference
from orchestrator.service import TeamSpec

EXPECTED = (
    TeamSpec(name="North", members=("ana", "ben"), roles={"ben": "lead"}),
    TeamSpec(name="South", members=("cem",)),
)


@pytest.mark.parametrize(
    "text",
    [
        "North,ana\nNorth,ben,lead\nSouth,cem\n",
        "team,name,role\nNorth,ana,\nNorth,ben,lead\nSouth,cem,\n",
        "\ufeffteam;name;role\r\nNorth;ana;\r\nNorth;ben;lead\r\nSouth;cem;\r\n",
        "North\tana\nNorth\tben\tlead\nSouth\tcem\n",
        "# who plays\n\n North , ana\nNorth,ben , lead\n\nSouth,cem",
        "North,ana\nSouth,cem\nNorth,ben,lead\n",
    ],
    ids=["plain", "heading", "semicolons", "tabs", "blanks", "teams-mixed"],
)
def test_a_roster_says_who_plays_whom_in_which_team(text: str) -> None:
    assert read_roster(text) == EXPECTED


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("North,ana\nben\n", "line 2 of the roster: a line is"),
        ("North,ana,lead,more\n", "line 1 of the roster: a line is"),
        ("North,,lead\n", "line 1 of the roster: a line is"),
        ("North,ana\nSouth,ana\n", "line 2 of the roster: ana stands in the roster already"),
        ("team,name,role\n", "names nobody"),
        ("", "names nobody"),
    ],
)
def test_what_is_wrong_with_a_roster_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(RosterInvalidError, match=told):
        read_roster(text)


def test_a_reference_team_is_one_of_the_others_or_one_more() -> None:
    teams = numbered_teams(2)
    assert with_reference(teams, " ") == teams
    assert [(t.name, t.reference) for t in with_reference(teams, "Team 2")] == [
        ("Team 1", False),
        ("Team 2", True),
    ]
    assert with_reference(teams, "Nobody")[2:] == (TeamSpec(name="Nobody", reference=True),)
