"""The function matrix: what three SSH clients are shown to do through the gateway.

Each feature is one function that is run with each client; where a client has no such feature, the
matrix says why. `python -m tests.matrix` prints the table of the docs.
"""

from tests.matrix import commands, files, forwards
from tests.matrix.rows import CLIENTS, FEATURES, Feature, Scene

__all__ = ["CLIENTS", "FEATURES", "Feature", "Scene", "commands", "files", "forwards", "table"]


def table() -> str:
    """Return the matrix in Markdown."""
    names = [client.name for client in CLIENTS]
    lines = [f"| | {' | '.join(names)} |", "|--" * (len(names) + 1) + "|"]
    for row in FEATURES:
        cells = [f"– ({row.lacking[name]})" if name in row.lacking else "yes" for name in names]
        lines.append(f"| {row.title} | {' | '.join(cells)} |")
    return "\n".join(lines)
