"""Threads over blocks of rows, with BLAS held to one thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

_MAX_THREADS = 8  # more only compete for one memory bus


def available_cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def row_threads(n_threads: int | None = None) -> Iterator[Callable[..., Iterator[Any]]]:
    """A `map` that runs its tasks in n_threads Python threads, the calling one included.

    By default there is one for each core that this process may use, at most 8. After an exception,
    tasks that have not started never start.
    """
    if n_threads is None:
        n_threads = min(available_cores(), _MAX_THREADS)
    with _one_blas_thread():
        if n_threads == 1:
            yield map
            return
        with ThreadPoolExecutor(n_threads - 1) as pool:
            try:
                yield partial(_map_and_help, pool)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def _map_and_help(
    pool: ThreadPoolExecutor, function: Callable[[Any], Any], items: Iterable[Any]
) -> Iterator[Any]:
    """function(item) of each item, in order.

    While it waits for a result, the calling thread runs the next task that no thread has started.
    For small tasks this saves waking one thread.
    """
    items = list(items)
    if len(items) == 1:
        yield function(items[0])
        return
    futures = {i: pool.submit(function, item) for i, item in enumerate(items)}
    own: dict[int, Any] = {}
    ahead = 1
    for position in range(len(items)):
        future = futures.pop(position)  # it keeps its result; hundreds would fill the memory
        while position not in own and not future.done() and ahead < len(items):
            if ahead > position and futures[ahead].cancel():
                own[ahead] = function(items[ahead])
            ahead += 1
        yield own.pop(position) if position in own else future.result()


def _one_blas_thread() -> AbstractContextManager[Any]:
    """Keep BLAS from starting threads, which would compete with ours.

    Does nothing without threadpoolctl: the command line sets the BLAS libraries' environment
    variables before NumPy is loaded.
    """
    try:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        return nullcontext()
    return threadpool_limits(limits=1, user_api="blas")  # type: ignore[no-any-return]
