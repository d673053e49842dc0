"""What can be wrong with an answer that somebody sends."""

from core.errors import Fault, PoligonError


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
