"""What can be wrong with an answer that somebody sends."""

from core.errors import Fault, PoligonError, TryLaterError


class TaskUnknownError(PoligonError):
    """The scenario has no such task."""

    code = "task.unknown"
    fault = Fault.MISSING


class TaskNotAnswerableError(PoligonError):
    """The task is not answered in words: checks decide."""

    code = "task.not_answerable"
    fault = Fault.INPUT


class TaskLockedError(PoligonError):
    """The task is not open yet."""

    code = "task.locked"
    fault = Fault.CONFLICT


class TaskOverdueError(PoligonError):
    """The task's time is up."""

    code = "task.overdue"
    fault = Fault.CONFLICT


class HintUnknownError(PoligonError):
    """The task has no such hint."""

    code = "hint.unknown"
    fault = Fault.MISSING


class HintNotNowError(PoligonError):
    """The hint cannot be had yet, or not any more."""

    code = "hint.not_now"
    fault = Fault.CONFLICT


class AnswerInvalidError(PoligonError):
    """The text cannot be an answer, whatever the question; no attempt is counted."""

    code = "answer.invalid"
    fault = Fault.INPUT


class AnswerKeyReusedError(PoligonError):
    """The same key came with another answer before."""

    code = "answer.key_reused"
    fault = Fault.CONFLICT


class TooSoonError(TryLaterError):
    """The team has to wait after its last wrong answer; no attempt is counted."""

    code = "answer.too_soon"


class TooManyAnswersError(TryLaterError):
    """A person or a team sends answers faster than the site takes them; none is counted."""

    code = "answer.too_many"


class TaskNotFedError(PoligonError):
    """The task takes no points from another system."""

    code = "task.not_fed"
    fault = Fault.INPUT


class FeedRefusedError(PoligonError):
    """What another system sent is not signed as it should be, or not just now."""

    code = "feed.refused"
    fault = Fault.DENIED


class FeedRepeatedError(PoligonError):
    """The event was taken before; it has no second effect."""

    code = "feed.repeated"
    fault = Fault.CONFLICT


class FeedOutOfRangeError(PoligonError):
    """The task would give less than nothing, or more than its points."""

    code = "feed.out_of_range"
    fault = Fault.INPUT


class CheckUnknownError(PoligonError):
    """The scenario has no such check."""

    code = "check.unknown"
    fault = Fault.MISSING


class MaintenanceInvalidError(PoligonError):
    """A window that cannot be declared."""

    code = "maintenance.invalid"
    fault = Fault.INPUT


class TaskNotAskableError(PoligonError):
    """The task is not decided by checks."""

    code = "task.not_askable"
    fault = Fault.INPUT


class AskedTooSoonError(PoligonError):
    """The team has asked about the task a moment ago."""

    code = "check.asked_too_soon"
    fault = Fault.CONFLICT


class NotReversibleError(PoligonError):
    """The entry cannot be taken back: it takes back another one, or is taken back already."""

    code = "score.not_reversible"
    fault = Fault.CONFLICT


class CorrectionUnknownError(PoligonError):
    """The exercise has no such correction."""

    code = "correction.unknown"
    fault = Fault.MISSING


class CorrectionInvalidError(PoligonError):
    """The amendment does not fit the exercise."""

    code = "correction.invalid"
    fault = Fault.INPUT


class CorrectionDecidedError(PoligonError):
    """Somebody has approved, rejected or withdrawn it already."""

    code = "correction.decided"
    fault = Fault.CONFLICT


class SecondPersonError(PoligonError):
    """Whoever proposed a correction does not decide on it, and nobody else withdraws it."""

    code = "correction.second_person"
    fault = Fault.CONFLICT


class PreviewOutdatedError(PoligonError):
    """A correction would change something else now than what was looked at."""

    code = "correction.outdated"
    fault = Fault.CONFLICT


class DisputeUnknownError(PoligonError):
    """The exercise has no such dispute."""

    code = "dispute.unknown"
    fault = Fault.MISSING


class DisputeOpenError(PoligonError):
    """The team disputes this task already."""

    code = "dispute.open"
    fault = Fault.CONFLICT


class DisputeAnsweredError(PoligonError):
    """The dispute is answered already."""

    code = "dispute.answered"
    fault = Fault.CONFLICT


class EntryUnknownError(PoligonError):
    """The ledger of the team has no such entry."""

    code = "score.entry_unknown"
    fault = Fault.MISSING


class BoardUnknownError(PoligonError):
    """No board is public under this link."""

    code = "board.unknown"
    fault = Fault.MISSING


class ImprovementUnknownError(PoligonError):
    """An exercise's plan has no line of that id."""

    code = "improvement.unknown"
    fault = Fault.MISSING


class ImprovementInvalidError(PoligonError):
    """A line of the improvement plan says too little, too much, or names a team that is not."""

    code = "improvement.invalid"
    fault = Fault.INPUT


class SurveyNotOpenError(PoligonError):
    """The survey is open to members once the exercise has ended."""

    code = "survey.not_open"
    fault = Fault.CONFLICT


class SurveyAnswerInvalidError(PoligonError):
    """An answer to the survey is none of those asked for."""

    code = "survey.answer_invalid"
    fault = Fault.INPUT


class PdfNotMadeError(PoligonError):
    """The program that sets a document as PDF did not."""

    code = "report.pdf_not_made"
    fault = Fault.UPSTREAM
