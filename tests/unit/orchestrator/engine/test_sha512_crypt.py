"""The hash against the test vectors of its specification."""

import pytest

from orchestrator.engine.sha512_crypt import sha512_crypt, shadow_hash

# Drepper, "Unix crypt using SHA-256 and SHA-512", version 0.6: the vectors of its own program.
VECTORS = [
    (
        "Hello world!",
        "saltstring",
        None,
        (
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCo"
            "EOfaS35inz1"
        ),
    ),
    (
        "Hello world!",
        "saltstringsaltstring",
        10000,
        (
            "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOu"
            "ZeHBy/YTBmSK6H9qs/y3RnOaw5v."
        ),
    ),
    (
        "This is just a test",
        "toolongsaltstring",
        5000,
        (
            "$6$rounds=5000$toolongsaltstrin$lQ8jolhgVRVhY4b5pZKaysCLi0QBxGoNeKQzQ3glMhwllF7oGDZxUhx1yxd"
            "Ycz/e1JSbq3y6JMxxl8audkUEm0"
        ),
    ),
    (
        "a very much longer text to encrypt.  This one even stretches over morethan one line.",
        "anotherlongsaltstring",
        1400,
        (
            "$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t"
            "0oSwbtEW7o7UmJEiDwGqd8p4ur1"
        ),
    ),
    (
        "we have a short salt string but not a short password",
        "short",
        77777,
        (
            "$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtl"
            "cGZelFl5CxtgfiAc0"
        ),
    ),
    (
        "the minimum number is still observed",
        "roundstoolow",
        10,
        (
            "$6$rounds=1000$roundstoolow$kUMsbe306n21p9R.FRkW3IGn.S9NPN0x50YhH1xhLsPuWGsUSklZt58jaTfF4ZE"
            "QpyUNGc0dqbpBYYBaHHrsX."
        ),
    ),
]


@pytest.mark.parametrize(("password", "salt", "rounds", "expected"), VECTORS)
def test_it_gives_what_the_specification_gives(
    password: str, salt: str, rounds: int | None, expected: str
) -> None:
    assert sha512_crypt(password, salt, rounds) == expected


def test_a_shadow_hash_has_sixteen_characters_of_salt_and_fits_its_password() -> None:
    _, scheme, salt, _ = shadow_hash("night").split("$")
    assert (scheme, len(salt)) == ("6", 16)
    assert shadow_hash("night") == sha512_crypt("night", salt)
    assert shadow_hash("night") != shadow_hash("day")
