"""A few worker processes, each of which gets its tasks over its own pipe.

The death of a worker is noticed at once, workers end soon after the parent did, and no thread is
started in the parent, so that it can still fork afterwards. (ProcessPoolExecutor starts a thread
and leaves its workers running after the parent was killed.)
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Literal, TypeVar

from softmaxce.errors import DataError

Task = TypeVar("Task")
Result = TypeVar("Result")
StartMethod = Literal["fork", "spawn"]

_TASKS_AHEAD = 2  # so that a worker does not wait for the parent to wake up
_SECONDS_BETWEEN_CHECKS = 0.2
_hiding = threading.Lock()


def start_method() -> StartMethod | None:
    """How workers can be started; None if this process can have none.

    Forking is fast, but only safe if no other thread can hold a lock.
    """
    if multiprocessing.current_process().daemon:  # such as a worker of a Pool
        return None
    with suppress(OSError):
        can_fork = sys.platform == "linux" and hasattr(os, "fork")
        if can_fork and len(os.listdir("/proc/self/task")) == 1:
            return "fork"
    # A frozen program, or one that embeds Python, has no interpreter to spawn.
    return None if getattr(sys, "frozen", False) or not sys.executable else "spawn"


def in_workers(
    work: Callable[[Task], Result],
    next_task: Callable[[], Task | None],
    n_workers: int,
    method: StartMethod | None,
) -> Iterator[Result]:
    """work(task) of every task that `next_task` returns before None, as they are completed.

    `work` must be picklable. What it raises is raised here. If no process can be started, or the
    method is None, this one works. Raises DataError if a worker dies (killed, or crashed in a
    decoder).
    """
    workers: list[_Worker] = []
    try:
        with suppress(OSError):  # a limit on the number of processes
            for _ in range(n_workers if method else 0):
                workers.append(_Worker(work, method))
        if not workers:
            yield from map(work, iter(next_task, None))
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
            worker.process.kill()  # SIGTERM may meet the handler inherited from this process
        for worker in workers:
            worker.process.join()


class _Worker:
    """A process, the pipe to it, and the number of its unfinished tasks."""

    def __init__(self, work: Callable[[Any], Any], method: StartMethod | None) -> None:
        context: Any = multiprocessing.get_context(method)
        self.pipe, theirs = context.Pipe()
        self.n_tasks = 0
        self.process = context.Process(target=_serve, args=(theirs, os.getpid()), daemon=True)
        with _main_module_hidden():
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


@contextmanager
def _main_module_hidden() -> Iterator[None]:
    """Keep a spawned process from importing the caller's main module.

    No worker needs it, and a script without `if __name__ == "__main__"` would start again there.
    """
    main: dict[str, Any] = vars(sys.modules["__main__"])
    with _hiding:  # another thread would take the hidden values for those to restore
        hidden: dict[str, Any] = {n: main[n] for n in ("__file__", "__spec__") if n in main}
        main.update(dict.fromkeys(hidden))
        try:
            yield
        finally:
            main.update(hidden)


def _serve(pipe: Connection, parent: int) -> None:
    """Run tasks until the parent closes the pipe or dies."""
    threading.Thread(target=_exit_after, args=(parent,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, too
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(EOFError, OSError):
        work = pipe.recv()
        while True:
            task = pipe.recv()
            try:
                outcome = True, work(task)
            except Exception as error:
                outcome = False, error
            pipe.send(outcome)


def _exit_after(parent: int) -> None:
    """End this process when its parent has ended, whatever the other thread is doing.

    The pipe does not tell, because workers that were forked later hold the parent's end open.
    """
    while os.getppid() == parent:
        time.sleep(_SECONDS_BETWEEN_CHECKS)
    os._exit(1)
