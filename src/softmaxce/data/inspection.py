"""Many image files → the header of each (format, size, mode …), read by worker processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from softmaxce.data.worker_processes import available_cores, in_workers
from softmaxce.errors import ImageError
from softmaxce.images.info import ImageDetails

_CHUNK_FILES = 256
_FILES_WORTH_WORKERS = 1000


def inspect_files(
    paths: Sequence[str],
    *,
    jobs: int | None = None,
    on_inspected: Callable[[int, int], None] | None = None,
) -> list[ImageDetails | ImageError]:
    """The details of each file, or why it cannot be read, in the order of `paths`."""
    chunks = [(i, paths[i : i + _CHUNK_FILES]) for i in range(0, len(paths), _CHUNK_FILES)]
    n_workers = min(jobs or available_cores(), len(chunks))
    if n_workers < 2 or len(paths) < _FILES_WORTH_WORKERS:
        parts = map(_inspect, chunks)
    else:
        waiting = iter(chunks)
        parts = in_workers(_inspect, lambda: next(waiting, None), n_workers)  # type: ignore[assignment]
    found: dict[int, list[ImageDetails | ImageError]] = {}
    n_done = 0
    for start, part in parts:
        found[start] = part
        n_done += len(part)
        if on_inspected is not None:
            on_inspected(n_done, len(paths))
    return [outcome for start in sorted(found) for outcome in found[start]]


def _inspect(chunk: tuple[int, Sequence[str]]) -> tuple[int, list[ImageDetails | ImageError]]:
    start, paths = chunk
    return start, [_details(path) for path in paths]


def _details(path: str) -> ImageDetails | ImageError:
    from softmaxce.images.reading import read_details  # Pillow is loaded with the first image

    try:
        return read_details(path)
    except ImageError as error:
        return error
