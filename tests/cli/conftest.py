"""What several tests of the command line need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import PETS, run_command


@pytest.fixture(scope="session")
def rows(pets_model: Path) -> list[dict[str, Any]]:
    """What `evaluate` says of each of the sample's test images."""
    outcome = run_command("evaluate", PETS / "test", "-m", pets_model, "--format", "jsonl")
    return [json.loads(line) for line in outcome.stdout.splitlines()]
