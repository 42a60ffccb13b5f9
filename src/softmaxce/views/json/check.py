"""The result of `check` as JSON."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from softmaxce.views.json.json_output import attributes, json_text

if TYPE_CHECKING:
    from softmaxce.workflows.check import CheckResult
    from softmaxce.workflows.learning_curve import LearningCurve


def as_json(result: CheckResult, curve: LearningCurve | None) -> str:
    """One object; "learning_curve" only if it was asked for."""
    found = attributes(result, *(field.name for field in fields(result)))
    return json_text("check", {**found, **({"learning_curve": curve} if curve else {})})
