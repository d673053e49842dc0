"""The formats that can be brought in, told apart by what a file holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from core.scenario.importing import compose, containerlab, ctfcli
from core.scenario.importing.draft import Draft

Data = Mapping[str | int, object]


class BringIn(Protocol):
    """Makes a draft of a file's data; what cannot be carried over is refused in the draft."""

    def __call__(self, draft: Draft, data: Data, *, name: str, shown: str) -> None:
        """Fill the draft; `name` becomes its id, `shown` its title where the file has none."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """A format: what people call it, how it is recognised, how it is brought in."""

    title: str
    recognises: Callable[[Data], bool]
    bring_in: BringIn


FORMATS = (
    Format("docker-compose file", compose.recognises, compose.bring_in),
    Format("containerlab topology", containerlab.recognises, containerlab.bring_in),
    Format("CTF challenge", ctfcli.recognises, ctfcli.bring_in),
)


def format_of(data: Data) -> Format | None:
    """Return the format of a file's data; None when it is none of them."""
    return next((form for form in FORMATS if form.recognises(data)), None)
