"""`--help` with the options under headings, for commands that have many."""

from __future__ import annotations

import click

GROUPS = {
    "Image options": "only merge size color fit background group-by files-from null skip-bad jobs "
    "cache no-cache",
    "Model options": "model network l2 features mirror onnx-mean onnx-std onnx-channels "
    "onnx-output hidden class-weight seed resume",
    "Validation options": "validation test folds permutations calibrate",
    "Output options": "output force top-k label coverage errors fail-under report save-plots "
    "details format no-progress quiet lang debug help",
    "Cluster options": "dask dask-tls dask-min-workers dask-timeout eval-timeout "
    "ignore-memory-check",
}
_TERM_WIDTH = 30  # a longer term has a line of its own, as Click's do


class GroupedCommand(click.Command):
    """A command whose options are listed in `GROUPS`."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group, with the help texts of all of them aligned."""
        records = {
            parameter.opts[-1].lstrip("-"): record
            for parameter in self.get_params(ctx)
            if (record := parameter.get_help_record(ctx))
        }
        width = min(_TERM_WIDTH, max(len(term) for term, _ in records.values()))
        for heading, names in GROUPS.items():
            found = [records[name] for name in names.split() if name in records]
            if found:
                with formatter.section(heading):
                    formatter.write_dl([(term.ljust(width), text) for term, text in found])
