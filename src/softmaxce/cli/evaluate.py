"""`softmaxce evaluate`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from softmaxce.cli.cluster import backend_of, cluster_options
from softmaxce.cli.option_groups import GroupedCommand
from softmaxce.cli.options import (
    Output,
    command_line,
    coverage_option,
    details_option,
    model_option,
    network_option,
    output_options,
    reading_options,
    report_option,
    save_plots_option,
)
from softmaxce.cli.types import FILE

if TYPE_CHECKING:
    from softmaxce.cluster.settings import ClusterSettings
    from softmaxce.data.read_options import ReadOptions
    from softmaxce.workflows.evaluate import EvaluateResult

EPILOG = """\b
Examples:
  softmaxce evaluate photos/test
  softmaxce evaluate photos/test -m small.npz --format json
  softmaxce evaluate photos/test --errors wrong.csv
  softmaxce evaluate photos/test --fail-under "cross_entropy<=0.3"
"""


@click.command(
    cls=GroupedCommand, short_help="Evaluate a model on a folder of images.", epilog=EPILOG
)
@click.argument("folder", metavar="DIR", type=click.Path(readable=False))
@model_option
@network_option
@click.option(
    "--errors",
    "errors_path",
    metavar="FILE.csv",
    type=FILE,
    help="Also write the misclassified images to this file, highest cross-entropy first.",
)
@click.option(
    "--fail-under",
    "gates",
    metavar="METRIC=BOUND",
    multiple=True,
    help="Exit with code 3 if a score is worse than this bound, such as accuracy=0.9 or "
    "cross_entropy<=0.3. Scores have the same names as in the JSON output. May be repeated.",
)
@coverage_option
@report_option
@save_plots_option
@reading_options
@cluster_options
@details_option
@output_options("text", "json", "jsonl", "csv")
def evaluate(
    folder: str,
    model_path: str,
    networks: tuple[str, ...],
    gates: tuple[str, ...],
    coverage: float | None,
    read: ReadOptions,
    cluster: ClusterSettings | None,
    details: bool,
    output: Output,
    **paths: str | None,
) -> None:
    """Evaluate a model on the images in DIR, which contains one subfolder per class.

    Classes are matched by name; a class that the model does not know is an error, unless it was
    trained with --only. DIR may also be any other source that `train` accepts. The formats jsonl
    and csv print one row per image.
    """
    from softmaxce.views.json import evaluate as json_view
    from softmaxce.views.text import evaluate as text_view
    from softmaxce.workflows import evaluate as workflow
    from softmaxce.workflows.assessment import of_evaluation
    from softmaxce.workflows.gates import check_gates, parse_gate
    from softmaxce.workflows.outputs import ERRORS, REPORT, check_files, check_folder

    parsed_gates = [parse_gate(gate) for gate in gates]
    outputs = [(paths["errors_path"], ERRORS), (paths["report_path"], REPORT)]
    check_files(outputs, [model_path, folder])
    check_folder(paths["plots_path"])
    with (
        output.progress() as on_progress,
        backend_of(cluster, folder, output.note, on_progress) as (backend, listener),
    ):
        result = workflow.evaluate(
            folder,
            model_path,
            replace(read, backend=backend),
            networks=networks,
            coverage=coverage,
            on_progress=listener,
        )
        _write_files(result, **paths)  # while the images are at hand
    found, command = of_evaluation(result), command_line()
    output.show(
        partial(text_view.show, result, found, command, details),
        partial(json_view.as_machine_text, result, found, command),
        result.left_out,
        result.scored.subset.dataset.findings,
    )
    check_gates(result.scored.scores, parsed_gates)


def _write_files(
    result: EvaluateResult, errors_path: str | None, report_path: str | None, plots_path: str | None
) -> None:
    if errors_path is not None:
        from softmaxce.atomic_files import write_atomically
        from softmaxce.views.json.csv_output import file_bytes
        from softmaxce.views.json.evaluate import errors_csv

        write_atomically(errors_path, map(file_bytes, errors_csv(result)))
    if report_path is not None or plots_path is not None:
        from softmaxce.views.report.page import write_report
        from softmaxce.views.report.subject import of_evaluation

        write_report(of_evaluation(result, command_line()), report_path, plots_path)
