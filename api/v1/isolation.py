"""What a world's self-test found, as clients see it."""

from datetime import datetime

from pydantic import BaseModel, Field

from orchestrator.domain.isolation import Isolation, Question, Verdict


class FindingOut(BaseModel):
    """What one question of the self-test found."""

    question: Question
    verdict: Verdict
    says: str = Field(examples=["no address of the engine's host is reached"])


class IsolationOut(BaseModel):
    """What the last self-test of a team's world found, asked from one host on each network.

    `host` has their names, with commas between them; it is empty when nothing was asked.
    """

    verdict: Verdict
    at: datetime
    host: str = Field(examples=["office, gateway"])
    findings: list[FindingOut]


def isolation_out(found: Isolation) -> IsolationOut:
    """Return the result of a self-test."""
    return IsolationOut(
        verdict=found.verdict,
        at=found.at,
        host=found.host,
        findings=[
            FindingOut(question=f.question, verdict=f.verdict, says=f.says) for f in found.findings
        ],
    )
