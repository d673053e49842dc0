import pytest

from core.text import is_storable


@pytest.mark.parametrize(
    "text", ["", "a", "žaba 日本", "\n\t\x01\x7f", "\ud7ff\ue000", "\U0001f600"]
)
def test_text_of_any_kind_is_storable(text: str) -> None:
    assert is_storable(text)


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "a\udc00z", "b\udfffc"])
def test_zeros_and_halves_of_surrogate_pairs_are_not(text: str) -> None:
    assert not is_storable(text)
