"""The result of `check` as JSON."""

from __future__ import annotations

from dataclasses import asdict

from softmaxce.views.json.json_output import json_text
from softmaxce.workflows.check import CheckResult


def as_json(result: CheckResult) -> str:
    """The result as one JSON object."""
    n_problems = sum(finding.is_problem for finding in result.findings)
    return json_text("check", {**asdict(result), "n_problems": n_problems})
