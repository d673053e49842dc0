"""Scenarios as they were launched: kept in the database, unpacked on disk when needed."""

import shutil
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

from core.clock import Clock
from core.db import Database
from core.errors import Fault, PoligonError
from core.scenario.load import LoadedScenario
from core.scenario.pack import pack, unpack
from orchestrator.repository import ExerciseRepository


class ScenarioLostError(PoligonError):
    """The database does not hold a scenario that one of its exercises was launched from."""

    code = "scenario.lost"


class ScenarioNotUnpackedError(PoligonError):
    """The site's own disk does not take the files of a scenario."""

    code = "scenario.not_unpacked"
    fault = Fault.UPSTREAM


class Library:
    """The pinned copies of scenarios. `folder` is a cache and may be deleted at any time."""

    def __init__(self, database: Database, clock: Clock, folder: Path) -> None:
        self._database = database
        self._clock = clock
        self._folder = folder
        self._loaded: dict[str, LoadedScenario] = {}
        self._lock = threading.Lock()

    def keep(self, scenario: LoadedScenario) -> None:
        """Store the scenario's folder, so that the exercise no longer depends on it."""
        archive = pack(scenario)
        with self._database.transaction() as transaction:
            ExerciseRepository(transaction.session).add_pack(
                digest=scenario.digest,
                scenario_id=scenario.scenario.scenario.id,
                archive=archive,
                at=self._clock.now(),
            )

    def scenario(self, digest: str) -> LoadedScenario:
        """Return the scenario with this content; raises ScenarioLostError."""
        with self._lock:
            cached = self._loaded.get(digest)
            # Somebody may have emptied the cache under us: look before trusting it.
            if cached is None or not cached.folder.is_dir():
                cached = self._loaded[digest] = self._unpack(digest)
            return cached

    def _unpack(self, digest: str) -> LoadedScenario:
        with self._database.reading() as session:
            archive = ExerciseRepository(session).pack(digest)
        if archive is None:
            raise ScenarioLostError(
                f"the scenario with content {digest[:12]} is not in the database",
                hint="Restore the database from a backup",
            )
        try:
            return self._put_in_place(archive, digest)
        except OSError as error:
            raise ScenarioNotUnpackedError(
                f"the files of a scenario cannot be written to {self._folder}: {error.strerror}",
                hint="Free space there, or correct POLIGON_HOME; it is tried again by itself",
            ) from error

    def _put_in_place(self, archive: bytes, digest: str) -> LoadedScenario:
        self._folder.mkdir(parents=True, exist_ok=True)
        # Unpacked beside its place and moved there whole: a worker that dies half-way, or two that
        # unpack at once, leave nothing that looks complete and is not.
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".new-") as fresh:
            unpacked = unpack(archive, Path(fresh) / "scenario")
            place = self._folder / digest[:16] / unpacked.scenario.scenario.id
            if not place.is_dir():
                place.parent.mkdir(parents=True, exist_ok=True)
                _move(unpacked.folder, place)
        return replace(unpacked, folder=place)


def _move(source: Path, place: Path) -> None:
    try:
        source.rename(place)
    except OSError:
        if not place.is_dir():  # not the other worker's copy: something is wrong with the disk
            raise
        shutil.rmtree(source)
