"""The pages' routes."""

from fastapi import APIRouter

from api.web import exercise, overview, session

router = APIRouter()
for _part in (session.router, overview.router, exercise.router):
    router.include_router(_part)
