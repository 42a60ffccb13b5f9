"""A process that has loaded softmaxce and forks a copy of itself for each command.

A short command spends most of its time starting Python and importing NumPy; a forked copy has
nothing left to import. Otherwise it is like any process: its streams, environment, working folder,
signals and exit code are its own. `helpers.run_command` starts this server and sends it one JSON
object per line; the answer is the exit code.
"""

from __future__ import annotations

import gc
import importlib
import json
import multiprocessing
import os
import pkgutil
import signal
import socket
import sys

from PIL import Image

import softmaxce
from softmaxce.cli import main

MAX_SECONDS = 300
NOT_LOADED = (
    "softmaxce.__main__",  # runs the command line
    "softmaxce.cluster",  # needs Dask, which may not be installed
    "softmaxce.estimator",  # loads scikit-learn, which no command needs
    "softmaxce.export",  # needs ONNX, which may not be installed
)


LOADED_LATE = ("numpy.ma", "numpy.random", "PIL.ImageSequence")  # by functions of NumPy and Pillow


def load_everything() -> None:
    """Import every module that a command may need."""
    for module in pkgutil.walk_packages(softmaxce.__path__, "softmaxce."):
        if not module.name.startswith(NOT_LOADED):
            importlib.import_module(module.name)
    for name in LOADED_LATE:
        importlib.import_module(name)
    Image.preinit()
    gc.freeze()  # a copy's garbage collection then leaves the shared memory alone


def serve(requests: socket.socket) -> None:
    """Run one command after another, until the tests close the connection."""
    with requests, requests.makefile("rw", encoding="utf-8") as stream:
        for line in stream:
            context = multiprocessing.get_context("fork")
            process = context.Process(target=run, kwargs=json.loads(line))
            process.start()
            process.join()
            stream.write(f"{process.exitcode}\n")
            stream.flush()


def run(words: list[str], cwd: str, env: dict[str, str], streams: str) -> None:
    """Run `softmaxce WORDS`; the folder `streams` has the files of stdin, stdout and stderr."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.alarm(MAX_SECONDS)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        file = os.open(os.path.join(streams, name), os.O_RDWR)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115  # multiprocessing has closed it
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["softmaxce", *words]
    main()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C stops pytest, which then stops this
    load_everything()
    serve(socket.socket(fileno=int(sys.argv[1])))
