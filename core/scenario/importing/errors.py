"""Why something is not brought in."""

from core.errors import Fault, PoligonError
from core.scenario.load import Problem


class ImportRefusedError(PoligonError):
    """A file cannot become a scenario; `problems` has a reason for each key that stands in the way.

    Nothing has been written.
    """

    code = "scenario.import_refused"
    fault = Fault.INPUT

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        count = len(problems)
        what = "1 reason" if count == 1 else f"{count} reasons"
        super().__init__(f"this cannot be brought in, for {what}; nothing was written")
        self.problems = problems


class FolderTakenError(PoligonError):
    """The folder for a draft is not empty, or is none."""

    code = "scenario.folder_taken"
    fault = Fault.INPUT


class DraftBrokenError(PoligonError):
    """A draft was made that does not pass lint: a fault of the importer. Nothing was written."""

    code = "scenario.draft_broken"
    fault = Fault.BUG

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(
            f"the draft does not pass lint: {problems[0].message}",
            hint="This is a fault of the importer; please report it with the file",
        )
        self.problems = problems
