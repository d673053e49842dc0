"""The function matrix in the docs is the one that is tested."""

from pathlib import Path

from tests.matrix import CLIENTS, FEATURES, table

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "ssh-clients.md"


def test_the_docs_show_the_matrix_that_is_tested() -> None:
    shown = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    assert shown == table().splitlines(), (
        "run python -m tests.matrix and put its table into the page"
    )


def test_every_feature_has_a_client_and_every_reason_is_of_one() -> None:
    names = {client.name for client in CLIENTS}
    assert len(FEATURES) >= 20
    for row in FEATURES:
        assert set(row.lacking) < names
        assert all(row.lacking.values())
