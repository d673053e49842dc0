"""What the application hands to its routes."""

from fastapi import Request

from api.bootstrap import Services
from api.catalogue import Catalogue
from api.throttle import LoginThrottle


def services_of(request: Request) -> Services:
    """Return the services of this process."""
    services: Services = request.app.state.services
    return services


def catalogue_of(request: Request) -> Catalogue:
    """Return the scenarios on offer."""
    catalogue: Catalogue = request.app.state.catalogue
    return catalogue


def throttle_of(request: Request) -> LoginThrottle:
    """Return the count of wrong passwords."""
    throttle: LoginThrottle = request.app.state.throttle
    return throttle
