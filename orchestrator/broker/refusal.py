"""What the broker does not do, in words."""

from http import HTTPStatus

from core.errors import Fault, PoligonError

_STATUS = {
    Fault.INPUT: HTTPStatus.BAD_REQUEST,
    Fault.MISSING: HTTPStatus.NOT_FOUND,
    Fault.DENIED: HTTPStatus.FORBIDDEN,
    Fault.CONFLICT: HTTPStatus.CONFLICT,
    Fault.UPSTREAM: HTTPStatus.GATEWAY_TIMEOUT,
    Fault.BUG: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class BrokerRefusedError(PoligonError):
    """Something was asked of the broker that it does for nobody."""

    code = "broker.refused"
    fault = Fault.DENIED


class RequestUnreadableError(PoligonError):
    """What came was not a request that the broker reads."""

    code = "broker.request_unreadable"
    fault = Fault.INPUT


def status_of(error: PoligonError) -> HTTPStatus:
    """Return the status that an error is answered with."""
    return _STATUS[error.fault]
