"""Cells that a spreadsheet may read: text of people that would be a formula is made plain text."""

# A tab or carriage return in front is skipped by spreadsheets, which then see the formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")

Cell = str | int | float | bool | None


def cell(value: Cell) -> str | int | float:
    """Return a value as it is written; a formula gets an apostrophe, which is not shown."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value
