"""The pixel cache: it saves time and changes nothing else."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import draw_classes, run_command
from PIL import Image

from softmaxce import file_rows
from softmaxce.bounded_input import open_regular
from softmaxce.data import pixel_cache, preprocessing_choice
from softmaxce.data.class_folders import list_class_folders
from softmaxce.data.decoding import decode_files
from softmaxce.data.pixel_cache import PixelCache, key_of
from softmaxce.data.pixel_dataset import load_for_training
from softmaxce.data.preprocessing_choice import PreprocessingOptions, decode_all
from softmaxce.data.read_options import ReadOptions
from softmaxce.errors import DataError
from softmaxce.preprocessing import Preprocessing
from softmaxce.temporary_files import TemporaryFile
from softmaxce.training.checkpoints import Snapshot
from softmaxce.workflows.check import check
from softmaxce.workflows.checked_images import read_images
from softmaxce.workflows.checkpoint import checkpoint_type
from softmaxce.workflows.evaluate import evaluate
from softmaxce.workflows.predict import predict
from softmaxce.workflows.train import TrainOptions, train


@pytest.fixture
def folder(tmp_path):
    """Class folders whose files look as if they had lain there for a day."""
    draw_classes(tmp_path / "set", {"a": 20, "b": 20})
    age(tmp_path / "set")
    return tmp_path / "set"


@pytest.fixture(autouse=True)
def _files_settle_at_once(monkeypatch):
    """The time of a file's change cannot be set back, so the margin is made small."""
    monkeypatch.setattr(pixel_cache, "_SETTLED_NS", 0)


def age(folder):
    for path in folder.rglob("*.png"):
        os.utime(path, (time.time() - 86400,) * 2)


def load(folder, cache):
    paths = [path for c in list_class_folders(folder) for path in c.paths]
    return decode_all(str(folder), paths, PreprocessingOptions(), ReadOptions(cache=cache))


def assert_same(one, other):
    assert one[0] == other[0]
    assert one[2] == other[2]
    for field in ("pixels", "sizes", "is_grey", "digests"):
        np.testing.assert_array_equal(getattr(one[1], field)[:], getattr(other[1], field)[:])
    assert {i: str(e) for i, e in one[1].failures.items()} == {
        i: str(e) for i, e in other[1].failures.items()
    }


def forbid_decoding(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("the images were decoded again")

    monkeypatch.setattr("softmaxce.data.preprocessing_choice.decode_files", refuse)


@pytest.mark.parametrize("many_bytes", [0, 2**26])
def test_decoded_pixels_come_from_the_cache(folder, tmp_path, monkeypatch, many_bytes):
    monkeypatch.setattr(file_rows, "_MANY_BYTES", many_bytes)
    cache = PixelCache(tmp_path / "cache")
    first = load(folder, cache)
    assert_same(load(folder, None), first)
    forbid_decoding(monkeypatch)
    again = load(folder, cache)
    assert_same(again, first)
    assert isinstance(again[1].pixels, np.ndarray) == bool(many_bytes)
    (entry,) = cache.entries()
    assert (entry.source, entry.n_images, entry.form) == (str(folder), 40, "8 × 8 RGB")
    assert os.listdir(tmp_path / "cache") == [os.path.basename(entry.path)]


@pytest.mark.parametrize("change", ["content", "same size and time", "new file", "gone", "renamed"])
def test_a_changed_folder_is_decoded_again(folder, tmp_path, change):
    cache = PixelCache(tmp_path / "cache")
    load(folder, cache)
    target = folder / "a" / "000.png"
    before = target.stat()
    if change == "content":
        Image.new("RGB", (8, 8), "red").save(target)
    elif change == "same size and time":
        content = bytearray(target.read_bytes())
        content[-20] ^= 1
        target.write_bytes(content)
        os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert target.stat().st_size == before.st_size
    elif change == "new file":
        Image.new("RGB", (8, 8), "red").save(folder / "a" / "new.png")
    elif change == "gone":
        target.unlink()
    else:
        target.rename(folder / "a" / "zzz.png")
    now = load(folder, cache)
    fresh = load(folder, None)
    assert {i: str(e) for i, e in now[1].failures.items()} == {
        i: str(e) for i, e in fresh[1].failures.items()
    }
    np.testing.assert_array_equal(now[1].pixels, fresh[1].pixels)
    assert len(cache.entries()) == 1  # the old entry was replaced


def test_each_preprocessing_has_its_own_entry(folder, tmp_path):
    cache = PixelCache(tmp_path / "cache")
    paths = [path for c in list_class_folders(folder) for path in c.paths]
    for request in (
        PreprocessingOptions(),
        PreprocessingOptions((4, 4)),
        PreprocessingOptions((4, 4), 1),
        PreprocessingOptions((4, 5), 1, "pad"),
        PreprocessingOptions((4, 5), 1, "pad", "#000000"),
    ):
        with_cache = decode_all(str(folder), paths, request, ReadOptions(cache=cache))
        assert_same(decode_all(str(folder), paths, request), with_cache)
    assert len(cache.entries()) == 5


def test_thousands_of_damaged_entries_change_nothing(folder, tmp_path):
    cache = PixelCache(tmp_path / "cache")
    expected = load(folder, cache)
    (entry,) = cache.entries()
    with open(entry.path, "rb") as stream:
        whole = stream.read()
    paths = [path for c in list_class_folders(folder) for path in c.paths]
    key = key_of(str(folder), (None, None, "stretch", "#ffffff"), paths)
    assert key is not None
    random = np.random.default_rng(0)
    n_refused = 0
    for _ in range(2000):
        content = bytearray(whole)
        kind = random.integers(4)
        start, stop = sorted(random.integers(0, len(content), 2))
        if kind == 0:
            content[random.integers(len(content))] ^= 1 << random.integers(8)
        elif kind == 1:
            del content[start:]
        elif kind == 2:
            content[start:stop] = bytes(stop - start)
        else:
            content[start:stop] = content[start:stop][::-1]
        with open(entry.path, "wb") as stream:
            stream.write(content)
        found = cache.find(key)
        if found is None:
            n_refused += 1
        else:  # what was changed says nothing, such as the name of the folder
            assert not found[2]
            assert_same((*found[:2], expected[2]), expected)
    assert n_refused > 1900


def test_fresh_files_are_not_kept(folder, tmp_path, monkeypatch):
    cache = PixelCache(tmp_path / "cache")
    monkeypatch.setattr(pixel_cache, "_SETTLED_NS", 10**10)
    load(folder, cache)
    assert os.listdir(tmp_path / "cache") == []


def test_unreadable_files_are_kept_as_such_until_they_can_be_read(folder, tmp_path, monkeypatch):
    cache, decoded = PixelCache(tmp_path / "cache"), []
    (folder / "a" / "003.png").write_bytes(b"no picture")
    (folder / "b" / "000.png").write_bytes(b"")
    first = load(folder, cache)
    assert [*first[1].failures] == [3, 20]

    def decode(paths, *others, **options):
        decoded.append([*paths])
        return decode_files(paths, *others, **options)

    monkeypatch.setattr(preprocessing_choice, "decode_files", decode)
    assert_same(load(folder, cache), first)
    assert decoded == [[str(folder / "a" / "003.png"), str(folder / "b" / "000.png")]]


def test_a_file_that_can_be_read_again_is_decoded(folder, tmp_path, monkeypatch):
    cache = PixelCache(tmp_path / "cache")
    with monkeypatch.context() as broken:

        def read(path, *limits):
            if path.endswith("003.png"):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return open_regular(path, *limits)

        broken.setattr("softmaxce.images.files.open_regular", read)
        assert [*load(folder, cache)[1].failures] == [3, 23]
        assert [*load(folder, cache)[1].failures] == [3, 23]
    assert_same(load(folder, cache), load(folder, None))
    forbid_decoding(monkeypatch)
    assert not load(folder, cache)[1].failures


def test_the_cache_is_bounded_and_drops_what_was_used_longest_ago(folder, tmp_path):
    cache = PixelCache(tmp_path / "cache", max_bytes=33_000)
    paths = [path for c in list_class_folders(folder) for path in c.paths]
    for turn, side in enumerate((8, 9, 10)):
        decode_all(str(folder), paths, PreprocessingOptions((side, side)), ReadOptions(cache=cache))
        for entry in cache.entries():  # the clock of the file system may be coarse
            if f"{side} × {side}" in entry.form:
                os.utime(entry.path, (turn, turn))
    assert sum(entry.n_bytes for entry in cache.entries()) <= 33_000
    assert [entry.form for entry in cache.entries()] == ["10 × 10 RGB", "9 × 9 RGB"]
    decode_all(str(folder), paths, PreprocessingOptions((90, 90)), ReadOptions(cache=cache))
    assert len(cache.entries()) == 2  # too large to be kept


def test_an_unusable_cache_is_ignored(folder, tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert_same(load(folder, PixelCache(tmp_path / "file" / "cache")), load(folder, None))


def test_two_caches_of_one_folder_do_not_disturb_each_other(folder, tmp_path):
    caches = [PixelCache(tmp_path / "cache") for _ in range(2)]
    first = load(folder, caches[0])
    caches[1].clear()
    np.testing.assert_array_equal(first[1].pixels, load(folder, caches[1])[1].pixels)


def test_training_does_not_depend_on_the_cache(folder, tmp_path):
    options = [("--no-cache",), ("--cache", "c"), ("--cache", "c")]
    time.sleep(2.1)  # until the files have settled
    for number, words in enumerate(options):
        done = run_command("train", folder, "-o", f"{number}.npz", *words, cwd=tmp_path)
        assert done.exit_code == 0, done.stderr
    models = {(tmp_path / f"{number}.npz").read_bytes() for number in range(3)}
    assert len(models) == 1
    shown = run_command("cache", "info", "--cache", "c", "--format", "json", cwd=tmp_path).json
    assert [entry["n_images"] for entry in shown["entries"]] == [40]
    assert "8 × 8 RGB" in run_command("cache", "info", "--cache", "c", cwd=tmp_path).stdout
    cleared = run_command("cache", "clear", "--cache", "c", cwd=tmp_path)
    assert cleared.stdout.startswith("Removed 1 file, 0.0 MB, from c")
    shown = run_command("cache", "info", "--cache", "c", "--format", "json", cwd=tmp_path).json
    assert shown["entries"] == []


def test_a_cache_folder_that_cannot_be_made_is_refused_when_asked_for(folder, tmp_path):
    (tmp_path / "file").write_text("no folder")
    outcome = run_command("train", folder, "--cache", "file/c", cwd=tmp_path)
    assert outcome.exit_code == 1
    assert "cannot use the cache: file/c" in outcome.stderr


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"SOFTMAXCE_CACHE": "/own", "XDG_CACHE_HOME": "/xdg"}, "/own"),
        ({"SOFTMAXCE_CACHE": "", "XDG_CACHE_HOME": "/xdg"}, "/xdg/softmaxce"),
        ({"XDG_CACHE_HOME": "xdg"}, "/home/me/.cache/softmaxce"),
        ({"XDG_CACHE_HOME": "./xdg"}, "/home/me/.cache/softmaxce"),
        ({"XDG_CACHE_HOME": "~/xdg"}, "/home/me/.cache/softmaxce"),
        ({"XDG_CACHE_HOME": ""}, "/home/me/.cache/softmaxce"),
        ({"XDG_CACHE_HOME": "xdg", "HOME": "home"}, None),
        ({"XDG_CACHE_HOME": "/xdg", "HOME": ""}, "/xdg/softmaxce"),
    ],
)
@pytest.mark.skipif("__import__('sys').platform != 'linux'", reason="other folders elsewhere")
def test_the_default_folder(monkeypatch, variables, expected):
    for name in ("SOFTMAXCE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/me", **variables}.items():
        monkeypatch.setenv(name, value)
    folder = pixel_cache.default_folder()
    assert folder == (None if expected is None else Path(expected))


@pytest.mark.parametrize("many_bytes", [0, 2**26])
def test_an_entry_that_another_program_shortens(folder, tmp_path, monkeypatch, many_bytes):
    monkeypatch.setattr(file_rows, "_MANY_BYTES", many_bytes)
    cache = PixelCache(tmp_path / "cache")
    first, again = load(folder, cache), load(folder, cache)
    whole = np.array(first[1].pixels[:])
    (entry,) = cache.entries()
    for n_bytes in (pixel_cache.HEADER_BYTES + 1000, 0):
        os.truncate(entry.path, n_bytes)
        for pixels in (first[1].pixels, again[1].pixels):
            if many_bytes:
                assert np.array_equal(pixels, whole)
            else:
                with pytest.raises(DataError, match=r"shortened the file; run the command again"):
                    pixels[:]
        assert np.array_equal(load(folder, cache)[1].pixels[:], whole)
        first = again = load(folder, cache)
        (entry,) = cache.entries()


def test_clearing_leaves_what_is_written_and_what_is_read(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(file_rows, "_MANY_BYTES", 0)
    cache, other = (PixelCache(tmp_path / "cache") for _ in range(2))
    pixels = load(folder, cache)[1].pixels
    with cache.new_file((10, 10)) as file:
        n_bytes = other.entries()[0].n_bytes
        (tmp_path / "cache" / ".new-abandoned").write_bytes(b"12345")
        assert other.clear() == (2, n_bytes + 5)
        assert os.listdir(tmp_path / "cache") == [os.path.basename(file.path)]
    assert len(pixels[:]) == 40


def test_a_full_disk_costs_the_oldest_entries_first(folder, tmp_path, monkeypatch):
    notes = []
    cache = PixelCache(tmp_path / "cache", on_note=notes.append)
    paths = [path for c in list_class_folders(folder) for path in c.paths]

    def decode(side):
        wanted = PreprocessingOptions((side, side))
        return decode_all(str(folder), paths, wanted, ReadOptions(cache=cache))[1].pixels

    for turn, side in enumerate((8, 9, 10)):
        decode(side)
        for entry in cache.entries():
            if f"{side} × {side}" in entry.form:
                os.utime(entry.path, (turn, turn))
    room = 45_000

    def reserve(file, n_bytes):
        used = sum(path.stat().st_size for path in (tmp_path / "cache").glob("*.pixels"))
        if used + n_bytes > room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(TemporaryFile, "reserve", reserve)
    decode(11)
    assert [entry.form for entry in cache.entries()] == ["11 × 11 RGB", "10 × 10 RGB"]
    assert notes == []
    room = 1000
    assert decode(12).shape == (40, 432)
    assert os.listdir(tmp_path / "cache") == []
    reason = f"{tmp_path / 'cache'}: No space left on device; decoding without it"
    assert notes == [f"the cache is not used: {reason}"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_becomes_full_while_it_is_written(folder, tmp_path, monkeypatch, number):
    def fail(*_args):
        raise OSError(number, os.strerror(number))

    expected, notes = load(folder, None), []
    monkeypatch.setattr(file_rows.RowWriter, "store", fail)
    cache = PixelCache(tmp_path / "cache", on_note=notes.append)
    assert_same(load(folder, cache), expected)
    assert os.listdir(tmp_path / "cache") == []
    assert len(notes) == 1
    assert os.strerror(number) in notes[0]


def test_what_is_not_a_file_in_the_cache_is_ignored(folder, tmp_path):
    cache = PixelCache(tmp_path / "cache")
    load(folder, cache)
    (entry,) = cache.entries()
    os.unlink(entry.path)
    os.mkfifo(entry.path)
    os.mkfifo(tmp_path / "cache" / "other.pixels")
    (tmp_path / "victim").write_bytes(b"kept")
    (tmp_path / "cache" / "link.pixels").symlink_to(tmp_path / "victim")
    assert [entry.form for entry in cache.entries()] == ["damaged"] * 3
    load(folder, cache)
    assert {entry.form for entry in cache.entries()} == {"damaged", "8 × 8 RGB"}
    assert cache.clear()[0] == 3
    assert (tmp_path / "victim").read_bytes() == b"kept"


@pytest.mark.parametrize("hidden", [(), (4,)])
def test_pixels_in_a_file_give_the_results_of_pixels_in_memory(tmp_path, monkeypatch, hidden):
    draw_classes(tmp_path / "set", {"a": 40, "b": 40})
    results = []
    for many_bytes in (2**26, 0):
        monkeypatch.setattr(file_rows, "_MANY_BYTES", many_bytes)
        monkeypatch.setattr("softmaxce.data.decoding._MIN_BYTES_FOR_FILE", many_bytes)
        model = tmp_path / f"{many_bytes}.npz"
        result = train(tmp_path / "set", model, TrainOptions(hidden=hidden))
        subset = result.scored["train"].subset
        assert isinstance(subset.dataset.pixels, np.ndarray) == bool(many_bytes)
        assert checkpoint_type(subset.dataset, hidden) == (Snapshot if hidden else None)
        evaluated = evaluate(tmp_path / "set", model).scored
        predicted = predict([str(tmp_path / "set")], model).outcomes
        checked = check(read_images(tmp_path / "set")).findings
        results.append(
            (
                model.read_bytes(),
                evaluated.scores.cross_entropies.tolist(),
                [p.log_probabilities.tolist() for p in predicted],
                checked,
            )
        )
    assert results[0] == results[1]


def test_loading_for_training_uses_the_cache(folder, tmp_path, monkeypatch):
    cache = PixelCache(tmp_path / "cache")
    first = load_for_training(folder, options=ReadOptions(cache=cache))
    forbid_decoding(monkeypatch)
    again = load_for_training(folder, options=ReadOptions(cache=cache))
    np.testing.assert_array_equal(again.pixels, first.pixels)
    assert again.preprocessing == Preprocessing(8, 8, 3)
    assert again.preprocessing_reason == "the size of all images; some are in colour"
