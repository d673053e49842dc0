"""How much is left on the disk of the engine's data, as any container on it sees it."""

from orchestrator.domain.engine_facts import Space

_KIB = 1024

TELL_SPACE = "df -Pk / | awk 'NR==2 {print \"space\", $4, $2}'\n"
"""Shell that prints `space`, the KiB that are left and all; overlay passes on what is below."""


def space_of(output: str) -> Space:
    """Return what TELL_SPACE printed somewhere in an output."""
    told = next(line.split() for line in output.splitlines() if line.startswith("space "))
    return Space(free=int(told[1]) * _KIB, total=int(told[2]) * _KIB)
