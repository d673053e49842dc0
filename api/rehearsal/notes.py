"""What a rehearsal notes on its way."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.scenario.load import LoadedScenario
from orchestrator.domain.rehearsal import ImageSize, Proven, Rehearsal, Step, TeamUse

Say = Callable[[str], None]


@dataclass(kw_only=True)
class Notes:
    """Findings about the scenario, remarks, the time that each step took, and what was proven."""

    say: Say
    findings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    """The answers that were accepted: task → value."""
    files: dict[str, timedelta] = field(default_factory=dict)
    """The tasks for which a file was handed in that fits, and when on the team's clock."""
    proven_checks: set[str] = field(default_factory=set)
    """The checks that were seen to turn, or to be able to fail."""
    fired: set[str] = field(default_factory=set)
    """The injects that went out."""
    images: tuple[ImageSize, ...] = ()
    use: tuple[TeamUse, ...] = ()

    def wrong(self, text: str) -> None:
        """Note something that is wrong with the scenario, once."""
        if text not in self.findings:
            self.findings.append(text)
            self.say(f"✗ {text}")

    def remark(self, text: str) -> None:
        """Note something that an author should know."""
        if text not in self.remarks:
            self.remarks.append(text)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step, also one that fails."""
        began = time.monotonic()
        try:
            yield
        finally:
            seconds = round(time.monotonic() - began, 1)
            self.steps.append(Step(name=name, seconds=seconds))
            self.say(f"{seconds:6.1f} s  {name}")

    def rehearsal(self, loaded: LoadedScenario, at: datetime) -> Rehearsal:
        """Return all of it as the rehearsal of a scenario that was begun at `at`."""
        return Rehearsal(
            scenario=loaded.scenario.scenario.id,
            version=loaded.scenario.scenario.version,
            digest=loaded.digest,
            at=at,
            findings=tuple(self.findings),
            remarks=tuple(self.remarks),
            steps=tuple(self.steps),
            proven=Proven(
                answers=len(self.answers),
                files=len(self.files),
                checks=len(self.proven_checks),
                injects=len(self.fired),
            ),
            use=self.use,
            images=self.images,
        )
