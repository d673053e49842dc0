"""What the application hands to its routes."""

from fastapi import Request

from api.bootstrap import Services
from api.catalogue import Catalogue
from api.flag_throttle import FlagThrottle
from api.throttle import LoginThrottle
from api.upload_throttle import UploadThrottle


def services_of(request: Request) -> Services:
    """Return the services of this process."""
    services: Services = request.app.state.services
    return services


def catalogue_of(request: Request) -> Catalogue:
    """Return the scenarios on offer."""
    catalogue: Catalogue = request.app.state.catalogue
    return catalogue


def uploads_throttle_of(request: Request) -> UploadThrottle:
    """Return the count of files that were sent."""
    throttle: UploadThrottle = request.app.state.uploads_throttle
    return throttle


def throttle_of(request: Request) -> LoginThrottle:
    """Return the count of wrong passwords."""
    throttle: LoginThrottle = request.app.state.throttle
    return throttle


def flag_throttle_of(request: Request) -> FlagThrottle:
    """Return the count of flags that teams handed in."""
    throttle: FlagThrottle = request.app.state.flag_throttle
    return throttle
