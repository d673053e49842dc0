"""The pages' routes."""

from fastapi import APIRouter

from api.web import (
    board,
    captures,
    cases,
    checks,
    conduct,
    corrections,
    deliveries,
    exercise,
    injects,
    marking,
    overview,
    recordings,
    reports,
    session,
    terminal,
    terminals,
)

router = APIRouter()
# Before the exercise: its moves have no name of their own in the path.
for _part in (
    *(session, overview, terminal, terminals, recordings, reports),
    *(board, conduct, injects, checks, captures, deliveries, marking, cases, corrections, exercise),
):
    router.include_router(_part.router)
