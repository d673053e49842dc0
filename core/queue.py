"""The job queue on Celery, and the ticker that derives due work again.

Embedded: a folder (`core.queue_folder`), which needs no server. Grown up: Redis. Either way a
message is only a hint (decision 0002): results are in the database, and nothing waits for one.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from core.errors import PoligonError
from core.jobs import Job
from core.queue_folder import SCHEME, make_known
from core.settings import Settings
from core.waiting import pause

log = structlog.get_logger()

_QUEUE = "poligon"
# kombu's transport looks once a second by default, which a trainee would feel.
_POLLING_SECONDS = 0.05


def celery_app(settings: Settings) -> Celery:
    """Return the Celery application of this process, on the site's broker."""
    app = Celery("cyberpoligon")
    app.conf.update(
        task_default_queue=_QUEUE,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=3,
        worker_prefetch_multiplier=1,
        # Nobody asks workers anything over the broker; the database knows who does what.
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_redirect_stdouts=False,
        # How late its timer sees that the worker is to end.
        worker_timer_precision=0.2,
        **_transport(settings),
    )
    return app


def _transport(settings: Settings) -> dict[str, object]:
    if address := settings.broker_url.get_secret_value():
        return {"broker_url": address}
    make_known()
    folder = settings.home / "queue"
    (folder / "control").mkdir(parents=True, exist_ok=True)
    return {
        "broker_url": f"{SCHEME}://localhost",  # nobody asks the host; none is warned about
        "broker_transport_options": {
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "control_folder": str(folder / "control"),
            "polling_interval": _POLLING_SECONDS,
        },
    }


class CeleryQueue:
    """A `JobQueue` that hands jobs to the workers."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def send(self, job: Job) -> None:
        """Leave `job` for a worker; when the broker is away, log it: the sweep finds the work."""
        try:
            self._app.send_task(job.name, args=job.arguments, retry=False)
        except (OperationalError, OSError) as error:
            log.warning("job.not_sent", job=job.name, arguments=job.arguments, error=str(error))


class Ticker:
    """Runs sweeps again and again in a thread of its own, until it is stopped.

    Not Celery's beat: embedded in a worker it is a process that a killed worker leaves behind.
    """

    def __init__(self, sweeps: Sequence[Callable[[], object]], *, every: timedelta) -> None:
        self._sweeps = tuple(sweeps)
        self._every = every
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """Let the sweep under way end, and tick no more."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            for sweep in self._sweeps:
                self._once(sweep)
            pause(self._every.total_seconds(), interrupted_by=self._stopped)

    def _once(self, sweep: Callable[[], object]) -> None:
        try:
            sweep()
        except PoligonError as error:
            log.warning("sweep.failed", sweep=_name_of(sweep), error=str(error))
        except Exception:  # the outermost loop of this thread: it must not die
            log.exception("sweep.crashed", sweep=_name_of(sweep))


def _name_of(sweep: Callable[[], object]) -> str:
    return getattr(sweep, "__qualname__", repr(sweep))
