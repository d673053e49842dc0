"""The scenarios in the site's folder, read again when a file of theirs has changed."""

import threading
from dataclasses import dataclass
from pathlib import Path

from core.errors import Fault, PoligonError
from core.scenario.load import LoadedScenario, ScenarioInvalidError, load
from core.scenario.site_policy import NOTHING_PERMITTED, SitePolicy

_SCENARIO_FILE = "scenario.yaml"

# What a folder looked like when it was read: its newest change, its size in all, its files.
_Look = tuple[int, int, int]


class ScenarioUnknownError(PoligonError):
    """The site's folder has no such scenario."""

    code = "scenario.unknown"
    fault = Fault.MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A folder with a scenario in it: loaded, or the error that says why not."""

    id: str
    loaded: LoadedScenario | None = None
    error: ScenarioInvalidError | None = None

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what is wrong, one line each."""
        return tuple(map(str, self.error.problems)) if self.error else ()


class Catalogue:
    """Every scenario that may be launched here."""

    def __init__(self, folder: Path, policy: SitePolicy = NOTHING_PERMITTED) -> None:
        self.folder = folder
        self._policy = policy
        self._lock = threading.Lock()
        self._read: dict[str, tuple[_Look, Offer]] = {}

    def offers(self) -> tuple[Offer, ...]:
        """Return every scenario, broken ones too, by id; nothing when there is no folder."""
        if not self.folder.is_dir():
            return ()
        names = sorted(p.parent.name for p in self.folder.glob(f"*/{_SCENARIO_FILE}"))
        return tuple(self._offer(name) for name in names)

    def get(self, scenario: str) -> LoadedScenario:
        """Return a scenario by its folder's name; raises ScenarioUnknownError or its own error."""
        # Compared with what is there, never joined to a path: a name cannot lead elsewhere.
        offer = next((offer for offer in self.offers() if offer.id == scenario), None)
        if offer is None:
            raise ScenarioUnknownError(
                f"there is no scenario {scenario!r}", hint=f"Look into {self.folder}"
            )
        if offer.loaded is None:
            assert offer.error is not None  # an offer has one of the two
            raise offer.error
        return offer.loaded

    def _offer(self, name: str) -> Offer:
        look = _look(self.folder / name)
        with self._lock:
            known = self._read.get(name)
            if known is None or known[0] != look:
                known = self._read[name] = (look, self._load(name))
            return known[1]

    def _load(self, name: str) -> Offer:
        try:
            return Offer(id=name, loaded=load(self.folder / name, self._policy))
        except ScenarioInvalidError as error:
            return Offer(id=name, error=error)


def _look(folder: Path) -> _Look:
    found = [path.lstat() for path in folder.rglob("*")]
    return (
        max((s.st_mtime_ns for s in found), default=0),
        sum(s.st_size for s in found),
        len(found),
    )
