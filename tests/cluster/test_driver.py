"""The driver's side of a cluster, with workers that are this process."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import draw_classes

pytest.importorskip("distributed", reason="Dask is not installed")

from softmaxce.cluster import connection, worker
from softmaxce.cluster.pixels import ClusterReader, DistributedPixels, driver_bytes
from softmaxce.cluster.settings import ClusterSettings
from softmaxce.data.decoding import decode_files
from softmaxce.errors import ClusterLost, DataError, TrainingError
from softmaxce.preprocessing import Preprocessing
from softmaxce.training.objective import Objective
from softmaxce.training.rows import LocalPixels, Rows

FORM = Preprocessing(64, 64, 3)


class ThisProcess:
    """A cluster whose tasks run at once, in this process."""

    n_threads = 2

    def __init__(self) -> None:
        self.workers = {"one"}
        self._n_names = 0

    def new_name(self):
        self._n_names += 1
        return f"run/{self._n_names}"

    def submit(self, function, *arguments, files=None):
        return function(*arguments)

    def add(self, graph, task, files=None):
        return task[0](*task[1:])

    def submit_graph(self, graph, results):
        return results

    def send(self, value, graph, n_tasks):
        return value

    def results(self, submit, on_done=None):
        return list(submit())


@pytest.fixture
def matrices(tmp_path, monkeypatch):
    """The same 300 images as a matrix of the cluster and as a local one."""
    this = SimpleNamespace(local_directory=str(tmp_path / "worker"))
    monkeypatch.setattr(worker, "get_worker", lambda: this)
    monkeypatch.setattr(worker, "_decoded", {})
    draw_classes(tmp_path / "data", {"a": 150, "b": 150})
    paths = sorted(map(str, (tmp_path / "data").glob("*/*")))
    remote = DistributedPixels(ThisProcess(), paths, FORM)
    remote.decode(None)
    return remote, decode_files(paths, FORM).pixels


def assert_same_sums(remote, local, labels, *rest):
    parameters = np.random.default_rng(1).normal(0, 0.1, (64 * 64 * 3 + 1, 3))
    there = Objective(Rows(remote, labels, *rest), 3, 0.1, 1 / 255)(parameters)
    here = Objective(Rows(local, labels, *rest), 3, 0.1, 1 / 255)(parameters)
    assert there[0] == here[0]
    assert there[1].tobytes() == here[1].tobytes()


def test_sums_are_those_of_one_machine(matrices):
    remote, local = matrices
    labels = np.random.default_rng(0).integers(3, size=len(local))
    assert len(remote.starts) > 1
    assert_same_sums(remote, local, labels)
    assert_same_sums(remote, local, labels, np.arange(5, 300, 3))


def test_other_labels_of_the_same_matrix_give_other_sums(matrices):
    remote, local = matrices
    rng = np.random.default_rng(0)
    for _ in range(2):
        assert_same_sums(remote, local, rng.integers(3, size=len(local)))


def test_rows_and_maps_are_those_of_a_local_matrix(matrices):
    remote, local = matrices
    np.testing.assert_array_equal(remote[280], local[280])
    np.testing.assert_array_equal(remote[280:200:-7], local[280:200:-7])
    assert remote[:0].shape == (0, 64 * 64 * 3)
    rows = np.arange(3, 300, 2)
    of_ranges = list(remote.map(lambda *given: given, rows, rows % 7, "shared"))
    of_runs = list(LocalPixels(local).map(lambda *given: given, rows, rows % 7, "shared"))
    for field in (0, 1):
        np.testing.assert_array_equal(
            np.concatenate([given[field] for given in of_ranges]),
            np.concatenate([given[field] for given in of_runs]),
        )
    assert {given[2] for given in of_ranges} == {"shared"}


def test_the_logs_of_a_caller_are_restored(monkeypatch):
    def refuse(settings):
        assert logging.getLogger("asyncio").level > logging.CRITICAL
        raise ClusterLost("no scheduler")

    monkeypatch.setattr(connection, "_client", refuse)
    names = ("distributed", "asyncio", "tornado")
    before = [logging.getLogger(name).level for name in names]
    with pytest.raises(ClusterLost), connection.connected(ClusterSettings("tcp://x"), print):
        pass
    assert [logging.getLogger(name).level for name in names] == before


def test_a_task_that_kills_workers_is_reported_with_its_files():
    cluster = connection.Cluster(None, ClusterSettings("tcp://x"), print)
    files = worker.RangeFiles("run/1", 100, ("x.png", "y.png"), FORM)
    key = cluster.add({}, (worker.sums, None), files)
    error = cluster._killed(SimpleNamespace(task=key, allowed_failures=3))
    assert isinstance(error, DataError)
    assert "killed 4 workers: rows 100–101, starting with x.png" in str(error)


def test_a_solver_that_outgrows_this_machine_is_refused(monkeypatch):
    assert driver_bytes(784, 10) < 1e9 < driver_bytes(150_528, 1000)
    monkeypatch.setattr("softmaxce.cluster.pixels.memory_bytes", lambda: 1e9)
    for ignored in (False, True):
        settings = ClusterSettings("tcp://x", ignore_memory_check=ignored)
        reader = ClusterReader(SimpleNamespace(settings=settings))
        if ignored:
            reader.check_size(150_528, 1000)
        else:
            with pytest.raises(TrainingError, match="not enough memory"):
                reader.check_size(150_528, 1000)
