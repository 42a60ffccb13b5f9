"""Mapped rows: released pages come back unchanged, and what a file does not hold is kept."""

import numpy as np
import pytest

from softmaxce import mapped_rows


@pytest.fixture
def stored(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped_rows, "_MANY_BYTES", 0)
    values = np.random.default_rng(0).integers(0, 256, (300, 1000), np.uint8)
    values.tofile(tmp_path / "rows")
    return values, str(tmp_path / "rows")


def resident_kilobytes():
    with open("/proc/self/smaps", encoding="utf-8") as stream:
        lines = iter(stream.read().splitlines())
    for line in lines:
        if line.endswith("/rows"):
            return next(int(rest.split()[1]) for rest in lines if rest.startswith("Rss:"))
    raise AssertionError("the file is not mapped")


@pytest.mark.skipif("__import__('sys').platform != 'linux'", reason="/proc is Linux's")
def test_released_pages_leave_this_process_and_come_back(stored):
    values, path = stored
    rows = mapped_rows.map_rows(path, 0, values.shape)
    assert np.array_equal(rows, values)
    assert resident_kilobytes() >= values.nbytes // 1024
    mapped_rows.release(rows[10:20])
    assert resident_kilobytes() == 0
    assert np.array_equal(rows, values)


def test_copies_are_the_chosen_rows(stored, monkeypatch):
    monkeypatch.setattr(mapped_rows, "_BLOCK_ROWS", 7)
    values, path = stored
    chosen = np.array([299, 0, 5, 5, *range(100, 120)])
    for matrix in (values, mapped_rows.map_rows(path, 0, values.shape)):
        assert np.array_equal(mapped_rows.copy_rows(matrix, chosen), values[chosen])


def test_a_private_mapping_keeps_what_was_written_to_it(stored):
    values, path = stored
    rows = np.memmap(path, np.uint8, "c", 0, values.shape)
    rows[0] = 7
    mapped_rows.release(np.asarray(rows))
    assert (rows[0] == 7).all()
    assert np.array_equal(rows[1:], values[1:])
