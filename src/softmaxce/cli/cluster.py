"""`--dask` and related options: a running cluster decodes the images and sums over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from softmaxce.cli.types import LARGEST, Parsed, number_between, whole
from softmaxce.errors import InputError

if TYPE_CHECKING:
    from softmaxce.cluster.settings import ClusterSettings
    from softmaxce.data.read_options import DecodingBackend
    from softmaxce.workflows.progress import OnProgress, Progress

_SECONDS = Parsed("seconds", number_between(0.1, 86400.0))


def cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of --dask; the command gets `cluster`: ClusterSettings, None without --dask."""

    @wraps(command)
    def with_cluster(*args: Any, **options: Any) -> Any:
        address, *others = (options.pop(name) for name in _NAMES)
        cluster = None
        if address is not None:
            from softmaxce.cluster.settings import ClusterSettings

            cluster = ClusterSettings(address, *others)
        return command(*args, cluster=cluster, **options)

    for option in reversed(_OPTIONS):
        with_cluster = option(with_cluster)
    return with_cluster


_NAMES = ("dask", "dask_tls", "dask_min_workers", "dask_timeout", "eval_timeout")
_OPTIONS = (
    click.option(
        "--dask",
        metavar="ADDRESS",
        help="Use a Dask cluster: tcp://host:8786, tls://… or a scheduler JSON file. The results "
        "are the same, but small data sets take longer; see docs/cluster.md.",
    ),
    click.option(
        "--dask-tls",
        metavar="DIR",
        type=click.Path(readable=False),
        help="Folder with ca.pem, cert.pem and key.pem, for a tls:// address.",
    ),
    click.option(
        "--dask-min-workers",
        type=Parsed("N", number_between(1, LARGEST, whole)),
        default=1,
        help="Number of workers to wait for before starting.",
    ),
    click.option(
        "--dask-timeout",
        metavar="SECONDS",
        type=_SECONDS,
        default=60.0,
        help="Maximum time to wait for the scheduler and the workers.",
    ),
    click.option(
        "--eval-timeout",
        metavar="SECONDS",
        type=_SECONDS,
        default=30.0,
        help="Time after which a worker that has not returned a result is excluded.",
    ),
)


@contextmanager
def backend_of(
    settings: ClusterSettings | None,
    folder: str,
    note: Callable[[str], None],
    on_progress: OnProgress,
) -> Iterator[tuple[DecodingBackend | None, OnProgress]]:
    """The cluster as a backend (None without --dask), and a listener that adds the number of its
    workers to the progress."""
    if settings is None:
        yield None, on_progress
        return
    if "://" in folder:
        raise InputError(
            f"{folder}: DIR cannot be a URL; give a local CSV manifest, whose paths may be URLs"
        )
    if find_spec("distributed") is None:
        raise InputError("--dask needs Dask: pip install 'softmaxce[dask]'")
    settings.check()
    from softmaxce.cluster.connection import connected, silence_logs
    from softmaxce.cluster.pixels import ClusterReader

    silence_logs()  # until this process ends: Dask reports a lost cluster even after `connected`
    with connected(settings, note) as cluster:

        def counting(progress: Progress) -> None:
            n = len(cluster.workers)
            words = f"{progress.detail}, {n} worker{'' if n == 1 else 's'}"
            on_progress(replace(progress, detail=words))

        yield ClusterReader(cluster), counting
