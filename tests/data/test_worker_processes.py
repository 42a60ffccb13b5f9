"""Decoding wherever the program is called from, and workers that end with their parent."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import draw_photographs, environment, needs_fork
from PIL import Image

# Imported or copied by the callers below. Workers are worth starting for any image.
LIBRARY = """
import sys
import numpy as np
from softmaxce.data import decoding
from softmaxce.preprocessing import Preprocessing

decoding._MIN_SECONDS_FOR_WORKERS = {"fork": 0.0, "spawn": 0.0}
PATHS = [f"{number}.png" for number in range(60)]

def total(_=None):
    decoded = decoding.decode_files(PATHS, Preprocessing(8, 8, 3), jobs=2)
    assert not decoded.failures
    return int(decoded.pixels.sum())
"""
CALLERS = {
    "daemonic fork": "import multiprocessing as m\n"
    "if __name__ == '__main__':\n    with m.get_context('fork').Pool(1) as p:\n"
    "        print(p.map(total, [0])[0])\n",
    "daemonic spawn": "import multiprocessing as m\n"
    "if __name__ == '__main__':\n    with m.get_context('spawn').Pool(1) as p:\n"
    "        print(p.map(total, [0])[0])\n",
    "spawned": "from concurrent.futures import ProcessPoolExecutor as P\n"
    "import multiprocessing as m\n"
    "if __name__ == '__main__':\n    with P(1, m.get_context('spawn')) as p:\n"
    "        print(p.submit(total).result())\n",
    "thread": "from concurrent.futures import ThreadPoolExecutor as P\n"
    "with P(2) as p:\n    print(*set(p.map(total, range(2))))\n",
    "beside a thread": "import threading\nthreading.Thread(target=sys.stdin.read).start()\n"
    "print(total())\n",
    "alone": "print(total())\n",
    "frozen": "import threading\nthreading.Thread(target=sys.stdin.read).start()\n"
    "sys.frozen = True\nsys.executable = '/nonexistent'\nprint(total())\n",
    "embedded": "import threading\nthreading.Thread(target=sys.stdin.read).start()\n"
    "sys.executable = ''\nprint(total())\n",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> tuple[Path, int]:
    """A folder of 60 pictures, and the sum of their pixels."""
    folder = tmp_path_factory.mktemp("pictures")
    pixels = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), np.uint8)
    for number, values in enumerate(pixels):
        Image.fromarray(values).save(folder / f"{number}.png")
    return folder, int(pixels.sum())


@pytest.mark.parametrize(
    "how",
    ["script", *(pytest.param(how, marks=pytest.mark.slow) for how in ("-c", "stdin"))],
)
@pytest.mark.parametrize("caller", CALLERS)
def test_decoding_wherever_it_is_called_from(place, caller, how):
    if how != "script" and caller in ("daemonic spawn", "spawned"):
        pytest.skip("these look for their function in a file")
    if caller == "daemonic fork":
        needs_fork()
    folder, expected = place
    code = LIBRARY + CALLERS[caller]
    script = folder / f"{caller.replace(' ', '_')}.py"
    script.write_text(code)
    words = {"script": [script], "-c": ["-c", code], "stdin": ["-"]}[how]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        input=code if how == "stdin" else "",
        capture_output=True,
        text=True,
        env=environment(OPENBLAS_NUM_THREADS="1"),
        timeout=60,
        check=False,
    )
    assert (done.stderr, done.stdout) == ("", f"{expected}\n")


PARENT = """
import os, sys, time
from softmaxce.data import worker_processes as w

def work(seconds):
    os.write(1, b"working\\n")
    if seconds < 0:
        while True:
            pass
    time.sleep(seconds)

method, where = sys.argv[1:]
if where == "fork":  # killed before a worker has its first message
    start = w._Worker.__init__
    def started(self, *words):
        send = w.Connection.send
        w.Connection.send = lambda *_: None
        start(self, *words)
        os.write(1, b"working\\n")
        time.sleep(100)
    w._Worker.__init__ = started
tasks = iter([{"wait": 0, "decode": 100, "loop": -1}.get(where, 0)] * (2 if where != "wait" else 1))
if __name__ == "__main__":
    for _ in w.in_workers(work, lambda: next(tasks, None), 2, method):
        time.sleep(100)
"""


@pytest.mark.parametrize("where", ["fork", "wait", "decode", "loop"])
def test_workers_end_within_a_second_of_their_parent(where):
    needs_fork()
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, "fork", where], stdout=subprocess.PIPE, bufsize=0
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"working\n"
    process.kill()
    process.wait()
    assert seconds_until_closed(process.stdout.fileno()) < 1
    process.stdout.close()


def seconds_until_closed(handle: int) -> float:
    """How long it takes until no process has the other end of a pipe open; 60 at most."""
    began = time.monotonic()
    while select.select([handle], [], [], 60)[0]:
        if not os.read(handle, 2**16):
            return time.monotonic() - began
    return 60.0


@pytest.mark.slow
@pytest.mark.parametrize("cached", [False, True])
def test_trainings_that_are_killed_at_any_moment_leave_nothing(tmp_path, cached):
    draw_photographs(tmp_path / "set", seed=4)
    for folder in ("tmp", "cache"):
        (tmp_path / folder).mkdir()
    env = environment(TMPDIR=str(tmp_path / "tmp"), SOFTMAXCE_CACHE=str(tmp_path / "cache"))
    command = [sys.executable, "-m", "softmaxce", "train", "set", "-q"]
    command += [] if cached else ["--no-cache"]
    for seconds in np.random.default_rng(4).uniform(0.3, 1.8, 24):
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env
        )
        assert process.stderr is not None
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        assert seconds_until_closed(process.stderr.fileno()) < 1.5  # on a busy machine
        process.stderr.close()
        process.wait()
        assert os.listdir(tmp_path / "tmp") == []
        assert len(os.listdir(tmp_path / "cache")) <= 1
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert os.listdir(tmp_path / "tmp") == []
    assert [name for name in os.listdir(tmp_path / "cache") if name.startswith(".")] == []
