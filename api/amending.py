"""Corrections as people type them: in the fields of a form, or as options of a command."""

from collections.abc import Mapping

from pydantic import ValidationError

from scoring.domain.amendments import Decided
from scoring.errors import CorrectionInvalidError


def decided(kind: str, reason: str, fields: Mapping[str, str]) -> Decided:
    """Return what somebody decided; a field left empty is not there. Times without a zone are UTC.

    Raises CorrectionInvalidError.
    """
    given = {name: text.strip() for name, text in fields.items() if text.strip()}
    for name in ("since", "until"):
        if name in given:
            given[name] = _in_utc(given[name])
    body = {"amendment": {"kind": kind, **given}, "reason": reason.strip()}
    try:
        return Decided.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][-1]) if first["loc"] else "it"
        raise CorrectionInvalidError(
            f"this is no correction: {field}: {first['msg']}", hint="Correct the field"
        ) from error


def _in_utc(text: str) -> str:
    """Return a browser's time, which says no zone, as one in UTC."""
    return f"{text}Z" if text[-1].isdigit() and "+" not in text else text
