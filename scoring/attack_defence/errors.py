"""What can be wrong with flags that somebody hands in."""

from core.errors import Fault, PoligonError


class NoServicesError(PoligonError):
    """The exercise is no attack-defence one."""

    code = "services.none"
    fault = Fault.CONFLICT


class ReferenceTeamError(PoligonError):
    """The reference team attacks nobody."""

    code = "captures.reference_team"
    fault = Fault.DENIED


class FlagsInvalidError(PoligonError):
    """No flags at all, or more than are taken at once."""

    code = "captures.invalid"
    fault = Fault.INPUT
