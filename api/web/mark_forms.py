"""Forms whose fields the scenario names: a level and a reason for each criterion."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request

from scoring.marking.errors import MarkInvalidError
from scoring.marking.fit import Given, Marks

_MOST_FIELDS = 200
_LEVEL, _REASON = "level-", "reason-"


async def fields_of(request: Request) -> Mapping[str, str]:
    """Return the fields of a form whose names the scenario gives."""
    form = await request.form(max_files=0, max_fields=_MOST_FIELDS)
    return {name: value for name, value in form.items() if isinstance(value, str)}


FieldsHere = Annotated[Mapping[str, str], Depends(fields_of)]


def marks_of(fields: Mapping[str, str]) -> Marks:
    """Return what a form gives; a criterion without a level is not given."""
    marks = {}
    for name, value in fields.items():
        if not name.startswith(_LEVEL) or not value:
            continue
        criterion = name.removeprefix(_LEVEL)
        if not value.isascii() or not value.isdecimal():
            raise MarkInvalidError(f"{criterion[:50]!r} has no such level", hint="Reload the page")
        reason = fields.get(_REASON + criterion, "").replace("\r\n", "\n")
        marks[criterion] = Given(level=int(value[:4]), reason=reason)
    return marks
