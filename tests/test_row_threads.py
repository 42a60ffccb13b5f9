"""Threads over blocks of rows."""

from __future__ import annotations

import gc
import time
import weakref

import pytest

from softmaxce.row_threads import row_threads


def test_after_an_exception_nothing_else_is_started():
    started: list[int] = []

    def work(number):
        started.append(number)
        time.sleep(0.01)
        if number == 3:
            raise ValueError("the third")

    with pytest.raises(ValueError, match="the third"), row_threads(3) as run_tasks:
        list(run_tasks(work, range(1000)))
    assert len(started) < 20


class Result:
    """Something large."""


def test_results_are_in_order_and_only_a_few_are_kept():
    alive: weakref.WeakSet[Result] = weakref.WeakSet()

    def work(number):
        result = Result()
        result.number = number
        alive.add(result)
        return result

    n_alive = []
    with row_threads(2) as run_tasks:
        numbers = []
        for result in run_tasks(work, range(300)):
            numbers.append(result.number)
            if len(numbers) > 290:  # the other thread may be ahead, but these remain at most
                gc.collect()
                n_alive.append(len(alive))
    assert numbers == list(range(300))
    assert max(n_alive) <= 12
