"""The driver's side: image files that workers decode, and the pixel matrix that they hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from distributed import Future
from numpy.typing import NDArray

from softmaxce.cluster import worker
from softmaxce.cluster.connection import FEW_BYTES, Cluster, Graph
from softmaxce.cluster.worker import RangeFiles, RangeSummary
from softmaxce.data.decoding import OnDecoded
from softmaxce.errors import ImageError, TrainingError
from softmaxce.images.decoded import DecodedImages
from softmaxce.images.info import ImageInfo
from softmaxce.preprocessing import Preprocessing
from softmaxce.training.full_batch import max_pairs
from softmaxce.training.objective import Objective, Sums, tree_sum
from softmaxce.training.preconditioner import INVERSE_VALUES
from softmaxce.training.rows import block_rows

_MERGED_AT_ONCE = 8  # subtrees that one task merges (a power of two); 8 times as many small ones
_MANY_VALUES = 1 << 18
_MAX_BLOCKS = 64  # of a range (64 MB), unless there would be more than _MAX_RANGES
_MAX_RANGES = 1024
_BLOCKS_PER_TASK_COST = 2  # Dask's overhead for a task takes as long as summing 1 to 2 blocks
_N_PROBED = 8  # files of a data set that every worker must be able to read


def blocks_of_range(n_images: int, n_pixels: int, n_threads: int) -> int:
    """How many blocks a range has: a power of two, so that its sums are a subtree.

    It minimises the time of the thread with most to do, Dask's overhead for each task included. A
    range has at most 64 blocks (64 MB), or more if there would otherwise be more than 1,024 ranges.
    """
    n_blocks = -(-n_images // block_rows(n_pixels))
    fewest = 1 << (max(n_blocks // _MAX_RANGES, 1).bit_length() - 1)

    def time_in_blocks(size: int) -> int:
        n_ranges = -(-n_blocks // size)
        return -(-n_ranges // n_threads) * size + _BLOCKS_PER_TASK_COST * n_ranges

    sizes = (fewest << power for power in range(_MAX_BLOCKS.bit_length()))
    return min((s for s in sizes if s <= max(fewest, _MAX_BLOCKS)), key=time_in_blocks)


def driver_bytes(n_pixels: int, n_classes: int) -> int:
    """Memory of the solver: the pairs of L-BFGS, a dozen more vectors and the inverse Hessians."""
    n_values = (n_pixels + 1) * n_classes
    return 8 * n_values * (2 * max_pairs(n_values) + 12) + 4 * INVERSE_VALUES


def memory_bytes() -> int:
    """Memory of this machine; a very large number if it is not known."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 1 << 62


class ClusterReader:
    """Decodes image files on the workers: the cluster's side of `decode_all`."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def check_size(self, n_pixels: int, n_classes: int) -> None:
        """Raise TrainingError if this machine, which runs the solver, has too little memory."""
        needed, available = driver_bytes(n_pixels, n_classes), memory_bytes()
        if needed > available and not self.cluster.settings.ignore_memory_check:
            raise TrainingError(
                f"not enough memory on this machine for the solver: {n_pixels:,} pixels × "
                f"{n_classes:,} classes need about {needed / 1e9:.0f} GB, and there are "
                f"{available / 1e9:.0f} GB (more workers do not help); choose a smaller --size, or "
                "try with --ignore-memory-check"
            )

    def headers(self, paths: Sequence[str]) -> list[ImageInfo]:
        """Sizes and colours from the headers of those of the files that can be read."""
        places = [_place(path) for path in paths]
        self.cluster.require(places[:: max(1, len(places) // _N_PROBED)])
        (found,) = self.cluster.results(lambda: [self.cluster.submit(worker.headers, places)])
        return list(found)

    def decode(
        self, paths: Sequence[str], form: Preprocessing, on_decoded: OnDecoded | None
    ) -> DecodedImages:
        """See `decode_files`. The pixels stay with the workers."""
        pixels = DistributedPixels(self.cluster, paths, form)
        summaries = pixels.decode(on_decoded)
        failures = {
            start + i: ImageError(paths[start + i], reason)
            for start, summary in zip(pixels.starts, summaries, strict=True)
            for i, reason in summary.failures.items()
        }
        columns = zip(*(summary.columns for summary in summaries), strict=True)
        sizes, is_grey, digests = map(np.concatenate, columns)
        return DecodedImages(pixels, sizes, is_grey, digests, failures)  # type: ignore[arg-type]


class DistributedPixels:
    """A PixelMatrix (n_images, n_pixels) of uint8, cut into ranges that the workers hold."""

    dtype = np.dtype(np.uint8)

    def __init__(
        self, cluster: Cluster, paths: Sequence[str], preprocessing: Preprocessing
    ) -> None:
        n_pixels = preprocessing.n_pixels
        self.cluster, self.shape = cluster, (len(paths), n_pixels)
        self.size = blocks_of_range(*self.shape, cluster.n_threads) * block_rows(n_pixels)
        self.starts = range(0, len(paths), self.size)
        self._files: list[RangeFiles] = []
        for start in self.starts:
            places = tuple(map(_place, paths[start : start + self.size]))
            self._files.append(RangeFiles(cluster.new_name(), start, places, preprocessing))
        self._checksums: list[str] = []
        self._handles: dict[int, Future] = {}
        self._holders: frozenset[str] = frozenset()  # the workers that may hold the ranges
        self._chosen: list[tuple[Objective, list[Future]]] = []

    def __len__(self) -> int:
        return self.shape[0]

    def decode(self, on_decoded: OnDecoded | None) -> list[RangeSummary]:
        """Decode all images. Returns the summary of each range."""

        def notify(n_done: int) -> None:
            if on_decoded:
                on_decoded(min(n_done * self.size, len(self)), len(self))

        def submit() -> list[Future]:
            return [
                self.cluster.submit(worker.summary_of, handle, files=files)
                for handle, files in zip(self._opened(), self._files, strict=True)
            ]

        summaries: list[RangeSummary] = self.cluster.results(submit, notify)
        self._checksums = [summary.checksum for summary in summaries]
        return summaries

    def __getitem__(self, where: Any) -> NDArray[np.uint8]:
        """Fetch rows by a number, a slice or an array of numbers. Meant for a few of them."""
        numbers = np.arange(len(self))[where]
        rows = np.atleast_1d(numbers)
        order = np.argsort(rows, kind="stable")
        fetched = np.empty((len(rows), self.shape[1]), np.uint8)
        if len(rows):
            fetched[order] = np.concatenate(self.map(worker.rows_of, rows[order], rows, None))
        return fetched[0] if np.ndim(numbers) == 0 else fetched

    def copy_rows(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
        return self[rows]

    def map(
        self, function: Callable[..., Any], rows: NDArray[Any], columns: NDArray[Any], shared: Any
    ) -> list[Any]:
        """See PixelMatrix: one result for each range that contains some of the rows."""
        cuts = np.searchsorted(rows, [*self.starts, len(self)])

        def submit() -> list[Future]:
            sent = None if shared is None else self.cluster.submit(worker.identity, shared)
            tasks = []
            for i, handle in enumerate(self._opened()):
                run = slice(int(cuts[i]), int(cuts[i + 1]))
                if run.start < run.stop:
                    where = rows[run] - self.starts[i]
                    arguments = (handle, self._checksums[i], where, function, columns[run], sent)
                    tasks.append(
                        self.cluster.submit(worker.apply, *arguments, files=self._files[i])
                    )
            return tasks

        return self.cluster.results(submit)

    def sum_over(self, objective: Objective, parameters: NDArray[Any]) -> Sums:
        """The objective's sums: those of the ranges, merged in the tree over their positions.

        Workers merge them, so that few large gradients come to this machine. Small ones are merged
        here, because another step of tasks would take longer than sending them.
        """
        at_once = _MERGED_AT_ONCE if parameters.size > _MANY_VALUES else 8 * _MERGED_AT_ONCE
        merge_here = 8 * parameters.size * len(self._files) < FEW_BYTES

        def submit() -> list[Future]:
            chosen = self._chosen_rows(objective)
            graph: Graph = {}
            sent = self.cluster.send(parameters, graph, len(chosen))
            level = [
                self.cluster.add(graph, (worker.sums, rows, sent), files)
                for rows, files in zip(chosen, self._files, strict=True)
            ]
            while len(level) > 1 and not merge_here:
                groups = [level[at : at + at_once] for at in range(0, len(level), at_once)]
                level = [self.cluster.add(graph, (tree_sum, group)) for group in groups]
            return self.cluster.submit_graph(graph, level)

        return tree_sum(self.cluster.results(submit))  # type: ignore[no-any-return]

    def _opened(self) -> list[Future]:
        """The handles of the ranges.

        Workers that have joined get their share of the ranges to open, or all of them if none of
        the workers that may hold the ranges is left.
        """
        workers, n_ranges = frozenset(self.cluster.workers), len(self._files)
        new = workers - self._holders if workers & self._holders else workers
        edges = [i * len(new) // max(1, len(workers)) for i in range(n_ranges + 1)]
        for i, files in enumerate(self._files):
            if edges[i + 1] > edges[i]:
                self._handles[i] = self.cluster.submit(worker.open_range, files, files=files)
                self._chosen.clear()
                self._holders = workers
        return list(self._handles.values())

    def _chosen_rows(self, objective: Objective) -> list[Future]:
        """The rows of each range that the objective sums over, which are sent once."""
        handles = self._opened()
        for known, chosen in self._chosen:
            if known.rows is objective.rows and known.row_weights is objective.row_weights:
                return chosen
        chosen, rows, weights = [], objective.rows, objective.row_weights
        for i, (start, handle) in enumerate(zip(self.starts, handles, strict=True)):
            here = rows.between(start, start + self.size)
            labels = rows.labels[start : start + self.size]
            index = None if rows.index is None else rows.index[here] - start
            own_weights = None if weights is None else weights[here]
            arguments = (handle, self._checksums[i], labels, index, own_weights)
            chosen.append(self.cluster.submit(worker.choose, *arguments, files=self._files[i]))
        self._chosen.append((objective, chosen))
        return chosen


def _place(path: str) -> str:
    """Where a file is, for a process in another folder."""
    return path if "://" in path else os.path.abspath(path)
