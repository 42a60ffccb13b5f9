"""`--dask` and its kin: the images are read and summed by the workers of a cluster that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from softmaxce.cli.types import FiniteFloat
from softmaxce.errors import InputError

if TYPE_CHECKING:
    from softmaxce.data.preprocessing_choice import Reader
    from softmaxce.workflows.progress import OnProgress

_SECONDS = FiniteFloat(0.1, 86400.0)


@dataclass(frozen=True)
class ClusterChoice:
    """What the options say; address None for no cluster."""

    address: str | None
    tls: str | None
    min_workers: int
    timeout: float
    eval_timeout: float


def cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options; the command gets `cluster`, a ClusterChoice."""

    @wraps(command)
    def with_cluster(
        *args: Any,
        dask: str | None,
        dask_tls: str | None,
        dask_min_workers: int,
        dask_timeout: float,
        eval_timeout: float,
        **options: Any,
    ) -> Any:
        choice = ClusterChoice(dask, dask_tls, dask_min_workers, dask_timeout, eval_timeout)
        return command(*args, cluster=choice, **options)

    for option in reversed(_OPTIONS):
        with_cluster = option(with_cluster)
    return with_cluster


_OPTIONS = (
    click.option(
        "--dask",
        metavar="ADDRESS",
        help="Let a Dask cluster read and sum: tcp://host:8786, tls://… or its scheduler's JSON "
        "file. The result is the same; small sets get slower (docs/cluster.md).",
    ),
    click.option(
        "--dask-tls",
        metavar="DIR",
        type=click.Path(readable=False),
        help="The folder of ca.pem, cert.pem and key.pem for tls://.",
    ),
    click.option(
        "--dask-min-workers",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Workers to wait for before starting.",
    ),
    click.option(
        "--dask-timeout",
        type=_SECONDS,
        default=60.0,
        show_default=True,
        help="Seconds to wait for the scheduler, and for workers where there are too few.",
    ),
    click.option(
        "--eval-timeout",
        type=_SECONDS,
        default=30.0,
        show_default=True,
        help="Seconds without a result after which a silent worker is left out.",
    ),
)


@contextmanager
def reading(
    choice: ClusterChoice, folder: str, quiet: bool, on_progress: OnProgress, force: bool = False
) -> Iterator[tuple[Reader | None, OnProgress]]:
    """The reader of the cluster, None without one, and a listener that adds its workers' number."""
    if choice.address is None:
        yield None, on_progress
        return
    if "://" in folder:
        raise InputError(f"{folder}: name a CSV manifest on this machine, whose paths may be URLs")
    if find_spec("distributed") is None:
        raise InputError("--dask needs Dask: pip install 'softmaxce[dask]'")
    from softmaxce.cluster.settings import ClusterSettings

    settings = ClusterSettings(
        choice.address,
        None if choice.tls is None else Path(choice.tls),
        choice.min_workers,
        choice.timeout,
        choice.eval_timeout,
        force,
    )
    settings.check()
    from softmaxce.cluster.connection import connected, silence_logs
    from softmaxce.cluster.pixels import ClusterReader
    from softmaxce.views import notices

    silence_logs()  # until this process ends: Dask reports a lost cluster even after `connected`
    with connected(settings, (lambda _: None) if quiet else notices.note) as cluster:

        def counting(progress: Any) -> None:
            n = len(cluster.workers)
            words = f"{progress.detail}, {n} worker{'' if n == 1 else 's'}"
            on_progress(replace(progress, detail=words))

        yield ClusterReader(cluster), counting
