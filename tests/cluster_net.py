"""Hosts for tests: network namespaces on a bridge of their own, each line held to 1 Gbit/s."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from cluster_tools import Processes

_SUBNET = "10.213.7"


def why_not() -> str | None:
    """Why this machine lets us make no network namespaces; None where it does."""
    if os.name != "posix" or os.geteuid():
        return "network namespaces need root"
    if not shutil.which("ip") or not shutil.which("tc"):
        return "network namespaces need ip and tc (the package iproute2)"
    probe = f"sxprobe{os.getpid()}"
    made = _run("ip", "netns", "add", probe, check=False)
    if made.returncode:
        return f"this machine allows no network namespaces ({made.stderr.decode().strip()})"
    _run("ip", "netns", "delete", probe)
    return None


class Hosts:
    """n hosts; host 0 is where the driver and the scheduler are. The bridge is in a namespace of
    its own, so that nothing of the machine's network is touched."""

    def __init__(self, n_hosts: int) -> None:
        self.n_hosts = n_hosts
        self._stem = f"sx{os.getpid()}"
        self._switch = f"{self._stem}s"
        self._made: list[str] = []

    def __enter__(self) -> Hosts:
        try:
            self._make(self._switch)
            self._in_switch("ip", "link", "add", "br0", "type", "bridge")
            self._in_switch("ip", "link", "set", "br0", "up")
            for i in range(self.n_hosts):
                self._make_host(i)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for namespace in self._made:
            _run("ip", "netns", "delete", namespace, check=False)

    def prefix(self, i: int) -> tuple[str, ...]:
        """Words before a command that runs on host i."""
        return ("ip", "netns", "exec", self._name(i))

    def address(self, i: int) -> str:
        return f"{_SUBNET}.{i + 1}"

    def device(self, _i: int) -> str:
        return "eth0"

    def cut(self, i: int) -> None:
        """Take the host's line out of the switch; nobody is told."""
        self._in_switch("ip", "link", "set", f"p{i}", "down")

    def cluster(self, folder: Path, n_workers: int) -> Processes:
        """A scheduler on host 0 and a worker on each of the hosts 1 … n_workers."""
        processes = Processes(folder, 8786, self.address(0))
        processes.start_scheduler(*self.prefix(0))
        for i in range(1, n_workers + 1):
            processes.add_worker(*self.prefix(i), host=self.address(i))
        return processes

    def _name(self, i: int) -> str:
        return f"{self._stem}h{i}"

    def _make(self, namespace: str) -> None:
        _run("ip", "netns", "add", namespace)
        self._made.append(namespace)
        _run("ip", "-n", namespace, "link", "set", "lo", "up")

    def _make_host(self, i: int) -> None:
        name = self._name(i)
        self._make(name)
        pair = ("type", "veth", "peer", "name", f"p{i}", "netns", self._switch)
        _run("ip", "-n", name, "link", "add", "eth0", *pair)
        _run("ip", "-n", name, "address", "add", f"{self.address(i)}/24", "dev", "eth0")
        _run("ip", "-n", name, "link", "set", "eth0", "up")
        self._in_switch("ip", "link", "set", f"p{i}", "master", "br0", "up")
        shape = ("root", "tbf", "rate", "1gbit", "burst", "256kb", "latency", "50ms")
        _run("ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", "eth0", *shape)
        self._in_switch("tc", "qdisc", "add", "dev", f"p{i}", *shape)

    def _in_switch(self, *words: str) -> None:
        _run("ip", "netns", "exec", self._switch, *words)


def _run(*words: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(words, capture_output=True, check=False)
    if check and done.returncode:
        raise OSError(f"{' '.join(words)}: {done.stderr.decode().strip()}")
    return done
