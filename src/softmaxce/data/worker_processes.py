"""A few worker processes, each of which gets its tasks over its own pipe.

The death of a worker is noticed at once, workers end when the parent does, and no thread is started
in the parent, so that it can still fork afterwards. (ProcessPoolExecutor starts a thread and leaves
its workers running after the parent was killed.)
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from softmaxce.errors import DataError

Task = TypeVar("Task")
Result = TypeVar("Result")

_TASKS_AHEAD = 2  # so that a worker does not wait for the parent to wake up
_SECONDS_BETWEEN_CHECKS = 1.0


def available_cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def start_method() -> str:
    """Forking is fast, but only safe if no other thread can hold a lock."""
    with suppress(OSError):
        if sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1:
            return "fork"
    return "spawn"


def in_workers(
    work: Callable[[Task], Result], next_task: Callable[[], Task | None], n_workers: int
) -> Iterator[Result]:
    """work(task) of every task that `next_task` returns before None, as they are completed.

    `work` must be picklable. What it raises is raised here. Raises DataError if a worker dies
    (killed, or crashed in a decoder).
    """
    workers: list[_Worker] = []
    try:
        for _ in range(n_workers):
            workers.append(_Worker(work))
        for worker in workers * _TASKS_AHEAD:
            worker.give(next_task())
        while any(worker.n_tasks for worker in workers):
            waiting = {worker.pipe: worker for worker in workers if worker.n_tasks}
            for pipe in wait(list(waiting)):
                worker = waiting[pipe]
                result = worker.take()
                worker.give(next_task())
                yield result
    except (BrokenPipeError, EOFError, ConnectionResetError):
        raise DataError(
            "an image-decoding process died (killed, out of memory, or crashed by a file); "
            "'--jobs 1' decodes in a single process"
        ) from None
    finally:
        for worker in workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in workers:
            worker.process.join()


class _Worker:
    """A process, the pipe to it, and the number of its unfinished tasks."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        context: Any = multiprocessing.get_context(start_method())
        self.pipe, theirs = context.Pipe()
        self.n_tasks = 0
        self.process = context.Process(target=_serve, args=(theirs, os.getpid()), daemon=True)
        self.process.start()
        theirs.close()
        # Sent, not passed as an argument: if the process dies while starting, only the pipe breaks.
        self.pipe.send(work)

    def give(self, task: Any) -> None:
        """Send a task, unless it is None."""
        if task is not None:
            self.pipe.send(task)
            self.n_tasks += 1

    def take(self) -> Any:
        """The result of the oldest task. Raises what the task raised."""
        succeeded, outcome = self.pipe.recv()
        self.n_tasks -= 1
        if not succeeded:
            raise outcome
        return outcome


def _serve(pipe: Connection, parent: int) -> None:
    """Run tasks until the parent closes the pipe or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, too
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(EOFError, OSError):
        work = pipe.recv()
        while True:
            while not pipe.poll(_SECONDS_BETWEEN_CHECKS):
                if os.getppid() != parent:
                    return
            task = pipe.recv()
            try:
                outcome = True, work(task)
            except Exception as error:
                outcome = False, error
            pipe.send(outcome)
