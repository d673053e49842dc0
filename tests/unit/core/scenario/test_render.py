from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network

import pytest

from core.scenario.folder import FileRefusedError
from core.scenario.render import Renderer, TeamFacts
from core.scenario.template import TemplateFailedError

LAN = IPv4Network("10.9.8.0/28")
FACTS = TeamFacts(
    slug="team-2",
    name="The Falcons",
    number=2,
    teams=("team-1", "team-2"),
    values={"word": "Abc", "port": 4242, "at": datetime(2026, 11, 22, 1, 40, 26, tzinfo=UTC)},
    addresses={
        "box": {"lan": LAN[2]},
        "gate-way": {"lan": LAN[3], "dmz": IPv4Address("10.9.9.2")},
    },
    subnets={"lan": LAN},
    start=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
)


class Files:
    """A scenario's files, from memory."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def read(self, relative: str) -> bytes:
        if relative not in self._files:
            raise FileRefusedError(f"{relative} is not a file of the scenario's folder")
        return self._files[relative]


def a_renderer(**files: bytes) -> Renderer:
    return Renderer(Files(files), FACTS)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain {% text %}", "plain {% text %}"),
        ("{{ values.word }}/{{ values.port }}", "Abc/4242"),
        ("{{ values.at }}", "2026-11-22T01:40:26Z"),
        (
            "{{ team }} is {{ team.name }}, number {{ team.number }}",
            "team-2 is The Falcons, number 2",
        ),
        ("{{ teams | join(' ') }}", "team-1 team-2"),
        ("{{ hosts.box.ip }}", "10.9.8.2"),
        ("{{ hosts['gate-way'].ips.dmz }}", "10.9.9.2"),
        ("{{ networks.lan.subnet }}", "10.9.8.0/28"),
        ("{{ networks.lan.subnet | cidr_host(5) }}", "10.9.8.5"),
        ("{{ exercise.start }} {{ exercise.day }}", "2026-11-23T09:30:00Z 2026-11-23T00:00:00Z"),
        ("{{ values.at | time('%b %e %H:%M:%S') }}", "Nov 22 01:40:26"),
        ("{{ values.at | time('%H:%M', 'Europe/Skopje') }}", "02:40"),
        ("{{ values.at | time('%H:%M', zone='Europe/Skopje') }}", "02:40"),
        ("{{ values.at | time('%s') }}", "1795311626"),
        ("{{ values.at | time('%%s') }}", "%s"),
        ("{{ values.at | shift('-1h30m') }}", "2026-11-22T00:10:26Z"),
        ("{{ values.at | shift('20s') }}", "2026-11-22T01:40:46Z"),
        (
            "{{ 'abc' | sha256 }}",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        ("{{ 'abc' | b64 }}", "YWJj"),
        ("{{ file('data') | b64 }}", "AAE="),
        ("{{ values.word | lower }}{{ values.word[:1] }}", "abcA"),
        ("{{ 'yes' if values.port > 5 else 'no' }}", "yes"),
        ("{{ 1 + 2 * 3 }} {{ 7 // 2 }} {{ 7 % 4 }}", "7 3 3"),
    ],
)
def test_a_string_is_filled_in(template: str, text: str) -> None:
    assert a_renderer(data=b"\x00\x01").text(template) == text


def test_a_template_file_has_statements() -> None:
    source = (
        b"{# never seen #}\n{% for t in teams %}\n{{ loop.index }} {{ t }}\n{% endfor %}\nend\n"
    )
    assert a_renderer(notes=source).file("notes") == b"1 team-1\n2 team-2\nend\n"


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{{ values.gone }}", "values has no 'gone'"),
        ("{{ gone }}", "'gone' is undefined"),
        ("{{ hosts['gate-way'].ip }}", "gate-way is on 2 networks; write hosts.gate-way.ips"),
        ("{{ hosts }}", "hosts cannot be printed"),
        ("{{ file('gone') }}", "gone is not a file"),
        ("{{ file('data') }}", "UnicodeDecodeError"),
    ],
)
def test_what_cannot_be_filled_in_says_why(template: str, sentence: str) -> None:
    with pytest.raises(TemplateFailedError) as caught:
        a_renderer(data=b"\xff").text(template)
    assert sentence in str(caught.value)


def test_an_error_in_a_file_names_the_file_and_the_line() -> None:
    with pytest.raises(TemplateFailedError) as caught:
        a_renderer(notes=b"a\nb\n{{ values.gone }}\n").file("notes")
    assert (caught.value.where, caught.value.line) == ("notes", 3)


def test_fields_are_read_as_their_type() -> None:
    renderer = a_renderer()
    assert renderer.port("{{ values.port }}") == renderer.port(4242) == 4242
    assert renderer.integer("{{ values.port + 1 }}") == 4243
    assert renderer.number("2.5") == 2.5
    assert renderer.instant("{{ values.at }}") == FACTS.values["at"]
    assert renderer.instant("2026-11-22T02:40:26+01:00") == FACTS.values["at"]


@pytest.mark.parametrize(
    ("method", "field"),
    [
        ("port", "{{ values.port * 100 }}"),
        ("port", "{{ values.word }}"),
        ("integer", "2.5"),
        ("number", "many"),
        ("instant", "yesterday"),
        ("instant", "2026-11-22T02:40:26"),
    ],
)
def test_fields_of_another_type_are_refused(method: str, field: str) -> None:
    with pytest.raises(TemplateFailedError):
        getattr(a_renderer(), method)(field)
