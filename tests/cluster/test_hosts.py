"""Three hosts on a network of 1 Gbit/s, in network namespaces: the same bytes, a link cut."""

from __future__ import annotations

import time

import pytest
from cluster_net import Hosts, why_not
from cluster_tools import Command

pytestmark = [pytest.mark.slow, pytest.mark.cluster]


@pytest.fixture
def hosts():
    pytest.importorskip("distributed", reason="Dask is not installed")
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with Hosts(4) as made:
        yield made


def test_three_hosts(hosts, many, local_model, tmp_path):
    with hosts.cluster(tmp_path / "cluster", 3) as cluster:
        words = ("--dask", cluster.address, "--dask-min-workers", 3)
        prefix = hosts.prefix(0)
        model = tmp_path / "model.npz"
        command = Command("train", many, "-o", model, *words, cwd=tmp_path, prefix=prefix)
        assert command.ended() == 0, command.stderr
        assert model.read_bytes() == local_model.read_bytes()


def test_a_link_that_is_cut(hosts, many, local_model, tmp_path):
    with hosts.cluster(tmp_path / "cluster", 2) as cluster:
        words = ("--dask", cluster.address, "--dask-min-workers", 2, "--eval-timeout", 8)
        model = tmp_path / "model.npz"
        command = Command("train", many, "-o", model, *words, cwd=tmp_path, prefix=hosts.prefix(0))
        cluster.wait_for_pixels()
        hosts.cut(2)
        began = time.monotonic()
        assert command.ended() == 0, command.stderr
        assert time.monotonic() - began < 60
        assert model.read_bytes() == local_model.read_bytes()
        assert "excluded; 1 left" in command.stderr
