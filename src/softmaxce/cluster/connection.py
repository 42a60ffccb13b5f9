"""A Dask cluster that is running: who of its workers is fit, and results whatever becomes of them.

A task may run on every worker that passed the probes, and never on one address alone: pinned to
a dead one it would wait for ever. Dask repeats what a dead worker had done. What Dask cannot know,
a worker that hangs and one that joined without the data, is seen to here.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import secrets
import time
import warnings
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from dask import config
from distributed import Client, Future
from distributed.scheduler import KilledWorker
from numpy.typing import NDArray

from softmaxce.cluster import ranges
from softmaxce.cluster.preflight import Preflight
from softmaxce.cluster.settings import ClusterSettings
from softmaxce.cluster.work import same
from softmaxce.errors import ClusterLost, DataError, InputError

_TICK = 0.25  # seconds between looks while a result is awaited
_BETWEEN_LOOKS = 1.0  # seconds between questions to the scheduler
_SECONDS_TO_RECONNECT = 4.0
_SECONDS_FOR_OTHERS = 10.0  # that a worker may still take to join where none so far is fit
_SILENCE = 5.0  # seconds without a heartbeat, of which there are several a second or so
_SLOW = 20  # times --eval-timeout, after which a worker counts as hung though its heart beats
_MAX_REPEATS = 20
_SCATTER_BYTES = 10_000_000
FEW_BYTES = 1_000_000  # that take less time on the line than another task takes Dask

Task = tuple[Any, ...]  # a function and its arguments, as in Dask's graphs
Graph = dict[str, Task]


class _Again(Exception):
    """What was submitted has no way to its end any more: submit it again."""


class Cluster:
    """The fit workers of a cluster. `say` is called with one line for each thing that happens."""

    def __init__(
        self, client: Client, settings: ClusterSettings, say: Callable[[str], None]
    ) -> None:
        self.client, self.settings, self.say = client, settings, say
        self.run = secrets.token_hex(4)
        self.files: dict[str, ranges.Files] = {}  # by the name that keys of their tasks hold
        self.workers: set[str] = set()
        self._preflight = Preflight(client, say, self.wait_for)
        self._threads: dict[str, int] = {}
        self._beats: dict[str, tuple[float, float]] = {}  # address: (last heartbeat, seen when)
        self._excluded: set[str] = set()
        self._notes: deque[str] = deque()
        self._next_look = 0.0
        self._n_keys = 0
        self._futures: list[Future] = []

    def start(self) -> None:
        """Wait for the workers asked for. Raises ClusterLost, or DataError where none is fit."""
        self.client.subscribe_topic(ranges.TOPIC, lambda event: self._notes.append(event[1]))
        self._await_workers(self.settings.min_workers)

    @property
    def n_threads(self) -> int:
        """How many tasks the fit workers can do at once; at least 1."""
        return max(1, sum(self._threads.get(address, 0) for address in self.workers))

    def require(self, paths: Sequence[str]) -> None:
        """Let go on only with workers that can read these files. Raises DataError if none can."""
        self._preflight.paths += tuple(paths)
        self.workers -= self._preflight.without_data(self.workers, tuple(paths))
        if not self.workers:
            raise DataError(self._preflight.reason)

    def submit(self, function: Callable[..., Any], *arguments: Any, name: str = "") -> Future:
        """A task that any fit worker may do. `name`: that of the range it works on, if of one."""
        graph: Graph = {}
        return self.submit_graph(graph, [self.add(graph, (function, *arguments), name)])[0]

    def submit_graph(self, graph: Graph, keys: list[str]) -> list[Future]:
        """The tasks of these keys, and those they need, all of them in one message."""
        futures: list[Future] = self.client.get(
            graph, keys, sync=False, workers=sorted(self.workers)
        )
        return futures

    def add(self, graph: Graph, task: Task, name: str = "") -> str:
        """Put a task into a graph; it may name others by the key that this returns."""
        self._n_keys += 1
        key = f"{task[0].__name__}-{name or 'all'}-{self.run}-{self._n_keys}"
        graph[key] = task
        return key

    def send(self, value: NDArray[Any], graph: Graph, n_tasks: int) -> Any:
        """A value for n_tasks of a graph: what they take as an argument.

        It leaves this machine once. A small one goes to the workers with each task, which saves
        the tasks their wait for it; a large one is not kept by the scheduler.
        """
        if value.nbytes * n_tasks < FEW_BYTES:
            return value
        if value.nbytes < _SCATTER_BYTES:
            return self.add(graph, (same, value))
        scattering = self.client.scatter(
            value, workers=sorted(self.workers), hash=False, asynchronous=True
        )
        return self.wait_for(_awaited(scattering), self.settings.eval_timeout)

    def results(
        self, submit: Callable[[], Sequence[Future]], on_done: Callable[[int], None] | None = None
    ) -> list[Any]:
        """The results of the tasks that `submit` submits, which it may have to do again.

        on_done hears how many are done. Raises ClusterLost, and what a task raised.
        """
        for _ in range(_MAX_REPEATS):
            self.look()
            with suppress(_Again):
                # The last futures are let go of behind the new ones' message, not before it: Dask's
                # client waits for 10 ms between messages.
                self._futures = list(submit())
                return self._gathered(self._futures, on_done)
        raise ClusterLost(
            f"the cluster does not hold: {self.settings.address}: the same work was lost "
            f"{_MAX_REPEATS} times"
        )

    def _gathered(self, futures: list[Future], on_done: Callable[[int], None] | None) -> list[Any]:
        gathering = self._soon(_gather(self.client, futures))
        asked, n_done, since = frozenset(self.workers), 0, time.monotonic()
        try:
            while True:
                done, _ = concurrent.futures.wait([gathering], _TICK)
                if done:
                    results = list(gathering.result())
                    if on_done:
                        on_done(len(results))
                    return results
                now = sum(future.done() for future in futures)
                if now != n_done:
                    n_done, since = now, time.monotonic()
                    if on_done:
                        on_done(n_done)
                self.look()
                if not asked & self.workers:
                    raise _Again
                if self._exclude_hung(time.monotonic() - since):
                    raise _Again
        except KilledWorker as error:
            self._fail_killed(error)
        except (asyncio.CancelledError, concurrent.futures.CancelledError):
            self._next_look = 0.0
            time.sleep(_TICK)
            self.look()
            raise _Again from None
        finally:
            gathering.cancel()

    def _fail_killed(self, error: KilledWorker) -> NoReturn:
        files = self.files.get(str(error.task).split("-")[1])
        what = f"{files.rows}, from {files.paths[0]} on" if files else str(error.task)
        raise DataError(
            f"a task killed {error.allowed_failures + 1} workers: {what}: out of memory, or a file "
            "that crashes the decoder; look into the workers' logs"
        ) from None

    def look(self) -> None:
        """See who is there, at most once a second: say who came and went, probe who came.

        Raises ClusterLost where the scheduler is gone, or no worker is left and none comes.
        """
        while self._notes:
            self.say(self._notes.popleft())
        self._check_scheduler()
        if time.monotonic() < self._next_look:
            return
        live = self._live()
        gone = self.workers - live
        self.workers -= gone
        for address in sorted(gone):
            self.say(f"worker {address} is gone; {len(self.workers)} left")
        n_before = len(self.workers)
        self._admit(live)
        if len(self.workers) > n_before:
            self.say(f"{len(self.workers) - n_before} joined; {len(self.workers)} workers now")
        self._next_look = time.monotonic() + _BETWEEN_LOOKS
        if not self.workers:
            self._await_workers(1)

    def _admit(self, live: set[str]) -> None:
        self.workers |= self._preflight.fit(live - self._excluded - self.workers)

    def _await_workers(self, n_workers: int) -> None:
        deadline = time.monotonic() + self.settings.timeout
        known: set[str] = set()
        patience = deadline
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
                self._fail_without_workers(n_workers)
            time.sleep(_TICK)

    def _fail_without_workers(self, n_workers: int) -> NoReturn:
        if self._preflight.reason and not self.workers and not self.files:
            raise DataError(self._preflight.reason)
        raise ClusterLost(
            f"too few workers: {self.settings.address}: {len(self.workers)} of {n_workers} can "
            f"work after {self.settings.timeout:g} s; start some"
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
        """After so many seconds without a result, exclude who hangs. Whether there was any."""
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
            self.say(
                f"worker {address} gave nothing for {seconds:.0f} s: excluded; "
                f"{len(self.workers)} left"
            )
            parting = self.client.scheduler.unregister(
                address=address, stimulus_id=f"softmaxce-{self.run}", expected=True
            )
            with suppress(ClusterLost):
                self.wait_for(parting, _SILENCE)
        return bool(hung)

    def _check_scheduler(self) -> None:
        deadline = time.monotonic() + _SECONDS_TO_RECONNECT
        while self.client.status != "running":
            if self.client.status == "closed" or time.monotonic() > deadline:
                raise ClusterLost(f"the scheduler is gone: {self.settings.address}")
            time.sleep(0.1)

    def wait_for(self, coroutine: Coroutine[Any, Any, Any], seconds: float) -> Any:
        """What a coroutine in Dask's loop gives. Raises ClusterLost where it takes too long."""
        asked = self._soon(coroutine)
        try:
            return asked.result(seconds)
        except (OSError, asyncio.CancelledError, concurrent.futures.CancelledError) as error:
            asked.cancel()
            self._check_scheduler()
            raise ClusterLost(
                f"the scheduler does not answer: {self.settings.address}: "
                f"{error or type(error).__name__}"
            ) from None

    def _soon(self, coroutine: Coroutine[Any, Any, Any]) -> concurrent.futures.Future[Any]:
        return asyncio.run_coroutine_threadsafe(coroutine, self.client.loop.asyncio_loop)

    def close(self) -> None:
        """Remove what the workers keep for this run, and hang up."""
        with suppress(Exception):
            if self.client.status == "running":
                leaving = _awaited(self.client.run(ranges.forget, self.run, asynchronous=True))
                self.wait_for(leaving, 2.0)
        with suppress(Exception):
            self.client.close(timeout=1.0)


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


async def _gather(client: Client, futures: list[Future]) -> Any:
    return await client.gather(futures, asynchronous=True)


@contextmanager
def connected(settings: ClusterSettings, say: Callable[[str], None]) -> Iterator[Cluster]:
    """The cluster, as long as the block runs. Raises ClusterLost, DataError or InputError."""
    for name in ("distributed", "asyncio", "tornado"):  # what matters is said in our own words
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    with (
        warnings.catch_warnings(),
        config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}),
    ):
        warnings.simplefilter("ignore")
        cluster = Cluster(_client(settings), settings, say)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.close()


def _client(settings: ClusterSettings) -> Client:
    where: dict[str, Any] = {"address": settings.address}
    if "://" not in settings.address:
        where = {"scheduler_file": settings.address}
    try:
        return Client(
            **where,
            security=settings.security(),
            timeout=settings.timeout,
            set_as_default=False,
            direct_to_workers=False,
        )
    except OSError as error:
        raise ClusterLost(f"no scheduler: {settings.address}: {error}") from None
    except ValueError as error:
        raise InputError(f"no address of a scheduler: {settings.address}: {error}") from None
