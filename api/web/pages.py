"""The pages' routes."""

from fastapi import APIRouter

from api.web import exercise, injects, overview, session

router = APIRouter()
for _part in (session.router, overview.router, injects.router, exercise.router):
    router.include_router(_part)
