"""Rows of one transaction that are written together, at the latest before somebody reads them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.orm import Session


class Later:
    """Rows to be written, each by its statement: of one statement all at once.

    The statements are carried out in the order in which their first rows came, so that rows may
    refer to others. With `at_once` each is written as it comes.
    """

    def __init__(self, session: Session, *, at_once: bool = False) -> None:
        self.session = session
        self.at_once = at_once
        self._rows: dict[Executable, list[Mapping[str, Any]]] = {}

    def add(self, statement: Executable, row: Mapping[str, Any]) -> None:
        """Write a row by and by."""
        self._rows.setdefault(statement, []).append(row)
        if self.at_once:
            self.write()

    def write(self) -> None:
        """Write all of them now."""
        rows, self._rows = self._rows, {}
        for statement, values in rows.items():
            self.session.execute(statement, values)
