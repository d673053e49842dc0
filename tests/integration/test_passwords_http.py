"""Passwords of hosts: whom they are shown to, over the interface and on the page."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.api_site import ApiSite, api_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ApiSite]:
    with api_site(tmp_path) as site:
        yield site


def test_a_role_is_shown_the_passwords_that_list_it_and_nobody_else(site: ApiSite) -> None:
    exercise = site.launch()
    trainee = exercise.teams[0].members[0].name
    here = f"/api/v1/exercises/{exercise.name}/access"
    assert site.web.get(here, headers=site.bearer(trainee)).json()["passwords"] == [
        {"host": "desk", "title": "desk", "account": "mia", "password": "Seven-7"}
    ]
    assert site.web.get(here, headers=site.bearer("ina")).json()["passwords"] == []
    page = site.page(trainee, f"/exercises/{exercise.name}").text
    assert "<code>mia</code> <code>Seven-7</code>" in page
