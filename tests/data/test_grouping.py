"""Groups of images: what names them, what is refused, and that no group is in two splits."""

from __future__ import annotations

import ntpath
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import assert_one_error_line, draw_classes, run_command
from PIL import Image

from softmaxce.data.folds import fold_numbers, split_rows
from softmaxce.data.grouping import about_shared_groups, group_keys, joined_by_copies
from softmaxce.data.pixel_dataset import Subset, load_for_training
from softmaxce.data.read_options import ReadOptions
from softmaxce.data.sources import Split
from softmaxce.errors import DataError


@pytest.fixture
def folder(tmp_path):
    """photos/CLASS/pPATIENT/IMAGE.png: patients 0 to 3 in both classes, two images in each."""
    for k, label in enumerate(("cat", "dog")):
        for patient in range(4):
            place = tmp_path / "photos" / label / f"p{patient}"
            place.mkdir(parents=True)
            for i in range(2):
                Image.new("L", (4, 4), 100 * k + 20 * patient + i).save(place / f"s{i}.png")
    return tmp_path / "photos"


def grouped(source, by):
    return load_for_training(source, options=ReadOptions(group_by=by, jobs=1))


def partition(dataset):
    """The group of each file, numbered in the order of the files."""
    names = {key: number for number, key in enumerate(dict.fromkeys(dataset.groups.tolist()))}
    return [names[key] for key in dataset.groups.tolist()]


def keys_of(folder):
    dataset = grouped(folder, "parent")
    return dict(zip(dataset.paths, dataset.groups.tolist(), strict=True))


PATIENTS = [0, 0, 1, 1, 2, 2, 3, 3] * 2


@pytest.mark.parametrize("by", ["parent", r"p\d", r"/(p\d)/", r"^\w+/(.*)/s"])
def test_a_group_is_named_by_the_path(folder, by):
    dataset = grouped(folder, by)
    assert partition(dataset) == PATIENTS
    np.testing.assert_array_equal(dataset.groups, grouped(folder, "parent").groups)


def test_a_pattern_sees_only_the_path_below_the_source(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    for source in (folder, "photos", "./photos/", "photos/../photos"):
        assert partition(grouped(source, r"^(\w+)/")) == [0] * 8 + [1] * 8
    with pytest.raises(DataError, match="'photos' is not in any path"):
        grouped("photos", "photos")


def test_patterns_are_written_with_slashes_where_paths_have_backslashes(monkeypatch):
    windows = SimpleNamespace(path=ntpath, sep="\\", fspath=os.fspath)
    monkeypatch.setattr("softmaxce.data.grouping.os", windows)
    split = Split(Path("photos"))
    paths = [rf"photos\{label}\p{i}\s.png" for label in ("cat", "dog") for i in range(2)]
    for by in ("parent", r"^\w+/(p\d)/"):
        keys = group_keys(split, paths, by).tolist()
        assert keys[:2] == keys[2:]
        assert len({*keys}) == 2


def test_an_image_that_is_added_moves_no_group(folder):
    before = keys_of(folder)
    shutil.copytree(folder / "cat" / "p1", folder / "cat" / "p9")
    assert before.items() < keys_of(folder).items()


def write_manifest(folder, rows="", delimiter=","):
    """A manifest beside the photos, with a patient for each image, and more rows."""
    lines = ["path,label,patient"]
    for label in ("cat", "dog"):
        for patient in range(4):
            lines += [f"photos/{label}/p{patient}/s{i}.png,{label},P {patient}" for i in range(2)]
    path = folder.parent / "list.csv"
    path.write_text("\n".join([*lines, rows]).replace(",", delimiter))
    return path


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_group_is_named_by_a_column(folder, monkeypatch, delimiter):
    manifest = write_manifest(folder, delimiter=delimiter)
    assert partition(grouped(manifest, "patient")) == PATIENTS
    monkeypatch.chdir(folder.parent)
    for source in ("list.csv", "./list.csv"):
        assert partition(grouped(source, "patient")) == PATIENTS
        assert partition(grouped(source, r"p\d")) == PATIENTS
        assert len({*partition(grouped(source, "parent"))}) == 8  # there are no class folders


@pytest.mark.parametrize(
    ("by", "code", "message"),
    [
        ("(", 2, "--group-by: '(' is not a regular expression: missing )"),
        ("x", 1, "cannot group: photos: 'x' is not in any path, such as photos/cat/p0/s0.png"),
        ("png", 1, "cannot group: photos: all 16 images are in one group, 'png'; --group-by"),
        ("p[12]", 1, "cannot group: photos: 8 of 16 images have no group, such as photos/cat/p0/"),
        ("(x)|p", 1, "'(x)|p' is not in any path"),
        ("", 1, "'' is not in any path"),
    ],
)
def test_what_names_no_groups_is_refused(folder, by, code, message):
    for command in ("train", "check"):
        outcome = run_command(command, "photos", "--group-by", by, cwd=folder.parent)
        assert_one_error_line(outcome, code, message)


def test_what_is_not_a_column_is_refused(folder):
    write_manifest(folder)
    command = "train", "list.csv", "--group-by", "patent"
    columns = "'patent' is neither a column nor in a path; the columns are path, label, patient"
    assert_one_error_line(run_command(*command, cwd=folder.parent), 1, columns)


def test_a_row_without_a_group_is_refused(folder):
    Image.new("L", (4, 4)).save(folder / "new.png")
    manifest = write_manifest(folder, "photos/new.png,cat,\n")
    with pytest.raises(DataError, match=r"1 of 17 images have no group, such as .*new\.png"):
        grouped(manifest, "patient")


def test_images_without_paths_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 3, 3), np.uint8), y=[0, 1, 0, 1])
    for command in ("train", "check"):
        outcome = run_command(command, "a.npz", "--group-by", "parent", cwd=tmp_path)
        assert_one_error_line(outcome, 1, "cannot group: a.npz: its images have no paths")


def test_a_group_of_each_image_is_a_note(tmp_path):
    draw_classes(tmp_path / "photos", {"a": 12, "b": 12})
    outcome = run_command("train", "photos", "--group-by", ".*", cwd=tmp_path)
    assert outcome.exit_code == 0
    assert "puts each image into a group of its own, so it changes nothing: .*" in outcome.stderr


def random_dataset(random, dataset):
    """The dataset with other images: groups of any sizes and classes, some of them copies."""
    n, n_classes = int(random.integers(20, 200)), int(random.integers(2, 6))
    digests = random.integers(0, 2**63, (n, 2)).astype(np.uint64)
    copies = random.random(n) < random.choice([0, 0.1, 0.5])
    digests[copies] = digests[random.integers(0, n, n)[copies]]
    groups = random.integers(0, 2**63, n).astype(np.uint64)[random.integers(0, n // 2, n)]
    labels = np.append(np.arange(n_classes), random.integers(0, n_classes, n - n_classes))
    return replace(
        dataset,
        labels=labels,
        class_names=tuple(map(str, range(n_classes))),
        digests=digests,
        groups=groups,
    )


def test_no_group_and_no_copy_is_in_two_splits_of_1_000_sets(folder):
    random, dataset = np.random.default_rng(0), grouped(folder, "parent")
    n_held_out = 0
    for seed in range(1000):
        images = random_dataset(random, dataset)
        validation, test = split_rows(Subset.whole(images), seed, validation=0.2, test=0.2)
        folds = fold_numbers(images.labels, images.split_keys, 5, seed)
        n_held_out += validation.any() and test.any()
        for splits in (validation + 2 * test, folds):
            for keys in (images.groups, images.digests[:, 0]):
                pairs = np.unique(np.stack([keys, splits.astype(np.uint64)]), axis=1)
                assert pairs.shape[1] == len(np.unique(keys))
    assert n_held_out > 500


def test_copies_join_groups_through_others():
    groups, copies = (
        np.array([5, 5, 3, 3, 2, 9], np.uint64),
        np.array([1, 2, 2, 3, 3, 4], np.uint64),
    )
    assert joined_by_copies(groups, copies).tolist() == [2, 2, 2, 2, 2, 9]


def test_groups_in_two_splits_are_a_problem():
    keys = np.array([1, 2, 2, 3], np.uint64)
    found = about_shared_groups({"train": (keys, "abcd"), "test": (keys[1:3] + 1, "xy")})
    assert found.is_problem
    assert found.examples == (("d", "x"),)
