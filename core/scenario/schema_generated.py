"""What files of hosts and of messages have in common: both may come from a generator."""

from collections.abc import Mapping

from pydantic import Field, ValidationInfo, field_validator

from core.scenario.fields import Part
from core.scenario.generators.registry import GeneratorName, check_parameters


class MayBeGenerated(Part):
    """A file that a generator may make; `with` holds its parameters."""

    generate: GeneratorName | None = None
    """The generator that makes it; `poligon scenario generators` lists them."""
    with_: Mapping[str, object] = Field(default={}, alias="with", validate_default=True)
    """The generator's parameters."""

    @field_validator("with_")
    @classmethod
    def _parameters(cls, given: Mapping[str, object], info: ValidationInfo) -> Mapping[str, object]:
        # Not there when it is wrong itself.
        return check_parameters(info.data["generate"], given) if "generate" in info.data else given
