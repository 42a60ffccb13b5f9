"""A running Dask cluster: which of its workers are usable, and results even if some are lost.

A task may run on every worker that passed the probes, never on one address alone: a task pinned to
a dead worker would wait forever. Dask repeats the work of a dead worker. This module handles what
Dask cannot know: workers that hang, and workers that join without the data.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import secrets
import time
import warnings
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

from dask import config
from distributed import Client, Future
from distributed.scheduler import KilledWorker
from numpy.typing import NDArray

from softmaxce.cluster.preflight import Preflight
from softmaxce.cluster.settings import ClusterSettings
from softmaxce.cluster.worker import TOPIC, RangeFiles, forget, identity
from softmaxce.errors import ClusterLost, DataError, InputError

_TICK = 0.25  # seconds between checks while waiting for a result
_BETWEEN_LOOKS = 1.0  # seconds between questions to the scheduler
_SECONDS_TO_RECONNECT = 4.0
_SECONDS_FOR_OTHERS = 10.0  # to wait for another worker to join if all so far were refused
_SILENCE = 5.0  # seconds without a heartbeat; workers send about one a second
_SLOW = 20  # times --eval-timeout, after which a worker with heartbeats counts as hung too
_MAX_REPEATS = 20
_SCATTER_BYTES = 10_000_000
FEW_BYTES = 1_000_000  # sending them takes less time than Dask needs for another task

Task = tuple[Any, ...]  # a function and its arguments, as in Dask's graphs
Graph = dict[str, Task]


class Cluster:
    """The usable workers of a cluster. notify: called with one line for each event."""

    def __init__(
        self, client: Client, settings: ClusterSettings, notify: Callable[[str], None]
    ) -> None:
        self.client, self.settings, self.notify = client, settings, notify
        self.run = secrets.token_hex(4)
        self.workers: set[str] = set()
        self._preflight = Preflight(client, notify, self.wait_for)
        self._files_of: dict[str, RangeFiles] = {}  # by the key of a task
        self._threads: dict[str, int] = {}
        self._beats: dict[str, tuple[float, float]] = {}  # address: (last heartbeat, seen when)
        self._excluded: set[str] = set()
        self._notes: deque[str] = deque()
        self._next_look = 0.0
        self._n_names = 0
        self._futures: list[Future] = []

    def start(self) -> None:
        """Wait for `min_workers`. Raises ClusterLost, or DataError if no worker is usable."""
        self.client.subscribe_topic(TOPIC, lambda event: self._notes.append(event[1]))
        self._await_workers(self.settings.min_workers)

    @property
    def n_threads(self) -> int:
        """How many tasks the usable workers can run at once; at least 1."""
        return max(1, sum(self._threads.get(address, 0) for address in self.workers))

    def require(self, paths: Sequence[str]) -> None:
        """Use only workers that can read these files. Raises DataError if none can."""
        self._preflight.paths += tuple(paths)
        self.workers = self._preflight.with_data(self.workers, tuple(paths))
        if not self.workers:
            raise DataError(self._preflight.reason)

    def new_name(self) -> str:
        """A name, "run/number", that is unique on the cluster."""
        self._n_names += 1
        return f"{self.run}/{self._n_names}"

    def submit(
        self, function: Callable[..., Any], *arguments: Any, files: RangeFiles | None = None
    ) -> Future:
        """A task that any usable worker may run. files: the range that it works on, if any."""
        graph: Graph = {}
        return self.submit_graph(graph, [self.add(graph, (function, *arguments), files)])[0]

    def submit_graph(self, graph: Graph, keys: list[str]) -> list[Future]:
        """Submit the tasks with these keys, and the tasks they need, in one message."""
        return list(self.client.get(graph, keys, sync=False, workers=sorted(self.workers)))

    def add(self, graph: Graph, task: Task, files: RangeFiles | None = None) -> str:
        """Add a task to a graph. Returns its key, by which other tasks can refer to it."""
        key = f"{task[0].__name__}-{self.new_name()}"
        graph[key] = task
        if files is not None:
            self._files_of[key] = files
        return key

    def send(self, value: NDArray[Any], graph: Graph, n_tasks: int) -> Any:
        """What n_tasks tasks of a graph take as an argument to get `value`.

        A small value is sent with each task, which then need not wait for it. A larger one leaves
        this machine once, and a very large one does not pass through the scheduler.
        """
        if value.nbytes * n_tasks < FEW_BYTES:
            return value
        if value.nbytes < _SCATTER_BYTES:
            return self.add(graph, (identity, value))
        workers = sorted(self.workers)
        scattering = self.client.scatter(value, workers=workers, hash=False, asynchronous=True)
        return self.wait_for(scattering, self.settings.eval_timeout)

    def results(
        self,
        submit: Callable[[], Sequence[Future]],
        on_done: Callable[[int], None] = lambda _: None,
    ) -> list[Any]:
        """The results of the tasks that `submit` submits; it may be called several times.

        on_done(number of finished tasks) is called from time to time. Raises ClusterLost, and
        whatever a task raises.
        """
        for _ in range(_MAX_REPEATS):
            self.look()
            # The previous futures are released only after the new tasks are sent: Dask's client
            # waits for 10 ms between messages.
            self._futures = list(submit())
            results = self._gathered(self._futures, on_done)
            if results is not None:
                return results
        raise ClusterLost(
            f"the cluster is unstable: {self.settings.address}: the same work was lost "
            f"{_MAX_REPEATS} times"
        )

    def _gathered(self, futures: list[Future], on_done: Callable[[int], None]) -> list[Any] | None:
        """The results, or None if the tasks can no longer finish and must be submitted again."""
        gathering = self._soon(self.client.gather(futures, asynchronous=True))
        asked, n_done, since = frozenset(self.workers), 0, time.monotonic()
        try:
            while True:
                done, _ = concurrent.futures.wait([gathering], _TICK)
                if done:
                    results = list(gathering.result())
                    on_done(len(results))
                    return results
                now = sum(future.done() for future in futures)
                if now != n_done:
                    n_done, since = now, time.monotonic()
                    on_done(n_done)
                self.look()
                if not asked & self.workers or self._exclude_hung(time.monotonic() - since):
                    return None
        except KilledWorker as error:
            raise self._killed(error) from None
        except (asyncio.CancelledError, concurrent.futures.CancelledError):
            self._next_look = 0.0
            time.sleep(_TICK)
            return None
        finally:
            gathering.cancel()

    def _killed(self, error: KilledWorker) -> DataError:
        files = self._files_of.get(error.task)
        what = files.words if files else str(error.task)
        return DataError(
            f"a task killed {error.allowed_failures + 1} workers: {what}: out of memory, or a "
            "file that crashes the decoder; see the workers' logs"
        )

    def look(self) -> None:
        """Update the set of workers, at most once a second: probe new ones, report changes.

        Raises ClusterLost if the scheduler is gone, or if no worker is left and none joins.
        """
        while self._notes:
            self.notify(self._notes.popleft())
        self._check_scheduler()
        if time.monotonic() < self._next_look:
            return
        live = self._live()
        for address in sorted(self.workers - live):
            self.workers.discard(address)
            self.notify(f"worker {address} is gone; {len(self.workers)} left")
        n_joined = self._admit(live)
        if n_joined:
            self.notify(f"{n_joined} joined; {len(self.workers)} workers now")
        self._next_look = time.monotonic() + _BETWEEN_LOOKS
        if not self.workers:
            self._await_workers(1)

    def _admit(self, live: set[str]) -> int:
        """Use those of these workers that are usable. Returns the number of new ones."""
        new = self._preflight.usable(live - self._excluded - self.workers)
        self.workers |= new
        return len(new)

    def _await_workers(self, n_workers: int) -> None:
        patience = deadline = time.monotonic() + self.settings.timeout
        known: set[str] = set()
        while True:
            self._check_scheduler()
            live = self._live()
            if live - known:  # others may be about to join as well
                known |= live
                patience = min(deadline, time.monotonic() + _SECONDS_FOR_OTHERS)
            self.workers &= live
            self._admit(live)
            if len(self.workers) >= n_workers:
                return
            all_refused = bool(live) and live <= self._preflight.refused
            if time.monotonic() > (patience if all_refused else deadline):
                break
            time.sleep(_TICK)
        if self._preflight.reason and not self.workers and not self._n_names:
            raise DataError(self._preflight.reason)
        raise ClusterLost(
            f"too few workers: {self.settings.address}: {len(self.workers)} of {n_workers} are "
            f"usable after {self.settings.timeout:g} s; start more"
        )

    def _live(self) -> set[str]:
        """The addresses of the workers that the scheduler knows."""
        asking = self.client.scheduler.identity(n_workers=-1)
        workers = self.wait_for(asking, self.settings.eval_timeout)["workers"]
        now = time.monotonic()
        self._threads = {address: worker["nthreads"] for address, worker in workers.items()}
        for address, worker in workers.items():
            beat = float(worker["last_seen"])
            if self._beats.get(address, (None,))[0] != beat:
                self._beats[address] = beat, now
        return set(workers)

    def _exclude_hung(self, seconds: float) -> bool:
        """Exclude workers that hang, after so many seconds without a result. Returns if any did."""
        if seconds < self.settings.eval_timeout:
            return False
        now = time.monotonic()
        hung = {a for a in self.workers if now - self._beats[a][1] > _SILENCE}
        if not hung and seconds > _SLOW * self.settings.eval_timeout:
            processing = self.wait_for(self.client.scheduler.processing(), _SILENCE)
            hung = {a for a in self.workers if processing.get(a)}
        for address in sorted(hung):
            self.workers.discard(address)
            self._excluded.add(address)
            self.notify(
                f"worker {address} gave no result for {seconds:.0f} s: excluded; "
                f"{len(self.workers)} left"
            )
            removal = self.client.scheduler.unregister(
                address=address, stimulus_id=f"softmaxce-{self.run}", expected=True
            )
            with suppress(ClusterLost):
                self.wait_for(removal, _SILENCE)
        return bool(hung)

    def _check_scheduler(self) -> None:
        deadline = time.monotonic() + _SECONDS_TO_RECONNECT
        while self.client.status != "running":
            if self.client.status == "closed" or time.monotonic() > deadline:
                raise ClusterLost(f"the scheduler is gone: {self.settings.address}")
            time.sleep(0.1)

    def wait_for(self, awaitable: Awaitable[Any], seconds: float) -> Any:
        """What is awaited in Dask's event loop. Raises ClusterLost after `seconds`."""
        asked = self._soon(awaitable)
        try:
            return asked.result(seconds)
        except (OSError, asyncio.CancelledError, concurrent.futures.CancelledError) as error:
            asked.cancel()
            self._check_scheduler()
            raise ClusterLost(
                f"the scheduler does not answer: {self.settings.address}: "
                f"{error or type(error).__name__}"
            ) from None

    def _soon(self, awaitable: Awaitable[Any]) -> concurrent.futures.Future[Any]:
        async def awaited() -> Any:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(awaited(), self.client.loop.asyncio_loop)

    def close(self) -> None:
        """Remove this run's files from the workers, and disconnect."""
        with suppress(Exception):
            if self.client.status == "running":
                self.wait_for(self.client.run(forget, self.run, asynchronous=True), 2.0)
        with suppress(Exception):
            self.client.close(timeout=1.0)


def silence_logs() -> dict[logging.Logger, int]:
    """Silence Dask and its libraries: softmaxce reports events in its own words. Returns the levels
    of their loggers before."""
    loggers = [logging.getLogger(name) for name in ("distributed", "asyncio", "tornado")]
    levels = {logger: logger.level for logger in loggers}
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    return levels


@contextmanager
def connected(settings: ClusterSettings, notify: Callable[[str], None]) -> Iterator[Cluster]:
    """The cluster, while the block runs. Raises ClusterLost, DataError or InputError."""
    levels = silence_logs()
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}),
            closing(Cluster(_client(settings), settings, notify)) as cluster,
        ):
            cluster.start()
            yield cluster
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)


def _client(settings: ClusterSettings) -> Client:
    kind = "address" if "://" in settings.address else "scheduler_file"
    try:
        return Client(
            **{kind: settings.address},
            security=settings.security(),
            timeout=settings.timeout,
            set_as_default=False,
            direct_to_workers=False,
        )
    except OSError as error:
        raise ClusterLost(f"no scheduler: {settings.address}: {error}") from None
    except ValueError as error:
        raise InputError(f"not the address of a scheduler: {settings.address}: {error}") from None
