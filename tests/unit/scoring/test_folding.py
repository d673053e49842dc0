from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.scenario.schema_answers import Fold
from scoring.domain.folding import folded

EVERY_FOLD: frozenset[Fold] = frozenset(get_args(Fold))
USUAL: frozenset[Fold] = frozenset({"case", "space"})

_TRICKY = "љЉњЊџЏѕЅѓЃќЌђЂћЋѐЀѝЍйЙђǉǈǇǌǋǊǆǅǄǵǴḱḰđĐčžšłøİıßſ\u0301\u0307\u030c\u0323 .,-'“„\u00a0"


@pytest.mark.parametrize(
    ("cyrillic", "latin"),
    [
        ("Љубав и њива, џезва", "Ljubav i njiva, džezva"),
        ("ЉУБАВ", "LJUBAV"),
        ("Ђорђе Ћосић", "Đorđe Ćosić"),
        ("Жана Шћепановић", "Žana Šćepanović"),
        ("Инјекција", "Injekcija"),
        ("Ѓорѓи", "Gjorgji"),
        ("Ѓорѓи", "Ǵorǵi"),
        ("Ќе дојде", "Kje dojde"),
        ("Ќе дојде", "Ḱe dojde"),
        ("ѕвезда", "dzvezda"),
        ("Љубав", "ǈubav"),
        ("сѐ", "sè"),
    ],
)
def test_cyrillic_and_latin_are_one_where_the_author_says_so(cyrillic: str, latin: str) -> None:
    assert folded(cyrillic, USUAL | {"script"}) == folded(latin, USUAL | {"script"})
    assert folded(cyrillic, USUAL) != folded(latin, USUAL)


def test_capitals_stay_capitals_when_only_the_script_is_folded() -> None:
    assert folded("Љиљана Ђ", {"script"}) == "Ljiljana Đ"
    assert folded("Љиљана", {"script"}) != folded("ljiljana", {"script"})


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Đorđe Šćepanović", "dorde scepanovic"),
        ("Gjergj Kastrioti Skënderbeu, Çamëria", "gjergj kastrioti skenderbeu, cameria"),
        ("Zażółć gęślą jaźń", "zazolc gesla jazn"),
        ("naïve café", "naive cafe"),
    ],
)
def test_accents_and_strokes_are_taken_off(written: str, plain: str) -> None:
    assert folded(written, USUAL | {"accent"}) == plain
    assert folded(written, USUAL) != plain


def test_script_and_accent_together_bring_every_spelling_to_one() -> None:
    folds: frozenset[Fold] = USUAL | {"script", "accent"}
    spelt = {folded(name, folds) for name in ("Ћорђе Жић", "Ćorđe Žić", "Corde Zic", "CORĐE ŽIC")}
    assert spelt == {"corde zic"}


def test_punctuation_is_left_out() -> None:
    folds: frozenset[Fold] = USUAL | {"punctuation"}
    assert folded("„U.S.“ - svc-backup!", folds) == folded("us svcbackup", folds)
    assert folded("1 + 1", folds) == "1 + 1"


def test_quotes_apostrophes_and_dashes_of_word_processors_are_plain_where_allowed() -> None:
    folds: frozenset[Fold] = USUAL | {"quotes"}
    assert folded("«say» “hi” – it’s svc‐backup", folds) == '"say" "hi" - it\'s svc-backup'
    assert folded("“hi”", USUAL) != folded('"hi"', USUAL)


def test_letters_of_other_widths_and_ligatures_are_plain_where_allowed() -> None:
    folds: frozenset[Fold] = USUAL | {"compatibility"}
    assert folded("ﬁle ＡＤＭＩＮ①", folds) == "file admin1"
    assert folded("ＡＤＭＩＮ", USUAL) != "admin"
    assert folded("раураl", folds) != folded("paypal", folds)  # a look-alike stays another letter


def test_what_is_marks_only_is_not_folded_away() -> None:
    assert folded("...", EVERY_FOLD) == "..."
    assert folded("...", EVERY_FOLD) != folded("!", EVERY_FOLD)


@given(st.text() | st.text(_TRICKY), st.sets(st.sampled_from(sorted(EVERY_FOLD))).map(frozenset))
def test_folding_twice_is_folding_once(text: str, folds: frozenset[Fold]) -> None:
    once = folded(text, folds)
    assert folded(once, folds) == once
