"""Parts that one telling key makes out: answers and tasks."""

from typing import ClassVar

from pydantic import BeforeValidator, Discriminator

from core.scenario.fields import Part


class Kinded(Part):
    """A part that its one telling key makes out: `kind` is that key."""

    kind: ClassVar[str]


def by_key(*kinds: str) -> Discriminator:
    """Return what tells the members of a union apart, each tagged with its key as `<key>`."""

    # The angle brackets keep a tag apart from a key in the path of an error.
    def kind(data: object) -> str | None:
        if isinstance(data, dict):
            return next((f"<{k}>" for k in kinds if k in data), None)
        return f"<{data.kind}>" if isinstance(data, Kinded) else None

    return Discriminator(kind)


def exactly_one(what: str, *kinds: str) -> BeforeValidator:
    """Return a validator of mappings that says which of the telling keys are wanted."""

    def check(data: object) -> object:
        present = [k for k in kinds if k in data] if isinstance(data, dict) else kinds[:1]
        if len(present) != 1:
            found = f"; this one has {' and '.join(present)}" if present else ""
            raise ValueError(f"{what} needs exactly one of {', '.join(kinds)}{found}")
        return data

    return BeforeValidator(check)
