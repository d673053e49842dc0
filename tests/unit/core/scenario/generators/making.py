"""A team's world in which generators are tried."""

from datetime import UTC, datetime, timedelta

from core.scenario.folder import FileRefusedError
from core.scenario.generated import generated, team_seed
from core.scenario.generators.scene import Made
from core.scenario.render import Renderer, TeamFacts
from core.scenario.values import Value

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
AT = START - timedelta(hours=31, minutes=7, seconds=34)
VALUES: dict[str, Value] = {
    "user": "lberisha",
    "at": AT,
    "attempts": 24,
    "port": 24_601,
    "note": "HB{k3eper}",
}
NEEDED: dict[str, dict[str, object]] = {
    "ssh-bruteforce": {"user": "{{ values.user }}", "at": "{{ values.at }}"},
    "web-access": {"at": "{{ values.at }}"},
    "beacon-capture": {
        "server": "198.51.100.200",
        "port": "{{ values.port }}",
        "at": "{{ values.at }}",
    },
    "mailbox": {"at": "{{ values.at }}"},
    "dns-queries": {"name": "cdn-sync.example", "at": "{{ values.at }}"},
    "shell-history": {"at": "{{ values.at }}"},
    "file-tree": {"at": "{{ values.at }}"},
    "disk-image": {
        "at": "{{ values.at }}",
        "deleted": ({"name": "transfer list.csv", "text": "{{ values.note }}\n"},),
    },
}
"""The least that each generator must be given."""


class NoFiles:
    def read(self, relative: str) -> bytes:
        raise FileRefusedError(f"{relative} is not a file of the scenario's folder")


def a_renderer(*, team: str = "team-1", key: bytes = b"a key", start: datetime = START) -> Renderer:
    facts = TeamFacts(
        slug=team,
        name="Team",
        number=1,
        teams=(team,),
        values=VALUES,
        addresses={},
        subnets={},
        start=start,
        seed=team_seed(key, team),
    )
    return Renderer(NoFiles(), facts)


def make(
    generator: str,
    *,
    team: str = "team-1",
    key: bytes = b"a key",
    start: datetime = START,
    host: str = "files",
    path: str = "/evidence",
    **given: object,
) -> tuple[Made, ...]:
    """Return what a generator makes with what it needs and what is given besides."""
    renderer = a_renderer(team=team, key=key, start=start)
    parameters = NEEDED[generator] | {key.rstrip("_"): value for key, value in given.items()}
    return generated(generator, parameters, renderer=renderer, host=host, path=path)


def make_one(generator: str, **given: object) -> Made:
    """Return the one file that a generator makes."""
    (made,) = make(generator, **given)  # type: ignore[arg-type]  # names of parameters and of make
    return made
