"""What holds for each generator."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import ValidationError

from core.scenario.generated import generated
from core.scenario.generators.description import described
from core.scenario.generators.parameters import LogParameters
from core.scenario.generators.registry import GENERATORS, GeneratorName, check_parameters
from core.scenario.generators.scene import MAX_BYTES, GenerationFailedError, Made
from tests.unit.core.scenario.generators.making import AT, NEEDED, START, a_renderer, make
from tests.unit.core.scenario.texts import WITH_HOSTS

Lint = Callable[[str], list[str]]
GOLDEN = Path(__file__).parent / "golden_generators.json"

every = pytest.mark.parametrize("name", sorted(GENERATORS))


def digest(made: tuple[Made, ...]) -> str:
    whole = hashlib.sha256()
    for file in made:
        whole.update(f"{file.path}\0{file.mtime.isoformat()}\0{len(file.content)}\0".encode())
        whole.update(file.content)
    return whole.hexdigest()


def test_the_names_are_those_that_a_file_may_have() -> None:
    assert set(get_args(GeneratorName)) == set(GENERATORS) == set(NEEDED)


def test_what_is_made_is_what_the_golden_file_says() -> None:
    # A change makes a host that is reset during an exercise differ from what the team has seen.
    assert {name: digest(make(name)) for name in GENERATORS} == json.loads(GOLDEN.read_text())


@every
def test_team_host_path_and_key_decide_what_is_made(name: str) -> None:
    made = digest(make(name))
    assert made == digest(make(name))
    others = [
        make(name, team="team-2"),
        make(name, key=b"another"),
        make(name, host="mail"),
        make(name, path="/evidence/2"),
    ]
    assert len({made, *map(digest, others)}) == 5


@every
def test_nothing_is_dated_after_the_start_of_the_story(name: str) -> None:
    for start in (START, AT + timedelta(seconds=5), AT):
        assert all(file.mtime <= start for file in make(name, start=start))


@every
def test_what_is_asked_for_the_future_is_there(name: str) -> None:
    made = make(name, start=AT - timedelta(hours=2))
    assert max(file.mtime for file in made) >= AT


logs = pytest.mark.parametrize(
    "name", [n for n, g in sorted(GENERATORS.items()) if issubclass(g.parameters, LogParameters)]
)


@logs
def test_what_a_seized_machine_wrote_ends_when_it_was_taken_away(name: str) -> None:
    # The story's start is more than a day later.
    for seized in (AT + timedelta(minutes=5), AT):
        (made,) = make(name, until=seized.isoformat())
        assert AT <= made.mtime <= seized
        assert len(made.content) < len(make(name)[0].content)


@logs
def test_it_cannot_have_been_taken_away_before_its_story(name: str) -> None:
    with pytest.raises(GenerationFailedError, match="ends before its story") as caught:
        make(name, until=(AT - timedelta(seconds=1)).isoformat())
    assert caught.value.place == ("until",)


@every
def test_a_file_stays_small(name: str) -> None:
    assert 100 < sum(len(file.content) for file in make(name)) <= MAX_BYTES


@every
@pytest.mark.parametrize("at", ["1970-01-01T00:00:00Z", "2101-01-01T00:00:00Z"])
def test_a_moment_of_another_age_is_refused_where_it_stands(name: str, at: str) -> None:
    with pytest.raises(GenerationFailedError, match="evidence is of the years") as caught:
        make(name, at=at)
    assert caught.value.place == ("at",)


@every
def test_what_would_never_end_is_refused_or_ends(name: str) -> None:
    keys = {one.name for one in described(GENERATORS[name].parameters)}
    ages = dict.fromkeys(keys & {"period", "pause", "for"}, "999999d")
    assert make(name, **ages)  # type: ignore[arg-type]  # names of parameters and of make
    with pytest.raises(GenerationFailedError, match="days are more than the most") as caught:
        make(name, since="999999d")
    assert caught.value.place == ("since",)
    if name not in {"beacon-capture", "disk-image", "file-tree"}:  # those end where `at` is
        with pytest.raises(GenerationFailedError, match="this spans"):
            make(name, at=(AT - timedelta(days=70)).isoformat())


@every
def test_the_example_loads_but_for_what_it_names(name: str, lint_text: Lint) -> None:
    example = GENERATORS[name].example
    text = WITH_HOSTS.replace(
        '{to: /root/flag, text: "{{ values.flag }} {{ values.port }}"}', example
    )
    problems = [p for p in lint_text(text) if "values has no" not in p and "hosts has no" not in p]
    assert [p for p in problems if ": error:" in p] == []
    assert yaml.safe_load(example)["generate"] == name


@every
def test_every_parameter_is_told(name: str) -> None:
    for one in described(GENERATORS[name].parameters):
        assert one.name
        assert one.type
        assert one.text


@every
def test_an_unknown_parameter_is_told_with_the_nearest(name: str, lint_text: Lint) -> None:
    first = described(GENERATORS[name].parameters)[0].name
    text = WITH_HOSTS.replace(
        '{to: /root/flag, text: "{{ values.flag }} {{ values.port }}"}',
        f"{{to: /root/flag, generate: {name}, with: {{{first}x: 1}}}}",
    )
    assert any(f"unknown key '{first}x' (did you mean {first}?)" in p for p in lint_text(text))


ODD: tuple[object, ...] = (
    5,
    -(10**30),
    True,
    None,
    "",
    "\0\r\n",
    "0001-01-01T00:00:00+10:00",
    "{{ 5 }}",
    (),
    ("x", 5),
    ({"name": 5, "path": 5}, "x"),
    {},
)


@every
def test_whatever_a_parameter_is_it_is_read_or_refused(name: str) -> None:
    renderer = a_renderer()
    for one in described(GENERATORS[name].parameters):
        for value in ODD:
            given = NEEDED[name] | {"noise": "none", one.name: value}
            with suppress(ValidationError, GenerationFailedError):
                check_parameters(name, given)
                assert generated(name, given, renderer=renderer, host="files", path="/e")
