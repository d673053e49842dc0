"""Having planned worlds stand: networks, then hosts in the order of their needs, then readiness."""

from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import timedelta

from core.errors import Fault, PoligonError
from orchestrator.domain.exercise import Stage
from orchestrator.domain.health import diagnose
from orchestrator.domain.world import HostPlan, WorldPlan
from orchestrator.ports import HostGoneError, HostNotReadyError, RangeEngine


class NeededHostError(PoligonError):
    """A host was not started, because one that it needs did not become ready."""

    code = "world.needed_host"
    fault = Fault.CONFLICT


class HostEndedError(PoligonError):
    """A host's own process ended before the host was ready."""

    code = "world.host_ended"
    fault = Fault.CONFLICT

    def __init__(self, message: str, *, host: str) -> None:
        super().__init__(message)
        self.host = host
        self.output = ""


def _just_wait(wait: Callable[[], None]) -> None:
    wait()


class Standing:
    """Puts up what plans say, on one engine."""

    def __init__(self, engine: RangeEngine) -> None:
        self._engine = engine

    def put_up(
        self,
        plan: WorldPlan,
        *,
        reached: Callable[[Stage], None],
        only: Collection[str] | None = None,
        anew: Collection[str] = (),
        during: Callable[[Callable[[], None]], None] = _just_wait,
    ) -> None:
        """Have the hosts of a plan stand and be ready: all of them, or `only` some.

        Those in `anew` are removed first. `during` is handed the wait for readiness, and carries it
        out beside what it does itself. `reached` is told each stage before it begins, and may stop
        it there with an error. Raises what the engine raises, and HostEndedError instead of
        HostGoneError; HostNotReadyError goes before what follows from it.
        """
        hosts = [host for host in plan.hosts if only is None or host.host in only]
        needed = {name for host in hosts for name in host.needs}
        reached(Stage.NETWORKS)
        for network in plan.networks:
            self._engine.raise_network(plan.key, network)
        if plan.router is not None:
            self._engine.raise_router(plan.key, plan.router)
        reached(Stage.HOSTS)
        self._raise_in_order(plan, hosts, anew, needed)
        reached(Stage.READINESS)
        rest = [host for host in hosts if host.host not in needed]
        during(lambda: _each(rest, lambda host: self._await_ready(plan, host)))

    def ask_once(self, plan: WorldPlan, *, but: Collection[str] = ()) -> None:
        """Raise HostNotReadyError or HostGoneError unless hosts are ready this very moment.

        All are asked `but` these.
        """
        for host in (host for host in plan.hosts if host.host not in but):
            at_once = tuple(replace(probe, within=timedelta()) for probe in host.probes)
            try:
                self._engine.await_ready(plan.key, replace(host, probes=at_once))
            except HostNotReadyError as error:
                failing = host.probes[at_once.index(error.probe)]
                raise HostNotReadyError(
                    host=error.host, probe=failing, output=error.output
                ) from error

    def _await_ready(self, plan: WorldPlan, host: HostPlan) -> None:
        try:
            self._engine.await_ready(plan.key, host)
        except HostGoneError as error:
            key = plan.key.host(host.host)
            seen = self._engine.observe(plan.key.exercise)
            (why, *_) = diagnose({key: frozenset()}, seen) or (f"{host.host} does not run",)
            raise HostEndedError(f"{why}, before it was ready", host=host.host) from error

    def _raise_in_order(
        self,
        plan: WorldPlan,
        hosts: Collection[HostPlan],
        anew: Collection[str],
        needed: Collection[str],
    ) -> None:
        """Raise every host at once, but each after those that it needs are ready."""
        done: dict[str, Future[None]] = {host.host: Future() for host in hosts}

        def raise_one(host: HostPlan) -> None:
            _await_needs(host, done)
            if host.host in anew:
                self._engine.remove_host(plan.key.host(host.host))
            self._engine.raise_host(plan.key, host)
            if host.host in needed:
                self._await_ready(plan, host)

        def tell(host: HostPlan) -> None:
            try:
                raise_one(host)
            except BaseException as error:
                done[host.host].set_exception(error)
                raise
            done[host.host].set_result(None)

        _each(hosts, tell)


def _await_needs(host: HostPlan, done: dict[str, Future[None]]) -> None:
    for name in host.needs:
        if name in done and done[name].exception() is not None:
            raise NeededHostError(f"{host.host} was not started: it needs {name}")


def _each(hosts: Collection[HostPlan], act: Callable[[HostPlan], None]) -> None:
    """Do `act` for every host at once; when all are through, raise what caused the rest."""
    if not hosts:
        return
    with ThreadPoolExecutor(max_workers=len(hosts)) as pool:
        futures = [pool.submit(act, host) for host in hosts]
        wait(futures)
    errors = [error for future in futures if (error := future.exception()) is not None]
    for error in sorted(errors, key=lambda e: isinstance(e, NeededHostError)):
        raise error
