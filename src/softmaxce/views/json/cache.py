"""The results of `cache` as JSON."""

from __future__ import annotations

from dataclasses import asdict

from softmaxce.views.json.json_output import json_text
from softmaxce.workflows.cache import CacheInfo, Cleared


def as_json(result: CacheInfo) -> str:
    """The entries as one JSON object."""
    return json_text("cache info", {**asdict(result), "n_bytes": result.n_bytes})


def cleared_as_json(result: Cleared) -> str:
    """What was removed, as one JSON object."""
    return json_text("cache clear", asdict(result))
