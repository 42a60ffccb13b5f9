"""The parts of the search for duplicates that can be checked by themselves."""

from __future__ import annotations

import numpy as np

from softmaxce.data.duplicates import _bit_counts


def test_bits_are_counted():
    random = np.random.default_rng(0).integers(0, 2**64, 1000, dtype=np.uint64)
    values = np.append(random, np.array([0, 1, 2**63, 2**64 - 1], np.uint64))
    assert _bit_counts(values).tolist() == [int(value).bit_count() for value in values]
