"""The driver's side: image files decoded by the workers, a pixel matrix that lies with them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from distributed import Future
from numpy.typing import NDArray

from softmaxce.cluster import work
from softmaxce.cluster.connection import FEW_BYTES, Cluster, Graph
from softmaxce.cluster.ranges import Facts, Files
from softmaxce.data.decoding import DecodedImages, OnDecoded
from softmaxce.errors import ImageError, TrainingError
from softmaxce.images.info import ImageInfo
from softmaxce.preprocessing import Preprocessing
from softmaxce.training.objective import Objective, Sums, block_rows

_MERGED_AT_ONCE = 8  # subtrees that one task merges (a power of two); more of small ones
_MANY_VALUES = 1 << 18
_MOST_LEAVES = 64
_MOST_RANGES = 1024
_LEAVES_OF_A_TASK = 2
_N_PROBED = 8  # files of a set that every worker must be able to read


def leaves_of_range(n_images: int, n_pixels: int, n_threads: int) -> int:
    """How many leaves a range has: a power of two, so that its sums are a subtree.

    The number for which the thread with most to do is done soonest, and Dask, whom each task
    costs as long as a leaf or two; 64 (64 MB) at most, but some 1,024 ranges at most as well.
    """
    n_blocks = -(-n_images // block_rows(n_pixels))
    fewest = 1 << (max(n_blocks // _MOST_RANGES, 1).bit_length() - 1)

    def leaves_of_time(size: int) -> int:
        n_ranges = -(-n_blocks // size)
        return -(-n_ranges // n_threads) * size + _LEAVES_OF_A_TASK * n_ranges

    sizes = (fewest << power for power in range(_MOST_LEAVES.bit_length()))
    return min((s for s in sizes if s <= max(fewest, _MOST_LEAVES)), key=leaves_of_time)


def driver_bytes(n_pixels: int, n_classes: int) -> int:
    """The memory that the solver needs: L-BFGS's pairs, a dozen more vectors, the inverses."""
    n_values = (n_pixels + 1) * n_classes
    n_pairs = max(3, min(20, (1 << 25) // (2 * n_values)))
    return 8 * n_values * (2 * n_pairs + 12) + 4 * 16_000_000


def memory_bytes() -> int:
    """The memory of this machine; endless where it does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 1 << 62


class ClusterReader:
    """Decodes image files on the workers; what `decode_all` needs."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def check_size(self, n_pixels: int, n_classes: int) -> None:
        """Raise TrainingError where this machine, which solves, would be too small."""
        settings = self.cluster.settings
        needed, there_is = driver_bytes(n_pixels, n_classes), memory_bytes()
        if needed > there_is and not settings.ignore_memory_check:
            raise TrainingError(
                f"{n_pixels:,} pixels × {n_classes:,} classes are too much for the machine that "
                f"leads: it needs about {needed / 1e9:.0f} GB for the solver and has "
                f"{there_is / 1e9:.0f}, whatever the workers; take a smaller --size, or try with "
                "--ignore-memory-check"
            )

    def headers(self, paths: Sequence[str]) -> list[ImageInfo]:
        """Sizes and colours of those of the files that can be read."""
        places = [_place(path) for path in paths]
        self.cluster.require(places[:: max(1, len(places) // _N_PROBED)])
        (found,) = self.cluster.results(lambda: [self.cluster.submit(work.headers, places)])
        return list(found)

    def decode(
        self, paths: Sequence[str], form: Preprocessing, on_decoded: OnDecoded | None
    ) -> DecodedImages:
        """As `decode_files`; the pixels stay with the workers."""
        pixels = DistributedPixels(self.cluster, paths, form)
        facts = pixels.decode(on_decoded)
        failures = {
            start + i: ImageError(paths[start + i], reason)
            for start, part in zip(pixels.starts, facts, strict=True)
            for i, reason in part.failures.items()
        }
        return DecodedImages(
            pixels,  # type: ignore[arg-type]
            np.concatenate([part.sizes for part in facts]),
            np.concatenate([part.is_grey for part in facts]),
            np.concatenate([part.digests for part in facts]),
            failures,
        )


class DistributedPixels:
    """A pixel matrix (n_images, n_pixels) of uint8, cut into ranges that the workers hold."""

    dtype = np.dtype(np.uint8)

    def __init__(self, cluster: Cluster, paths: Sequence[str], form: Preprocessing) -> None:
        self.cluster, self.shape = cluster, (len(paths), form.n_pixels)
        self.size = leaves_of_range(*self.shape, cluster.n_threads) * block_rows(form.n_pixels)
        self.starts = range(0, len(paths), self.size)
        self._files = []
        for start in self.starts:
            places = tuple(_place(path) for path in paths[start : start + self.size])
            name = f"{cluster.run}.{len(cluster.files)}"
            cluster.files[name] = Files(name, cluster.run, start, places, form)
            self._files.append(cluster.files[name])
        self._checksums: list[str] = []
        self._handles: list[Future] = []
        self._places: frozenset[str] = frozenset()  # the workers that may have the handles
        self._chosen: dict[tuple[int, int], tuple[Any, list[Future]]] = {}

    def __len__(self) -> int:
        return self.shape[0]

    def decode(self, on_decoded: OnDecoded | None) -> list[Facts]:
        """Decode all; the facts of each range."""

        def heard(n_done: int) -> None:
            if on_decoded:
                on_decoded(min(n_done * self.size, len(self)), len(self))

        def submit() -> list[Future]:
            handles = self._opened()
            return [
                self.cluster.submit(work.facts_of, handle, name=files.name)
                for handle, files in zip(handles, self._files, strict=True)
            ]

        facts: list[Facts] = self.cluster.results(submit, heard)
        self._checksums = [part.checksum for part in facts]
        return facts

    def __getitem__(self, where: Any) -> NDArray[np.uint8]:
        """Fetch rows (by a number, a slice or an array of numbers); for few of them."""
        numbers = np.arange(len(self))[where]
        rows = np.atleast_1d(numbers)
        order = np.argsort(rows, kind="stable")
        fetched = np.empty((len(rows), self.shape[1]), np.uint8)
        parts = self.map(work.rows_of, rows[order])
        if parts:
            fetched[order] = np.concatenate(parts)
        return fetched[0] if np.ndim(numbers) == 0 else fetched

    def map(
        self,
        function: Callable[..., Any],
        rows: NDArray[np.integer[Any]],
        columns: NDArray[Any] | None = None,
        shared: Any = None,
    ) -> list[Any]:
        """function(pixels of some rows) of each range, in order; `rows` ascending.

        With `columns`, (len(rows),), it is function(pixels, their part of columns, shared).
        """
        cuts = np.searchsorted(rows, [*self.starts, len(self)])

        def submit() -> list[Future]:
            sent = self.cluster.submit(work.same, shared) if columns is not None else None
            tasks = []
            for i, handle in enumerate(self._opened()):
                part = slice(int(cuts[i]), int(cuts[i + 1]))
                if part.start == part.stop:
                    continue
                more = () if columns is None else (columns[part], sent)
                where = rows[part] - self.starts[i]
                task = self.cluster.submit(
                    work.apply,
                    handle,
                    self._checksums[i],
                    where,
                    function,
                    *more,
                    name=self._files[i].name,
                )
                tasks.append(task)
            return tasks

        return self.cluster.results(submit)

    def sum_over(self, objective: Objective, parameters: NDArray[Any]) -> Sums:
        """The objective's sums: those of the ranges, merged in the tree over their indices.

        The workers merge them, lest as many gradients as there are ranges come here; but where
        they are small, that would take longer than their way does.
        """
        at_once = _MERGED_AT_ONCE if parameters.size > _MANY_VALUES else 8 * _MERGED_AT_ONCE
        merge_here = 8 * parameters.size * len(self._files) < FEW_BYTES

        def submit() -> list[Future]:
            chosen = self._choice(objective)
            graph: Graph = {}
            sent = self.cluster.send(parameters, graph, len(chosen))
            level = [
                self.cluster.add(graph, (work.sums, part, sent), files.name)
                for part, files in zip(chosen, self._files, strict=True)
            ]
            while len(level) > 1 and not merge_here:
                groups = [level[at : at + at_once] for at in range(0, len(level), at_once)]
                level = [self.cluster.add(graph, (work.merge, group)) for group in groups]
            return self.cluster.submit_graph(graph, level)

        return work.merge(self.cluster.results(submit))

    def _opened(self) -> list[Future]:
        """The ranges' handles, opened anew where none of the workers that may have them is left.

        Of workers that joined since, each gets its share of the ranges.
        """
        workers = frozenset(self.cluster.workers)
        names = range(len(self._files))
        if not self._places & workers:
            anew = set(names)
        else:
            n_joined = len(workers - self._places)
            share = [i * n_joined // len(workers) for i in range(len(self._files) + 1)]
            anew = {i for i in names if share[i + 1] > share[i]}
        if anew:
            kept = dict(enumerate(self._handles))
            self._handles = [
                self.cluster.submit(work.open_range, self._files[i], name=self._files[i].name)
                if i in anew
                else kept[i]
                for i in names
            ]
            self._chosen.clear()
            self._places = workers
        return self._handles

    def _choice(self, objective: Objective) -> list[Future]:
        """The rows of each range that the objective sums over, sent once."""
        handles = self._opened()
        rows, weights = objective.rows, objective.row_weights
        key = id(rows.index), id(weights)
        if key not in self._chosen:
            tasks = [self._choose(i, handle, objective) for i, handle in enumerate(handles)]
            self._chosen[key] = (rows, weights), tasks
        return self._chosen[key][1]

    def _choose(self, i: int, handle: Future, objective: Objective) -> Future:
        start, stop = self.starts[i], min(self.starts[i] + self.size, len(self))
        rows, weights = objective.rows, objective.row_weights
        index, part = None, slice(start, stop)
        if rows.index is not None:
            part = slice(*map(int, np.searchsorted(rows.index, (start, stop))))
            index = rows.index[part] - start
        return self.cluster.submit(
            work.choose,
            handle,
            self._checksums[i],
            rows.labels[start:stop],
            index,
            None if weights is None else weights[part],
            objective.n_classes,
            name=self._files[i].name,
        )


def _place(path: str) -> str:
    """Where a file is, for a process in another folder."""
    return path if "://" in path else os.path.abspath(path)
