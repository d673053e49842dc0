"""What can be wrong with an act on injects, or with a reply."""

from core.errors import Fault, PoligonError


class InjectUnknownError(PoligonError):
    """The scenario has no such inject."""

    code = "inject.unknown"
    fault = Fault.MISSING


class InjectStateError(PoligonError):
    """The inject is not in the state that this needs."""

    code = "inject.state"
    fault = Fault.CONFLICT


class ShiftInvalidError(PoligonError):
    """Time by which nothing can be moved."""

    code = "inject.shift_invalid"
    fault = Fault.INPUT


class MessageUnknownError(PoligonError):
    """There is no such message for this reader, or nobody may answer it."""

    code = "message.unknown"
    fault = Fault.MISSING


class MessageFileUnknownError(PoligonError):
    """The message has no such file."""

    code = "message.file_unknown"
    fault = Fault.MISSING


class ReplyInvalidError(PoligonError):
    """The text cannot be a reply."""

    code = "reply.invalid"
    fault = Fault.INPUT


class ReplyKeyReusedError(PoligonError):
    """The same key came with another reply before."""

    code = "reply.key_reused"
    fault = Fault.CONFLICT
