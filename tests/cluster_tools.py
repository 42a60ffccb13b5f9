"""A Dask cluster of processes that can be killed, stopped and joined, as one starts it by hand."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from helpers import CACHE, NOT_INHERITED, ROOT


class Processes:
    """A scheduler and workers in `folder`. prefix: words before each command, by host."""

    def __init__(self, folder: Path, port: int | None = None, host: str = "127.0.0.1") -> None:
        self.folder, self.host = folder, host
        self.port = port or free_port()
        self.workers: list[subprocess.Popen[bytes]] = []
        self._runs: set[str] = set()
        self._n_started = 0
        self.scheduler: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def address(self) -> str:
        return f"tcp://{self.host}:{self.port}"

    @property
    def path(self) -> str:
        return environment()["PYTHONPATH"]

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_error: object) -> None:
        for process in [*self.workers, self.scheduler]:
            if process is not None:
                process.send_signal(signal.SIGKILL)
                process.wait()

    def start(self, n_workers: int, **options: object) -> Processes:
        self.start_scheduler()
        for _ in range(n_workers):
            self.add_worker(**options)
        return self

    def start_scheduler(self, *prefix: str) -> None:
        words = ["scheduler", "--host", self.host, "--port", str(self.port), "--no-dashboard"]
        self.scheduler = self._run([*words, "--no-show"], "scheduler", prefix)

    def add_worker(
        self,
        *prefix: str,
        memory: str = "0",
        env: dict[str, str] | None = None,
        host: str = "127.0.0.1",
        nanny: bool = False,
    ) -> subprocess.Popen[bytes]:
        name = f"w{self._n_started}"
        self._n_started += 1
        scratch = self.folder / name
        words = [
            "worker",
            self.address,
            "--nanny" if nanny else "--no-nanny",
            "--nthreads",
            "1",
            "--no-dashboard",
        ]
        words += ["--memory-limit", memory, "--local-directory", str(scratch), "--host", host]
        worker = self._run([*words, "--name", name], name, prefix, env)
        self.workers.append(worker)
        return worker

    def kill(self, position: int) -> None:
        """SIGKILL to a worker."""
        worker = self.workers.pop(position)
        worker.kill()
        worker.wait()

    def wait_for_pixels(self, seconds: float = 60) -> None:
        """Until some worker decodes for a run that it was not waited for before."""
        deadline = time.monotonic() + seconds
        while not (runs := {p.name for p in self.folder.rglob("softmaxce-*")} - self._runs):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self._runs |= runs

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def _run(
        self,
        words: list[str],
        name: str,
        prefix: tuple[str, ...],
        env: dict[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        with open(self.folder / f"{name}.log", "wb") as log:
            return subprocess.Popen(
                [*prefix, sys.executable, "-m", "dask", *words],
                stdout=log,
                stderr=log,
                env=environment(env),
                cwd=self.folder,
            )


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(NOT_INHERITED)}
    path = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    quick = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "60s"}
    return {**clean, "PYTHONPATH": path, "SOFTMAXCE_CACHE": str(CACHE), **quick, **(more or {})}


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Command:
    """`softmaxce WORDS`, running; its stderr can be watched."""

    def __init__(self, *words: object, cwd: Path, prefix: tuple[str, ...] = ()) -> None:
        self.errors = cwd / f"stderr-{time.monotonic_ns()}"
        self.output = self.errors.with_name(self.errors.name.replace("err", "out"))
        with open(self.errors, "wb") as errors, open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "softmaxce", *map(str, words)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                cwd=cwd,
                env=environment({"COLUMNS": "80"}),
            )

    @property
    def stderr(self) -> str:
        return self.errors.read_text("utf-8", "replace")

    @property
    def stdout(self) -> str:
        return self.output.read_text("utf-8", "replace")

    def wait_for(self, words: str, seconds: float = 60) -> None:
        """Until stderr holds the words. AssertionError where it ends or takes too long first."""
        deadline = time.monotonic() + seconds
        while words not in self.stderr:
            assert self.process.poll() is None, (self.process.returncode, self.stderr)
            assert time.monotonic() < deadline, self.stderr
            time.sleep(0.02)

    def ended(self, seconds: float = 120) -> int:
        """Its exit code. Ends it where it takes longer."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still running after {seconds} s: {self.stderr}") from None
