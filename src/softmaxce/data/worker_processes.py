"""Tasks handed to a few worker processes, each over a pipe of its own.

A worker that dies is noticed at once and named, workers end when the parent does, and no thread
is started in the parent, so that it may still fork afterwards.
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

_TASKS_AHEAD = 2  # so that a worker need not wait for the parent to wake up
_SECONDS_BETWEEN_LOOKS = 1.0


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def start_method() -> str:
    """Forking is instant, but safe only while no other thread may hold a lock."""
    with suppress(OSError):
        if sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1:
            return "fork"
    return "spawn"


def in_workers(
    work: Callable[[Task], Result], next_task: Callable[[], Task | None], n_workers: int
) -> Iterator[Result]:
    """`work(task)` of every task that `next_task` gives until None, in the order they are done.

    `work` must be picklable. What it raises is raised here; a worker that ends by itself (killed,
    or crashed in a decoder) raises DataError.
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
            "a process that reads images ended by itself (killed, out of memory, or crashed by "
            "a file); '--jobs 1' reads them one by one"
        ) from None
    finally:
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.join()


class _Worker:
    """A process, the pipe to it, and how many of its tasks are not done yet."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        context: Any = multiprocessing.get_context(start_method())
        self.pipe, theirs = context.Pipe()
        self.n_tasks = 0
        self._process = context.Process(target=_serve, args=(theirs, os.getpid()), daemon=True)
        self._process.start()
        theirs.close()
        # Not as an argument: should the process die at its start, only our own pipe breaks.
        self.pipe.send(work)

    def give(self, task: Any) -> None:
        """Send a task, unless it is None."""
        if task is not None:
            self.pipe.send(task)
            self.n_tasks += 1

    def take(self) -> Any:
        """The result of the oldest task; what the task raised is raised."""
        succeeded, outcome = self.pipe.recv()
        self.n_tasks -= 1
        if not succeeded:
            raise outcome
        return outcome

    def stop(self) -> None:
        """Tell the process to end, whatever it is doing."""
        self.pipe.close()
        self._process.terminate()

    def join(self) -> None:
        """Wait until the process has ended."""
        self._process.join()


def _serve(pipe: Connection, parent: int) -> None:
    """Do tasks until the parent hangs up or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; only the parent answers it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(EOFError, OSError):
        work = pipe.recv()
        while True:
            while not pipe.poll(_SECONDS_BETWEEN_LOOKS):
                if os.getppid() != parent:
                    return
            task = pipe.recv()
            try:
                outcome = True, work(task)
            except Exception as error:
                outcome = False, error
            pipe.send(outcome)
