"""Names and texts that would steer a terminal on which they are shown: none gets that far."""

from pathlib import Path

import pytest

from api.cli.output import Output
from core.scenario.load import ScenarioInvalidError, load
from core.users.model import Role, UserNameInvalidError
from orchestrator.service import TeamsInvalidError, TeamSpec
from tests.fakes.inject_site import HEAD, inject_site

STEERING = {
    "escape": "\x1b[2J",
    "one-byte escape": "\x9b2J",
    "title of the window": "\x1b]0;mine\x07",
    "return": "\rroot@desk:~# ",
    "backspace": "\b\b\b",
    "null": "\0",
    "direction": "\u202egnp.exe",
}
OF_A_TERMINAL = {name: text for name, text in STEERING.items() if name != "direction"}
STORY = "injects: {note: {manual: true, message: {from: A, text: B}}}\n"


@pytest.mark.parametrize("text", STEERING.values(), ids=STEERING)
def test_no_team_is_called_like_that(tmp_path: Path, text: str) -> None:
    with inject_site(tmp_path) as site:
        scenario = site.services.exercises.scenario(site.exercise)
        launch = site.services.exercises.launch
        launch(scenario, teams=[TeamSpec(name="Zürich · Сектор 7")], by=None)  # the control
        with pytest.raises(TeamsInvalidError):
            launch(scenario, teams=[TeamSpec(name=f"Red{text}")], by=None)


@pytest.mark.parametrize("text", STEERING.values(), ids=STEERING)
def test_no_user_is_called_like_that(tmp_path: Path, text: str) -> None:
    with inject_site(tmp_path) as site:
        site.services.users.add("ana-b", role=Role.TRAINEE)  # the control
        with pytest.raises(UserNameInvalidError):
            site.services.users.add(f"ana{text}", role=Role.TRAINEE)


@pytest.mark.parametrize("text", OF_A_TERMINAL.values(), ids=OF_A_TERMINAL)
def test_no_scenario_has_a_title_like_that(tmp_path: Path, text: str) -> None:
    r"""The title is in the greeting of every terminal; YAML can write any character as `\\xHH`."""
    (tmp_path / "harbour").mkdir()
    file = tmp_path / "harbour" / "scenario.yaml"
    text = "".join(f"\\x{ord(character):02x}" for character in text)
    for title in ('"The harbour\\t№ 2"', f'"The harbour{text}"'):
        file.write_text(HEAD.replace("The harbour", title).replace("injects:\n", "") + STORY)
        if text not in title:
            assert load(tmp_path / "harbour").scenario.scenario.title.startswith("The harbour")
        else:
            with pytest.raises(ScenarioInvalidError, match="a terminal would obey"):
                load(tmp_path / "harbour")


@pytest.mark.parametrize("as_json", [False, True], ids=["for people", "as JSON"])
@pytest.mark.parametrize("text", STEERING.values(), ids=STEERING)
def test_nothing_steers_the_terminal_of_whoever_looks(
    capsys: pytest.CaptureFixture[str], text: str, *, as_json: bool
) -> None:
    """What a host printed, or a trainee typed, comes to the operator's terminal by the command."""
    output = Output(as_json)
    output.data({"problem": f"Сектор\t7{text}"})
    output.line(f"Сектор\t7{text}")
    output.note(f"Сектор\t7{text}")
    output.table(f"Сектор\t7{text}", ("problem",), [(f"Сектор\t7{text}",)])
    output.problem(TeamsInvalidError(f"Сектор\t7{text}", hint=text))
    shown = "".join(capsys.readouterr())
    assert "Сектор" in shown, "the control"
    assert {sign for sign in shown if not sign.isprintable()} <= {"\n", "\t"}
