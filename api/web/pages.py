"""The pages' routes."""

from fastapi import APIRouter

from api.web import conduct, exercise, injects, overview, session

router = APIRouter()
# Before the exercise: its moves have no name of their own in the path.
for _part in (session.router, overview.router, conduct.router, injects.router, exercise.router):
    router.include_router(_part)
