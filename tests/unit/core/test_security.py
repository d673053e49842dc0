"""Passwords, tokens and derived secrets."""

from runpy import run_path

from argon2 import extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from core import security
from core.security import (
    derive,
    hash_password,
    new_password,
    new_token,
    token_digest,
    verify_password,
)


def test_passwords_are_hashed_as_owasp_asks_for_at_least() -> None:
    module = run_path(security.__file__)  # the product's own: tests hash in haste
    hashed = module["hash_password"]("wiPe-the-disk")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert extract_parameters(hashed) == extract_parameters(module["_NOBODY"])


def test_a_password_fits_its_own_hash_only() -> None:
    hashed = hash_password("wiPe-the-disk")
    assert verify_password("wiPe-the-disk", hashed)
    assert not verify_password("wipe-the-disk", hashed)


def test_nobody_has_no_password_not_even_a_guess() -> None:
    assert not verify_password("", None)


def test_what_is_no_hash_fits_nothing() -> None:
    assert not verify_password("x", "plain text in the column")


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("same") != hash_password("same")


def test_passwords_and_tokens_are_new_each_time_and_hold_no_lookalikes() -> None:
    passwords = {new_password() for _ in range(50)}
    assert len(passwords) == 50
    assert not set("".join(passwords)) & set("il1o0")
    assert token_digest(new_token()) != token_digest(new_token())


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_other_parts_derive_another_secret(one: list[str], other: list[str]) -> None:
    assert (derive(b"key", *one) == derive(b"key", *other)) == (one == other)
