"""How much is left on the disk of the engine's data, as any container on it sees it."""

TELL_FREE = "echo free $(($(df -Pk / | awk 'NR==2 {print $4}') * 1024))\n"
"""Shell that prints `free` and the bytes that are left; overlay passes on what is below it."""


def free_of(output: str) -> int:
    """Return the bytes that TELL_FREE printed somewhere in an output."""
    return next(
        int(line.removeprefix("free ")) for line in output.splitlines() if line.startswith("free ")
    )
