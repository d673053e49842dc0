"""Commands that are loaded when they are called: who lints needs no engine and no web server."""

import importlib
from collections import UserDict
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group


def later(parts: Mapping[str, str]) -> type[TyperGroup]:
    """Return a kind of group that has these commands, too: name → `module:attribute`.

    What is there is a command's function, or the Typer of a group.
    """

    class Later(TyperGroup):
        """Commands of its own, and those that are loaded when they are called."""

        def __init__(self, **given: Any) -> None:  # noqa: ANN401  # Typer's own
            super().__init__(**given)
            self.commands = _Commands({**self.commands, **parts})

    return Later


class _Commands(UserDict[str, Any]):
    """Commands by name; one that is still a place is loaded when it is looked up."""

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  # Typer has a Click of its own
        found = super().__getitem__(name)
        if isinstance(found, str):
            found = self[name] = _loaded(name, found)
        return found


def _loaded(name: str, place: str) -> Any:  # noqa: ANN401
    module, _, attribute = place.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if isinstance(found, typer.Typer):
        command: Any = get_group(found)
        command.name = name
        return command
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return get_command(alone)
