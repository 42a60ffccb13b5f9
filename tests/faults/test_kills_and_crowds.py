"""Processes that are killed at random moments while they write, and several that write at once."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fault_tools import make_model
from helpers import PETS, draw_classes, draw_photographs, fork

from softmaxce.atomic_files import write_atomically
from softmaxce.data.pixel_cache import HEADER_BYTES, CacheKey, PixelCache
from softmaxce.images.decoded import DecodedImages
from softmaxce.model.model_file import encode_model, is_model_file, load_model
from softmaxce.preprocessing import Preprocessing
from softmaxce.training.checkpoints import AnswerLog
from softmaxce.training.fitting import fit

pytestmark = pytest.mark.slow

MODELS = [encode_model(make_model(seed=seed)) for seed in range(2)]
FACTS = {"the data": {"training": "these"}}
RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (60, 12), dtype=np.uint8)
LABELS = RANDOM.integers(0, 3, 60)


def kill_while(work: Callable[[], None], seconds: float) -> None:
    """Call `work` over and over in a process of its own, and kill that after `seconds`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside NumPy's threads
        child = fork()
    if not child:
        try:
            while True:
                work()
        finally:
            os._exit(1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def kills(n_kills: int, work: Callable[[], None], check: Callable[[], None]) -> None:
    """Kill `work` at n_kills random moments, and `check` what is left after each."""
    moments = np.random.default_rng(n_kills).uniform(0, 0.02, n_kills)
    for seconds in moments:
        kill_while(work, seconds)
        check()


def test_a_model_file_is_whole_after_each_of_400_kills(tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(MODELS[0])
    seen = set()

    def write() -> None:
        for content in MODELS:
            write_atomically(path, [content[:500], content[500:]])

    def check() -> None:
        content = path.read_bytes()
        assert content in MODELS
        seen.add(content)
        load_model(path)

    kills(400, write, check)
    assert len(seen) == 2


def test_a_fit_resumes_to_the_same_bytes_after_each_of_300_kills(tmp_path):
    path = str(tmp_path / "log")

    def run(log: AnswerLog | None) -> bytes:
        result = fit(PIXELS, LABELS, 3, l2=1e-4, tolerance=1e-12, n_threads=1, checkpoint=log)
        return b"".join(a.tobytes() for layer in result.layers for a in layer)

    whole = run(None)

    def work() -> None:
        run(AnswerLog(path, FACTS))

    def check() -> None:
        if os.path.exists(path) and os.path.getsize(path):
            log = AnswerLog(path, FACTS, resume=True)
            assert run(log) == whole
            log.close()
            os.unlink(path)

    kills(300, work, check)


def test_a_cache_entry_is_whole_or_unused_after_each_of_300_kills(tmp_path):
    cache = PixelCache(tmp_path / "cache")
    form = Preprocessing(4, 4, 1)
    contents = []
    for seed in range(2):
        random = np.random.default_rng(seed)
        contents.append(
            DecodedImages(
                pixels=random.integers(0, 256, (50, 16), dtype=np.uint8),
                sizes=np.full((50, 2), 4 + seed, np.int32),
                is_grey=np.ones(50, np.bool_),
                digests=random.integers(0, 2**60, (50, 2)).astype(np.uint64),
                failures={},
            )
        )
    keys = [CacheKey("name", f"digest {seed}", 50, 0) for seed in range(2)]
    n_found = 0

    def write() -> None:
        for key, decoded in zip(keys, contents, strict=True):
            file = cache.new_file(decoded.pixels.shape)
            assert file is not None
            with file:
                os.pwrite(file.handle, decoded.pixels.tobytes(), HEADER_BYTES)
                cache.keep(key, "source", form, decoded, file)

    def check() -> None:
        nonlocal n_found
        for key, decoded in zip(keys, contents, strict=True):
            found = cache.find(key)
            if found is not None:
                n_found += 1
                np.testing.assert_array_equal(found[1].pixels, decoded.pixels)
                np.testing.assert_array_equal(found[1].sizes, decoded.sizes)

    kills(300, write, check)
    assert n_found


def started(folder: Path, *words: object) -> subprocess.Popen[bytes]:
    """`softmaxce WORDS`, running in `folder` with a cache of its own."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "softmaxce", *map(str, words)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "SOFTMAXCE_CACHE": str(folder / "cache")},
    )


def test_killed_trainings_leave_the_old_model_or_a_new_one(tmp_path, pets_model):
    shutil.copy(pets_model, tmp_path / "model.npz")
    old = pets_model.read_bytes()
    for seconds in np.random.default_rng(3).uniform(0.3, 2.0, 6):
        process = started(tmp_path, "train", PETS / "train", "-q", "--seed", 0)
        time.sleep(seconds)
        process.kill()
        process.communicate()
        assert (tmp_path / "model.npz").read_bytes() == old
    process = started(tmp_path, "train", PETS / "train", "-q")
    assert process.wait() == 0
    process.communicate()
    assert (tmp_path / "model.npz").read_bytes() == old


def test_two_trainings_on_one_output_and_one_cache(tmp_path):
    draw_classes(tmp_path / "data", {"bright": 60, "dark": 60})
    for path in (tmp_path / "data").rglob("*.png"):
        os.utime(path, (1e9, 1e9))
    alone = started(tmp_path, "train", "data", "-q", "-o", "alone.npz", "--no-cache")
    assert alone.wait() == 0
    alone.communicate()
    for _ in range(3):
        crowd = [started(tmp_path, "train", "data", "-q") for _ in range(3)]
        for process in crowd:
            _, stderr = process.communicate(timeout=120)
            assert process.returncode == 0, stderr
            assert stderr == b""
        model = (tmp_path / "model.npz").read_bytes()
        assert model == (tmp_path / "alone.npz").read_bytes()
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["alone.npz", "cache", "data", "model.npz"]


@pytest.mark.parametrize("how", ["cache clear", "rm"])
def test_trainings_while_the_cache_is_cleared(tmp_path, how):
    draw_photographs(tmp_path / "data", seed=5)
    crowd = [started(tmp_path, "train", "data", "-q", "-o", f"{n}.npz") for n in range(2)]
    while any(process.poll() is None for process in crowd):
        if how == "rm":
            shutil.rmtree(tmp_path / "cache", ignore_errors=True)
            continue
        clearing = started(tmp_path, "cache", "clear")
        assert clearing.communicate()[1] == b""
        assert clearing.returncode == 0
    for process in crowd:
        assert process.communicate()[1] == b""
        assert process.returncode == 0
    assert (tmp_path / "0.npz").read_bytes() == (tmp_path / "1.npz").read_bytes()


@pytest.mark.parametrize("hidden", ["none", "8"])
def test_a_disk_without_room_for_decoded_pixels(tmp_path, hidden):
    draw_classes(tmp_path / "data", {"bright": 200, "dark": 200}, side=64)
    limit = 1_000_000  # enough for the model, but not for 400 images of 12 kB

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [sys.executable, "-m", "softmaxce", "train", "data", "--no-progress"]
    outcomes = set()
    for words in (("--no-cache",), ("--cache", "c"), ("--cache", "c", "-q")):
        done = subprocess.run(
            [*command, *words, "--hidden", hidden],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=limited,
        )
        assert done.returncode == 0, done.stderr
        outcomes.add((tmp_path / "model.npz").read_bytes())
        (tmp_path / "model.npz").unlink()  # replacing it would be noted
        is_noted = words == ("--cache", "c")
        note = "Note: the cache is not used: c: File too large; decoding without it\n"
        assert done.stderr == (note if is_noted else "")
    assert len(outcomes) == 1
    assert os.listdir(tmp_path / "c") == []


def test_many_writers_of_one_file(tmp_path):
    path = tmp_path / "model.npz"
    code = (
        "import sys\nfrom softmaxce.atomic_files import write_atomically\n"
        "content = open(sys.argv[1], 'rb').read()\n"
        "for _ in range(100): write_atomically(sys.argv[2], [content])\n"
    )
    writers = []
    for number, content in enumerate(MODELS):
        (tmp_path / str(number)).write_bytes(content)
        command = [sys.executable, "-c", code, str(tmp_path / str(number)), str(path)]
        writers.append(subprocess.Popen(command))
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            assert path.read_bytes() in MODELS
    assert all(writer.returncode == 0 for writer in writers)
    assert is_model_file(path)
    assert sorted(os.listdir(tmp_path)) == ["0", "1", "model.npz"]
