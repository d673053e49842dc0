"""Points as people read them; the program counts thousandths."""


def points(milli_points: int) -> float:
    """Return whole points, with up to three decimals."""
    return milli_points / 1000


def spelled(milli_points: int) -> str:
    """Return points as text, without a fraction that is not there: `20`, `12.5`."""
    return f"{milli_points / 1000:.3f}".rstrip("0").rstrip(".")
