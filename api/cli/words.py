"""Words of the command line: what stands behind one is loaded when it is said."""

import importlib
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class Later(TyperCommand):
    """A command of which no more is known than its line in the help, until it is said.

    Its function, or its group, is at `place`: `module:name` in `api.cli`.
    """

    def __init__(self, name: str, place: str, line: str = "") -> None:
        super().__init__(name=name, help=line)
        self._place = place

    def loaded(self) -> TyperCommand | TyperGroup:
        """Return the command itself."""
        module, _, name = self._place.partition(":")
        found = getattr(importlib.import_module(f"api.cli.{module}"), name)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False)
            alone.command(self.name)(found)
            found = alone
        command = typer.main.get_command(found)
        assert isinstance(command, TyperCommand | TyperGroup)
        command.name = self.name
        return command

    def make_context(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401  # as typer's own
        """Begin the command itself."""
        return self.loaded().make_context(*args, **more)


class Words(TyperGroup):
    """Commands that begin with the same word; `places` says where each is, by its own word."""

    def __init__(self, name: str, line: str, places: Mapping[str, str]) -> None:
        super().__init__(
            name=name,
            help=line,
            no_args_is_help=True,
            commands={word: Later(word, place) for word, place in places.items()},
        )

    def get_command(
        self,
        ctx: object,  # noqa: ARG002  # typer's signature
        cmd_name: str,
    ) -> TyperCommand | TyperGroup | None:
        """Return the command of a word, loaded: its help needs all of it."""
        found = self.commands.get(cmd_name)
        return found.loaded() if isinstance(found, Later) else None
