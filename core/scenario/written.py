"""How the types of the language are written, as JSON Schema: what pydantic cannot know of them."""

from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, GetJsonSchemaHandler, JsonValue, WithJsonSchema
from pydantic_core import CoreSchema

TEMPLATE = {"title": "template", "type": "string", "pattern": r"\{\{"}
"""A string that is rendered per team and then read as the field's type."""


def written(title: str, pattern: str, *examples: str) -> WithJsonSchema:
    """Return the schema of a type that is a string of one form."""
    form = {"title": title, "type": "string", "pattern": pattern}
    return WithJsonSchema(form | ({"examples": list(examples)} if examples else {}))


def one_of(title: str, *forms: dict[str, Any]) -> WithJsonSchema:
    """Return the schema of a type that is written in one of several forms."""
    return WithJsonSchema({"title": title, "anyOf": list(forms)})


@dataclass(frozen=True, slots=True)
class OrBare:
    """Says that a mapping may also be written as a bare string."""

    means: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema with the string before what it stands for."""
        bare = {"type": "string", "minLength": 1, "description": self.means}
        return {"anyOf": [bare, handler(schema)]}


def needs(*groups: tuple[str, ...], some: tuple[str, ...] = (), **also: str) -> ConfigDict:
    """Return the configuration of a part that needs exactly one key of each group.

    Where `some` are given, it needs at least one of these; `wait="after"` says that `wait` needs
    `after`. It is for readers of the schema; the part's own validator says it to authors.
    """
    rules: list[JsonValue] = [{"oneOf": [{"required": [key]} for key in keys]} for keys in groups]
    if some:
        rules.append({"anyOf": [{"required": [key]} for key in some]})
    if also:
        rules.append({"dependentRequired": {key: [other] for key, other in also.items()}})
    return ConfigDict(json_schema_extra={"allOf": rules})
