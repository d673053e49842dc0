"""Names of offices and of what their people look up; all of them in reserved domains (RFC 2606).

The order is part of what is generated: never insert, remove or sort.
"""

PLACES = (
    "harbour-office",
    "district-registry",
    "land-register",
    "city-archive",
    "customs-house",
    "water-board",
    "school-board",
    "port-authority",
    "health-office",
    "tax-office",
    "road-agency",
    "forest-service",
)
SITES = (
    "www.weather.example",
    "news.daily.example",
    "mail.provider.example",
    "maps.streets.example",
    "cdn.pictures.example",
    "www.railway.example",
    "update.office-suite.example",
    "search.example",
    "www.bank.example",
    "static.fonts.example",
    "www.ministry.example",
    "forum.gardening.example",
    "ntp.time.example",
    "repo.packages.example",
    "www.football.example",
    "api.translate.example",
    "video.stream.example",
    "www.encyclopedia.example",
    "shop.stationery.example",
    "www.laws.example",
)
