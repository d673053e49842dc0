"""The language as a JSON Schema (draft 2020-12), for editors and for other programs.

It comes from the same types that read a scenario. What needs more than one place to be seen, such
as a name that refers to nothing, is `lint`'s to say.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from core.scenario.fields import Part
from core.scenario.schema import Scenario

_UNITS = (("h", 3600), ("m", 60), ("s", 1))
_NOTHING: tuple[Any, ...] = (None, [], {})  # the same as a key that is left out


def json_schema() -> Mapping[str, Any]:
    """Return the schema of `scenario.yaml`."""
    schema = Scenario.model_json_schema(schema_generator=_Generator)
    return {
        "$schema": _Generator.schema_dialect,
        "title": "A scenario of Cyberpoligon, language 1",
        **schema,
    }


def json_schema_text() -> str:
    """Return the schema as it is published: the same bytes for the same language."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


class _Generator(GenerateJsonSchema):
    """Says what an author writes: keys instead of field names, forms instead of Python's types."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        made.pop("title", None)
        if issubclass(schema["cls"], Part):
            made["patternProperties"] = {"^x-": True}
        return made

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        # The form of the keys is a pattern of properties; no other key is left.
        made = super().dict_schema(schema)
        return made | {"additionalProperties": False} if "patternProperties" in made else made

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        # A key that may be left out; nobody writes it to say nothing.
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {k: v for k, v in made.items() if k != "default" or v not in _NOTHING}

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        made = super().tagged_union_schema(schema)
        made.pop("discriminator", None)  # OpenAPI's
        return made

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401  # any field's
        if isinstance(dft, timedelta):
            return _duration(dft)
        if isinstance(dft, Part):
            return dft.model_dump(mode="json", by_alias=True, exclude_none=True)
        return super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002  # pydantic's
        # A title is the name of a type here, where it has one.
        return False


def _duration(value: timedelta) -> str:
    left, text = int(value.total_seconds()), ""
    for unit, seconds in _UNITS:
        number, left = divmod(left, seconds)
        text += f"{number}{unit}" if number else ""
    return text or "0s"
