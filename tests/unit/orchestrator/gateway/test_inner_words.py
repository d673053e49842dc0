"""What may be said at the inner door, and what may not."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from orchestrator.gateway.inner_words import REQUEST, Enter, Join, List, Resize, Size

SIZE = {"columns": 80, "rows": 24}
ENTER = {"ask": "enter", "login": "ana", "host": "", "size": SIZE}


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (ENTER, Enter(login="ana", size=Size(columns=80, rows=24))),
        (
            ENTER | {"host": "team-1.desk"},
            Enter(login="ana", host="team-1.desk", size=Size(**SIZE)),
        ),
        ({"ask": "sessions"}, List()),
        ({"ask": "join", "session": "s1", "name": "Ina"}, Join(session="s1", name="Ina")),
    ],
)
def test_a_request_is_read_as_what_it_asks_for(sent: dict[str, Any], meant: object) -> None:
    assert REQUEST.validate_json(json.dumps(sent)) == meant


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"ask": "exec", "command": "id"},
        ENTER | {"command": "id"},
        ENTER | {"login": "ana.desk"},
        ENTER | {"login": "ana\n"},
        ENTER | {"login": "-oProxyCommand"},
        ENTER | {"host": "../desk"},
        ENTER | {"host": "desk\x1b[2J"},
        ENTER | {"size": {"columns": 0, "rows": 24}},
        ENTER | {"size": {"columns": 80, "rows": 100_000}},
        {"ask": "end", "session": "s1", "by": "Ina"},
        {"ask": "end", "session": "s1", "by": "Ina", "sentence": "x" * 501},
        {"ask": "watch", "session": "../s1"},
        {"ask": "join", "session": "s1", "name": ""},
    ],
)
def test_what_is_not_in_the_language_is_refused(sent: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        REQUEST.validate_json(json.dumps(sent))


def test_from_a_terminal_there_is_nothing_but_its_size() -> None:
    assert Resize.model_validate_json(json.dumps({"tell": "resize", "size": SIZE})).size == Size(
        columns=80, rows=24
    )
    with pytest.raises(ValidationError):
        Resize.model_validate_json(json.dumps({"tell": "ended", "code": 0}))
