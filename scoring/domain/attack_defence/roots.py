"""Roots of whole numbers, to the last digit: floating point differs from machine to machine."""


def root(number: int, degree: int) -> int:
    """Return the greatest whole number whose power of `degree` is not above `number` (>= 0)."""
    if number == 0:
        return 0
    guess = 1 << -(-number.bit_length() // degree)  # not below the root, so Newton comes from above
    while True:
        better = ((degree - 1) * guess + number // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better
