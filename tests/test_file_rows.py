"""Rows in a file: any choice of them is that of an array, and a shortened file is one error."""

from __future__ import annotations

import os

import numpy as np
import pytest

from softmaxce import file_rows
from softmaxce.errors import DataError
from softmaxce.file_rows import ChosenRows, FileRows, JoinedRows, RowWriter, rows_of_file

VALUES = np.random.default_rng(0).integers(0, 256, (300, 50), np.uint8)


@pytest.fixture
def handle(tmp_path):
    """A file with 10 bytes and the values."""
    (tmp_path / "rows").write_bytes(bytes(10) + VALUES.tobytes())
    handle = os.open(tmp_path / "rows", os.O_RDWR)
    yield handle
    os.close(handle)


CHOICES = [
    slice(None),
    slice(10, 20),
    slice(20, 10),
    slice(290, 400),
    slice(3, 300, 7),
    3,
    -1,
    np.int64(299),
    np.arange(0),
    np.array([299, 0, 5, 5, *range(100, 120)]),
    np.arange(300),
    np.arange(1, 300, 40),
    (np.arange(1, 300, 40), slice(10, 20)),
    (slice(3, 30), slice(10, 20)),
]


@pytest.mark.parametrize("where", CHOICES, ids=str)
def test_a_choice_of_rows_is_that_of_an_array(handle, monkeypatch, where):
    monkeypatch.setattr(file_rows, "_BLOCK_ROWS", 7)
    rows = FileRows(handle, "rows", 10, VALUES.shape)
    assert np.array_equal(rows[where], VALUES[where])
    with pytest.raises(IndexError):
        rows[300]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("where", CHOICES, ids=str)
def test_rows_of_floats_and_chosen_and_joined_ones_are_those_of_an_array(tmp_path, where, dtype):
    values = np.random.default_rng(0).normal(size=(300, 20)).astype(dtype)
    (tmp_path / "rows").write_bytes(bytes(10) + values.tobytes())
    numbers = np.array([*range(299, -1, -1)])
    with open(tmp_path / "rows", "rb") as stream:
        rows = FileRows(stream.fileno(), "rows", 10, values.shape, dtype)
    assert rows[where].dtype == dtype
    assert np.array_equal(rows[where], values[where])
    assert np.array_equal(ChosenRows(rows, numbers)[where], values[::-1][where])
    joined = JoinedRows([ChosenRows(rows, numbers[:120]), values[:180][::-1]])
    assert joined.shape == values.shape
    assert np.array_equal(joined[where], values[::-1][where])


def test_reading_without_preadv(handle, monkeypatch):
    monkeypatch.delattr(os, "preadv", raising=False)
    os.lseek(handle, 3, os.SEEK_SET)  # where a reader of the same file may be
    assert np.array_equal(FileRows(handle, "rows", 10, VALUES.shape)[:], VALUES)
    assert os.lseek(handle, 0, os.SEEK_CUR) == 3


@pytest.mark.parametrize("many", [0, 2**30])
def test_a_shortened_file_is_an_error_and_not_a_bus_error(handle, monkeypatch, many):
    monkeypatch.setattr(file_rows, "_MANY_BYTES", many)
    rows = rows_of_file(handle, "rows", 10, VALUES.shape)
    for n_bytes in (10 + 299 * 50, 0):
        os.truncate(handle, n_bytes)
        if many:  # it is in memory
            assert np.array_equal(rows, VALUES)
            continue
        for where in (slice(None), 299, np.array([0, 299]), np.arange(300)):
            with pytest.raises(DataError, match="rows: another program has shortened the file"):
                rows[where]


def test_the_rows_stay_readable_when_the_file_is_closed_and_removed(handle, tmp_path):
    rows = FileRows(handle, "rows", 10, VALUES.shape)
    os.unlink(tmp_path / "rows")
    assert np.array_equal(rows[:], VALUES)


@pytest.mark.parametrize("is_named", [False, True] if hasattr(os, "pwrite") else [True])
def test_rows_are_written_in_any_order(handle, tmp_path, is_named):
    writer = RowWriter(handle, str(tmp_path / "rows") if is_named else None, 10, 50)
    for start in (200, 0, 100):
        writer.store(start, VALUES[start : start + 100] ^ 1)
    assert np.array_equal(FileRows(handle, "rows", 10, VALUES.shape)[:], VALUES ^ 1)
