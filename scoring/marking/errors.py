"""What can be wrong with marking."""

from core.errors import Fault, PoligonError


class NotMarkedByPeopleError(PoligonError):
    """The task is not one that assessors mark."""

    code = "marking.not_by_people"
    fault = Fault.INPUT


class AssessorUnfitError(PoligonError):
    """Somebody who cannot judge here: a trainee, or a member of a team of the exercise."""

    code = "marking.unfit"
    fault = Fault.DENIED


class NotAssessorError(PoligonError):
    """The caller does not mark in this exercise, or not this."""

    code = "marking.not_yours"
    fault = Fault.DENIED


class MarkingNotNowError(PoligonError):
    """What is to be marked is not settled yet, or the marking is past this."""

    code = "marking.not_now"
    fault = Fault.CONFLICT


class SeatsTakenError(PoligonError):
    """As many as the rubric asks for mark this already."""

    code = "marking.seats_taken"
    fault = Fault.CONFLICT


class MarkInvalidError(PoligonError):
    """Marks that do not fit the rubric, or lack a level or a reason."""

    code = "marking.invalid"
    fault = Fault.INPUT


class MarkHandedInError(PoligonError):
    """A mark that was handed in is not changed any more."""

    code = "marking.handed_in"
    fault = Fault.CONFLICT
