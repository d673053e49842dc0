"""Errors of the edge itself: who calls, how often, and with what."""

from core.errors import Fault, PoligonError, TryLaterError


class NotLoggedInError(PoligonError):
    """Nobody is logged in: no token, or one that is unknown, expired or withdrawn."""

    code = "login.required"
    fault = Fault.DENIED

    def __init__(self) -> None:
        super().__init__(
            "nobody is logged in", hint="Log in; a token is good for 12 hours after that"
        )


class NotYourRoleError(PoligonError):
    """The caller's role does not do this."""

    code = "role.not_yours"
    fault = Fault.DENIED


class ForeignOriginError(PoligonError):
    """A form was sent from another site."""

    code = "origin.foreign"
    fault = Fault.DENIED

    def __init__(self) -> None:
        super().__init__(
            "this form was sent from another site, or by a browser that hides where from",
            hint="Open the page here again and send it from there",
        )


class BodyTooLargeError(PoligonError):
    """The request's body is larger than anything that this service takes."""

    code = "request.too_large"
    fault = Fault.INPUT


class TeamUnknownError(PoligonError):
    """The exercise has no such team, or not one that the caller may see."""

    code = "team.unknown"
    fault = Fault.MISSING


class NoTeamError(PoligonError):
    """Whoever calls is in no team of the exercise, and named none."""

    code = "team.none"
    fault = Fault.INPUT


class TooManyLoginsError(TryLaterError):
    """Too many wrong passwords for one account, or from one address."""

    code = "login.too_many"
    fault = Fault.DENIED


class TooManyFlagsError(TryLaterError):
    """A team handed in more flags within a minute than anybody takes."""

    code = "captures.too_many"
    fault = Fault.DENIED


class TooManyUploadsError(TryLaterError):
    """Too many files were handed in, by one person or by one team."""

    code = "delivery.too_often"
    fault = Fault.DENIED


class UploadFormError(PoligonError):
    """A form with a file that cannot be read, or has none."""

    code = "delivery.form_invalid"
    fault = Fault.INPUT


class SameKeyUnderWayError(TryLaterError):
    """A request with this Idempotency-Key is being carried out just now."""

    code = "idempotency.under_way"


class SameKeyOtherRequestError(PoligonError):
    """This Idempotency-Key came with another request before."""

    code = "idempotency.other_request"
    fault = Fault.CONFLICT


class IdempotencyKeyInvalidError(PoligonError):
    """An Idempotency-Key that is empty, too long or not plain text."""

    code = "idempotency.key_invalid"
    fault = Fault.INPUT
