"""Many image files → the header of each (format, size, mode …), read by worker processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from softmaxce.data.worker_processes import in_workers, start_method
from softmaxce.errors import ImageError
from softmaxce.images.info import ImageDetails
from softmaxce.row_threads import available_cores

_CHUNK_FILES = 256
_FILES_WORTH_WORKERS = 1000
_Part = tuple[int, list[ImageDetails | ImageError]]


def inspect_files(
    paths: Sequence[str], *, jobs: int | None, on_inspected: Callable[[int, int], None]
) -> list[ImageDetails | ImageError]:
    """The details of each file, or why it cannot be read, in the order of `paths`."""
    starts = range(0, len(paths), _CHUNK_FILES)
    chunks = ((start, paths[start : start + _CHUNK_FILES]) for start in starts)
    n_workers = min(jobs or available_cores(), len(starts))
    is_worth_workers = n_workers > 1 and len(paths) >= _FILES_WORTH_WORKERS
    method = start_method() if is_worth_workers else None
    found: dict[int, list[ImageDetails | ImageError]] = {}
    n_done = 0
    for start, part in in_workers(_inspect, lambda: next(chunks, None), n_workers, method):
        found[start] = part
        n_done += len(part)
        on_inspected(n_done, len(paths))
    return [outcome for start in starts for outcome in found[start]]


def _inspect(chunk: tuple[int, Sequence[str]]) -> _Part:
    from softmaxce.images.reading import read_details  # Pillow is loaded with the first image

    start, paths = chunk
    outcomes: list[ImageDetails | ImageError] = []
    for path in paths:
        try:
            outcomes.append(read_details(path))
        except ImageError as error:
            outcomes.append(error)
    return start, outcomes
