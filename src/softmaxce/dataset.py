"""Class folders → PixelDataset: a uint8 matrix, labels, names; and which rows are held out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from softmaxce.decoding import DecodedImages, OnDecoded, decode_files
from softmaxce.errors import DataError, ImageError
from softmaxce.images import SUFFIXES, Preprocessing, read_facts

DEFAULT_SIDE = 64
LARGEST_OWN_SIDE = 64
_HIDDEN_NAMES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx"})
_N_PROBED = 32
_N_NAMED = 10


@dataclass(frozen=True)
class PixelDataset:
    """Images as rows.

    pixels: (n_images, n_pixels) uint8; labels: (n_images,) integers from 0 into class_names;
    paths: n_images file names; digests: (n_images, 2) uint64, equal for equal pixels;
    unreadable: the image files that were left out; foreign: files that are no images by name.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    paths: tuple[str, ...]
    digests: NDArray[np.uint64]
    preprocessing: Preprocessing
    unreadable: tuple[ImageError, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def n_images(self) -> int:
        """How many images (rows) there are."""
        return len(self.labels)

    @property
    def left_out(self) -> tuple[str, ...]:
        """A line for each file that was passed over: which, and why."""
        foreign = (f"{path}: it is no image by its name" for path in self.foreign)
        return (*map(str, self.unreadable), *foreign)


@dataclass(frozen=True)
class ClassFolder:
    """One class: its name and its image files in sorted order; other files in `foreign`."""

    name: str
    paths: tuple[str, ...]
    foreign: tuple[str, ...]


@dataclass(frozen=True)
class SplitFolders:
    """The folders that hold the classes for each purpose; None where there is no such folder."""

    train: Path
    validation: Path | None = None
    test: Path | None = None


def is_hidden(name: str) -> bool:
    """Whether a file or folder is the system's own, such as .DS_Store or Thumbs.db."""
    return name.startswith(".") or name.lower() in _HIDDEN_NAMES


def find_splits(folder: str | PathLike[str]) -> SplitFolders:
    """`folder` itself, or its train/, validation/ and test/ where it holds nothing else."""
    root = Path(folder)
    names = {entry.name for entry in _visible_folders(root)}
    validation = names & {"validation", "valid", "val"}
    known = {"train", "test"} | validation
    if "train" not in names or len(names) < 2 or names - known:
        return SplitFolders(root)
    if len(validation) > 1:
        raise DataError(f"two validation folders: {root}: {' and '.join(sorted(validation))}")
    return SplitFolders(
        root / "train",
        root / validation.pop() if validation else None,
        root / "test" if "test" in names else None,
    )


def list_class_folders(folder: str | PathLike[str]) -> tuple[ClassFolder, ...]:
    """The class folders in `folder`, sorted by name. Raises DataError where there are none.

    Files count at any depth below the class's folder. A link to a file or a class folder is
    followed, a link to a folder further down is not, so links cannot form a loop.
    """
    root = Path(folder)
    entries = sorted(_visible_folders(root), key=lambda entry: entry.name)
    if not entries:
        loose = [e.name for e in os.scandir(root) if Path(e.name).suffix.lower() in SUFFIXES]
        if loose:
            raise DataError(
                f"no class folders: {root}: its {len(loose)} images lie directly in it; "
                "put them into one folder for each class"
            )
        raise DataError(f"no class folders: {root}: it needs one folder of images for each class")
    return tuple(_class_folder(entry) for entry in entries)


def _visible_folders(root: Path) -> list[os.DirEntry[str]]:
    try:
        entries = list(os.scandir(root))
    except FileNotFoundError:
        raise DataError(f"no such folder: {root}") from None
    except NotADirectoryError:
        raise DataError(f"not a folder: {root}: name the folder with the class folders") from None
    except OSError as error:
        raise DataError(f"cannot read the folder: {root}: {error.strerror}") from error
    return [entry for entry in entries if not is_hidden(entry.name) and entry.is_dir()]


def list_images(folder: str) -> tuple[str, ...]:
    """All image files below `folder`, by their names' endings, in sorted order."""
    return _sorted_files(folder)[0]


def _class_folder(entry: os.DirEntry[str]) -> ClassFolder:
    return ClassFolder(entry.name, *_sorted_files(entry.path))


def _sorted_files(root: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files below `root`: images, and others."""

    def refuse(error: OSError) -> None:
        raise DataError(f"cannot read the folder: {error.filename}: {error.strerror}")

    images: list[str] = []
    foreign: list[str] = []
    for folder, subfolders, files in os.walk(root, onerror=refuse):
        subfolders[:] = [name for name in subfolders if not is_hidden(name)]
        for name in files:
            if not is_hidden(name):
                known = os.path.splitext(name)[1].lower() in SUFFIXES
                (images if known else foreign).append(os.path.join(folder, name))
    return tuple(sorted(images)), tuple(sorted(foreign))


def load_for_training(
    folder: str | PathLike[str],
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    skip_bad: bool = False,
    jobs: int | None = None,
    on_decoded: OnDecoded | None = None,
) -> PixelDataset:
    """The images of the class folders in `folder`, in the order of class and path.

    `size` is (width, height); None takes the images' own where all share one of at most 64 × 64
    pixels, and 64 × 64 otherwise. `channels` is 1 or 3; None takes 1 only where every image is
    grey. Raises DataError for folders that cannot train a classifier, and, unless `skip_bad`,
    for unreadable images.
    """
    classes = list_class_folders(folder)
    if len(classes) < 2:
        raise DataError(
            f"one class only: {folder}: '{classes[0].name}' stands alone; "
            "a classifier needs at least two class folders"
        )
    _refuse_empty_classes(classes, folder)
    paths = [path for c in classes for path in c.paths]
    preprocessing = _probe(paths, size, channels)
    decoded = decode_files(paths, preprocessing, jobs=jobs, on_decoded=on_decoded)
    settled = _settle(preprocessing, decoded, size, channels)
    if settled != preprocessing:
        decoded = decode_files(paths, settled, jobs=jobs, on_decoded=on_decoded)
    dataset = _assemble(classes, tuple(c.name for c in classes), decoded, settled, folder, skip_bad)
    _refuse_lost_classes(dataset, folder)
    return dataset


def load_for_model(
    folder: str | PathLike[str],
    class_names: Sequence[str],
    preprocessing: Preprocessing,
    *,
    skip_bad: bool = False,
    jobs: int | None = None,
    on_decoded: OnDecoded | None = None,
) -> PixelDataset:
    """The images of the class folders in `folder`, labelled by name among `class_names`.

    A class without a folder has no images; a folder of another name raises DataError.
    """
    classes = list_class_folders(folder)
    unknown = [c.name for c in classes if c.name not in class_names]
    if unknown:
        inner = next((c.name for c in classes if c.name in ("test", "validation")), None)
        hint = f"; did you mean {Path(folder) / inner}?" if inner in unknown else ""
        raise DataError(
            f"unknown class: {folder}: the model does not know {_listed(unknown)}; "
            f"it knows {_listed(class_names)}{hint}"
        )
    paths = [path for c in classes for path in c.paths]
    if not paths:
        raise DataError(f"no images: {folder}: its class folders hold no image file")
    decoded = decode_files(paths, preprocessing, jobs=jobs, on_decoded=on_decoded)
    return _assemble(classes, tuple(class_names), decoded, preprocessing, folder, skip_bad)


def _refuse_empty_classes(classes: Sequence[ClassFolder], folder: str | PathLike[str]) -> None:
    empty = [c.name for c in classes if not c.paths]
    if empty:
        raise DataError(
            f"no images: {folder}: nothing that is an image by its name in {_listed(empty)}; "
            "add images or remove the folder"
        )


def _refuse_lost_classes(dataset: PixelDataset, folder: str | PathLike[str]) -> None:
    counts = np.bincount(dataset.labels, minlength=len(dataset.class_names))
    lost = [name for name, n in zip(dataset.class_names, counts, strict=True) if n == 0]
    if lost:
        raise DataError(f"no readable image: {folder}: in {_listed(lost)}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_N_NAMED])
    rest = len(names) - _N_NAMED
    return f"{shown} and {rest} more" if rest > 0 else shown


def _probe(
    paths: Sequence[str], size: tuple[int, int] | None, channels: int | None
) -> Preprocessing:
    """A first guess of the form from the headers of some images, so that one decoding will do."""
    facts = []
    for path in paths[:: max(1, len(paths) // _N_PROBED)]:
        try:
            facts.append(read_facts(path))
        except ImageError:
            continue  # named when it is decoded
    sizes = {(f.width, f.height) for f in facts}
    width, height = size or _common_size(sizes)
    return Preprocessing(height, width, channels or (1 if all(f.is_grey for f in facts) else 3))


def _common_size(sizes: set[tuple[int, int]]) -> tuple[int, int]:
    """The one size that all share, if it is small enough; the default otherwise."""
    if len(sizes) == 1:
        (own,) = sizes
        if max(own) <= LARGEST_OWN_SIDE:
            return own
    return DEFAULT_SIDE, DEFAULT_SIDE


def _settle(
    guess: Preprocessing,
    decoded: DecodedImages,
    size: tuple[int, int] | None,
    channels: int | None,
) -> Preprocessing:
    """The form that the rules give now that every image has been seen."""
    seen = np.ones(len(decoded.pixels), np.bool_)
    seen[list(decoded.failures)] = False
    if not seen.any():
        return guess
    sizes = {(int(w), int(h)) for w, h in np.unique(decoded.sizes[seen], axis=0)}
    width, height = size or _common_size(sizes)
    all_grey = bool(decoded.is_grey[seen].all())
    return Preprocessing(height, width, channels or (1 if all_grey else 3))


def _assemble(
    classes: Sequence[ClassFolder],
    class_names: tuple[str, ...],
    decoded: DecodedImages,
    preprocessing: Preprocessing,
    folder: str | PathLike[str],
    skip_bad: bool,
) -> PixelDataset:
    unreadable = tuple(decoded.failures[i] for i in sorted(decoded.failures))
    if unreadable and not skip_bad:
        raise DataError(_describe_unreadable(unreadable))
    if len(unreadable) == len(decoded.pixels):
        raise DataError(f"no readable image: {folder}: all {len(unreadable)} are unreadable")
    index_of = {name: index for index, name in enumerate(class_names)}
    labels = np.repeat([index_of[c.name] for c in classes], [len(c.paths) for c in classes])
    paths = [path for c in classes for path in c.paths]
    pixels, digests = decoded.pixels, decoded.digests
    if unreadable:
        kept = np.setdiff1d(np.arange(len(paths)), list(decoded.failures))
        pixels, digests, labels = pixels[kept], digests[kept], labels[kept]
        paths = [paths[i] for i in kept]
    return PixelDataset(
        pixels,
        labels.astype(np.int64),
        class_names,
        tuple(paths),
        digests,
        preprocessing,
        unreadable,
        tuple(path for c in classes for path in c.foreign),
    )


def _describe_unreadable(unreadable: Sequence[ImageError]) -> str:
    shown = "; ".join(str(error) for error in unreadable[:_N_NAMED])
    rest = len(unreadable) - _N_NAMED
    more = f"; and {rest} more" if rest > 0 else ""
    noun = "image" if len(unreadable) == 1 else "images"
    return (
        f"{len(unreadable)} unreadable {noun}: {shown}{more}. "
        "Mend or remove them, or go on without them with --skip-bad"
    )


def held_out(dataset: PixelDataset, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Which images (n_images,) are held out: about `fraction` of each class.

    An image's side depends on its pixels and the seed alone, so adding images never moves old
    ones and copies of a picture share a side. Where that would leave a class nothing to train
    on, its pictures, and their copies, stay in training.
    """
    keys = _mixed(dataset.digests[:, 0] ^ _mixed(np.array([seed], np.uint64)))
    is_out = keys < np.uint64(int(fraction * 2**64)) if fraction else np.zeros(len(keys), np.bool_)
    n_kept = np.bincount(dataset.labels[~is_out], minlength=len(dataset.class_names))
    without = (n_kept == 0)[dataset.labels]
    return np.asarray(is_out & ~np.isin(keys, keys[without]))


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A bijection of 64-bit numbers that spreads any change over all bits (SplitMix64's mix)."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
