"""Why a file is not taken, or not handed out."""

from core.errors import Fault, PoligonError


class TaskTakesNoFileError(PoligonError):
    """The task is not one for which a file is handed in."""

    code = "delivery.not_taken"
    fault = Fault.INPUT


class NotYoursToDeliverError(PoligonError):
    """The scenario leaves handing in to other roles of the team."""

    code = "delivery.not_your_role"
    fault = Fault.DENIED


class FileRefusedError(PoligonError):
    """The file is of another type, empty, too large, or its name or key cannot be."""

    code = "delivery.refused"
    fault = Fault.INPUT


class FileInfectedError(PoligonError):
    """The site's scanner found something in the file."""

    code = "delivery.infected"
    fault = Fault.INPUT


class FileNotStoredError(PoligonError):
    """The disk did not take the file, or does not give it back."""

    code = "delivery.not_stored"
    fault = Fault.UPSTREAM


class DeliveryKeyReusedError(PoligonError):
    """The same key came with another file before."""

    code = "delivery.key_reused"
    fault = Fault.CONFLICT


class TooManyRevisionsError(PoligonError):
    """A team has handed in as many files for a task as are kept."""

    code = "delivery.too_many"
    fault = Fault.CONFLICT


class DeliveryUnknownError(PoligonError):
    """There is no such file, or not one that the caller may see."""

    code = "delivery.unknown"
    fault = Fault.MISSING
