"""Many files → rows: in order, whatever the processes do, and whatever happens to the files."""

from __future__ import annotations

import errno
import multiprocessing
import os
import threading
import time
from contextlib import nullcontext

import numpy as np
import pytest
from helpers import START_METHODS, needs_fork, run_command
from picture_files import png
from PIL import Image

from softmaxce.data.decoding import decode_files
from softmaxce.data.worker_processes import in_workers, start_method
from softmaxce.errors import DataError, OutputError
from softmaxce.images.reading import read_pixels
from softmaxce.preprocessing import Preprocessing
from softmaxce.temporary_files import TemporaryFile

FORM = Preprocessing(6, 6, 3)


@pytest.fixture
def files(tmp_path):
    """60 files of many kinds, three of them broken."""
    random = np.random.default_rng(0)
    paths = []
    for i in range(60):
        path = tmp_path / f"{i:02}.{('png', 'jpg', 'gif')[i % 3]}"
        size = (6, 6) if i % 2 else (9 + i, 40)
        Image.fromarray(random.integers(0, 256, (*size, 3), np.uint8)).save(path)
        paths.append(str(path))
    (tmp_path / "05.gif").write_bytes(b"GIF89a")
    (tmp_path / "30.png").unlink()
    (tmp_path / "59.gif").write_bytes(b"")
    return paths


def test_rows_are_in_the_order_of_the_files(files):
    decoded = decode_files(files, FORM, jobs=1)
    assert sorted(decoded.failures) == [5, 30, 59]
    assert "no such file" in str(decoded.failures[30])
    for i, path in enumerate(files):
        if i not in decoded.failures:
            np.testing.assert_array_equal(decoded.pixels[i], read_pixels(path, FORM))
            with Image.open(path) as image:
                assert decoded.sizes[i].tolist() == list(image.size)
    assert not decoded.pixels[[5, 30, 59]].any()


@pytest.mark.parametrize("method", [*START_METHODS, None])
def test_workers_change_no_row(files, monkeypatch, tmp_path, method):
    alone = decode_files(files, FORM, jobs=1)
    monkeypatch.setattr(
        "softmaxce.data.decoding._MIN_SECONDS_FOR_WORKERS", {"fork": 0.0, "spawn": 0.0}
    )
    monkeypatch.setattr("softmaxce.data.decoding.start_method", lambda: method)
    for offset in (0, 4096):
        heard = []  # how many reports there are depends on the time
        with TemporaryFile(tmp_path, "rows-") if offset else nullcontext() as target:
            together = decode_files(
                files,
                FORM,
                jobs=2,
                on_decoded=lambda done, of, heard=heard: heard.append((done, of)),
                pixel_file=target,
                offset=offset,
            )
        np.testing.assert_array_equal(together.pixels, alone.pixels)
        np.testing.assert_array_equal(together.sizes, alone.sizes)
        np.testing.assert_array_equal(together.digests, alone.digests)
        np.testing.assert_array_equal(together.is_grey, alone.is_grey)
        assert {i: str(e) for i, e in together.failures.items()} == {
            i: str(e) for i, e in alone.failures.items()
        }
        assert heard[-1] == (60, 60)
        assert heard == sorted(heard)


def test_small_and_other_png_side_by_side(tmp_path):
    random = np.random.default_rng(1)
    paths, expected = [], []
    for i in range(50):
        samples = random.integers(0, 256, (6, 6, 3))
        path = tmp_path / f"{i}.png"
        path.write_bytes(png(samples, 2, 8, interlaced=i % 7 == 0, filters=(i % 5,)))
        paths.append(str(path))
        expected.append(samples.reshape(-1))
    np.testing.assert_array_equal(decode_files(paths, FORM).pixels, expected)


def test_equal_pixels_have_equal_digests(tmp_path):
    samples = np.full((6, 6, 3), 9)
    for name, filters in (("a.png", (0,)), ("b.png", (4,))):
        (tmp_path / name).write_bytes(png(samples, 2, 8, filters=filters))
    (tmp_path / "c.png").write_bytes(png(samples + 1, 2, 8))
    digests = decode_files([str(tmp_path / n) for n in ("a.png", "b.png", "c.png")], FORM).digests
    assert digests[0].tolist() == digests[1].tolist() != digests[2].tolist()


def test_files_that_change_while_they_are_read_give_no_mixed_rows(tmp_path):
    """Each picture is of one grey, its name's; a row must show that grey or a fault."""
    form = Preprocessing(8, 8, 1)
    paths = [str(tmp_path / f"{i}.png") for i in range(200)]
    contents = [png(np.full((8, 8, 1), i), 0, 8) for i in range(200)]
    stop = threading.Event()

    def disturb() -> None:
        random = np.random.default_rng(2)
        while not stop.is_set():
            i = int(random.integers(200))
            if random.random() < 0.3:
                if os.path.exists(paths[i]):
                    os.unlink(paths[i])
            else:
                with open(paths[i], "wb") as stream:
                    stream.write(contents[i][: int(random.integers(40))])
                    stream.flush()
                    stream.write(contents[i][stream.tell() :])

    for path, content in zip(paths, contents, strict=True):
        with open(path, "wb") as stream:
            stream.write(content)
    disturber = threading.Thread(target=disturb)
    disturber.start()
    try:
        ends = time.monotonic() + 2
        while time.monotonic() < ends:
            decoded = decode_files(paths, form, jobs=1)
            for i in set(range(200)) - set(decoded.failures):
                assert set(decoded.pixels[i].tolist()) == {i}
    finally:
        stop.set()
        disturber.join()


def test_no_room_for_the_pixels_is_one_error(files, monkeypatch):
    monkeypatch.setattr("softmaxce.data.decoding._MIN_BYTES_FOR_FILE", 0)
    monkeypatch.setattr(TemporaryFile, "reserve", no_space)
    with pytest.raises(OutputError, match="not enough disk space: temporary folder: No space"):
        decode_files(files, FORM, jobs=1)


def no_space(*_args):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("fault", ["no space", "no processes"])
def test_without_what_workers_need_this_process_decodes(files, monkeypatch, fault):
    needs_fork()
    alone = decode_files(files, FORM, jobs=1)
    monkeypatch.setattr("softmaxce.data.decoding._MIN_SECONDS_FOR_WORKERS", {"fork": 0.0})
    monkeypatch.setattr("softmaxce.data.decoding.start_method", lambda: "fork")
    if fault == "no space":
        monkeypatch.setattr(TemporaryFile, "reserve", no_space)
    else:
        monkeypatch.setattr(multiprocessing.context.ForkProcess, "start", no_space)
    assert np.array_equal(decode_files(files, FORM, jobs=2).pixels, alone.pixels)


def die(_task: int) -> None:
    os._exit(9)


def fail(task: int) -> None:
    raise ValueError(f"task {task}")


def square(task: int) -> int:
    return task * task


def run(work, n_tasks, method=None):
    tasks = iter(range(n_tasks))
    return list(in_workers(work, lambda: next(tasks, None), 2, method or start_method()))


@pytest.mark.parametrize("method", START_METHODS)
def test_workers_do_every_task_once(method):
    assert sorted(run(square, 50, method)) == [i * i for i in range(50)]
    assert run(square, 0, method) == []


def test_a_worker_that_dies_is_noticed():
    with pytest.raises(DataError, match=r"decoding process died.*--jobs 1"):
        run(die, 5)


def test_what_a_worker_raises_is_raised():
    with pytest.raises(ValueError, match="task 0"):
        run(fail, 1)


def test_a_set_that_is_read_by_workers_gives_the_model_of_one_process(tmp_path):
    random = np.random.default_rng(3)
    for name, level in (("dark", 60), ("light", 180)):
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(80):
            pixels = np.clip(random.normal(level, 30, (300, 400, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "set" / name / f"{i}.jpg", quality=95)
    for jobs in (1, 2):
        outcome = run_command(
            "train", "set", "-o", f"{jobs}.npz", "--jobs", jobs, "--no-cache", cwd=tmp_path
        )
        assert outcome.exit_code == 0, outcome.stderr
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()
