"""What every command shares: data on stdout, everything else on stderr, exit codes, errors."""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.problems import problem_of
from core.errors import Fault, PoligonError
from core.waiting import WaitedTooLongError


class Exit(IntEnum):
    """Exit codes; documented in docs/reference/cli.md."""

    OK = 0
    ERROR = 1
    USAGE = 2
    MISSING = 3
    REFUSED = 4
    CONFLICT = 5
    PARTIAL = 6
    TIMEOUT = 7
    BROKEN_SCENARIO = 8
    INTERRUPTED = 130


EXITS: Mapping[Fault, Exit] = MappingProxyType(
    {
        Fault.INPUT: Exit.USAGE,
        Fault.MISSING: Exit.MISSING,
        Fault.DENIED: Exit.REFUSED,
        Fault.CONFLICT: Exit.CONFLICT,
        Fault.UPSTREAM: Exit.ERROR,
        Fault.BUG: Exit.ERROR,
    }
)

Json = Annotated[bool, typer.Option("--json", help="Print data, and errors, as JSON.")]


# What terminals obey: control characters, but for the tab and the line's end, and those that turn
# a line's direction. Hosts, trainees and scenarios wrote much of what is shown here.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    r"""Return a text with all that a terminal would obey written out, as `\x1b`."""
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


def written(data: object) -> str:
    """Return JSON for people and programs, without a character that a terminal would obey."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def exit_of(error: PoligonError) -> Exit:
    """Return the exit code of an error."""
    return Exit.TIMEOUT if isinstance(error, WaitedTooLongError) else EXITS[error.fault]


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command's results go."""

    as_json: bool

    def data(self, data: object) -> None:
        """Print data as JSON, when that was asked for."""
        if self.as_json:
            print(written(data))  # noqa: T201  # this is the output

    def line(self, text: str = "") -> None:
        """Print a line for people; nothing when JSON was asked for."""
        if not self.as_json:
            print(harmless(text))  # noqa: T201  # this is the output

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, wide: int = -1
    ) -> None:
        """Print a table for people; the column `wide` takes what room is left, on several lines."""
        if self.as_json:
            return
        table = Table(title=Text(harmless(title)), title_justify="left", box=None, pad_edge=False)
        for number, column in enumerate(columns):
            last = number == wide % len(columns)
            table.add_column(column, overflow="fold" if last else "ellipsis", no_wrap=not last)
        for row in rows:
            table.add_row(*(Text(harmless(cell)) for cell in row))
        Console(soft_wrap=not sys.stdout.isatty()).print(table)

    def note(self, text: str) -> None:
        """Tell people what goes on, on stderr."""
        print(harmless(text), file=sys.stderr)  # noqa: T201  # this is the output

    def problem(self, error: PoligonError) -> None:
        """Print an error: in the interface's shape with --json, as sentences otherwise."""
        problem = problem_of(error)
        if self.as_json:
            data: dict[str, Any] = problem.model_dump(exclude_defaults=True)
            print(written(data))  # noqa: T201  # this is the output
            return
        for located in problem.errors:
            self.note(located.message)
        self.note(f"error: {problem.detail}")
        if problem.hint:
            self.note(f"  {problem.hint}")


@contextmanager
def reporting(*, as_json: bool = False) -> Iterator[Output]:
    """Run a command's body; an error in it is told, and becomes the exit code."""
    output = Output(as_json)
    try:
        yield output
    except PoligonError as error:
        output.problem(error)
        raise typer.Exit(exit_of(error)) from error
    except KeyboardInterrupt as interrupt:
        raise typer.Exit(Exit.INTERRUPTED) from interrupt
