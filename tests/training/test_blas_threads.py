"""A fit runs threads of its own, so the BLAS library must not."""

from __future__ import annotations

import numpy as np
import pytest

from softmaxce.training.fitting import fit

threadpoolctl = pytest.importorskip("threadpoolctl")


def blas_threads() -> set[int]:
    libraries = threadpoolctl.threadpool_info()
    return {library["num_threads"] for library in libraries if library["user_api"] == "blas"}


def test_a_fit_holds_blas_to_one_thread_and_restores_what_was():
    pixels = np.random.default_rng(0).integers(0, 256, (50, 8), dtype=np.uint8)
    during: set[int] = set()
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        if before != {2}:
            pytest.skip("this BLAS library cannot be given two threads")
        fit(pixels, np.arange(50) % 3, 3, on_iteration=lambda _: during.update(blas_threads()))
        assert blas_threads() == before
    assert during == {1}
