"""A figure of scoring beside its baseline."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was measured of which number, its baseline, and whether it is as wanted."""

    number: str
    what: str
    ours: float
    baseline: float
    unit: str
    wanted: str
    met: bool

    def __str__(self) -> str:
        verdict = "met" if self.met else "MISSED"
        ratio = self.ours / self.baseline
        return (
            f"  {self.number}  {self.what:<44} {self.ours:>9.2f} {self.baseline:>9.2f}"
            f" {self.unit:<4} {ratio:>7.2f}   {self.wanted}: {verdict}"
        )

    def data(self) -> dict[str, object]:
        """Return the line for JSON."""
        return {**asdict(self), "ratio": self.ours / self.baseline}
